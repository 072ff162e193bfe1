"""How the gateway shows itself to services over TLS, and whom it trusts."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path


class InvalidTlsSettings(ValueError):
    """A certificate or key that cannot be used; the message names the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """Files in PEM form; None takes the default."""

    ca_file: Path | None = None
    """Authorities that may sign a service's certificate; the system's own by default."""
    certificate_file: Path | None = None
    """Client certificate with its chain, for services that ask for one."""
    key_file: Path | None = None
    """Its private key, where `certificate_file` does not hold it."""

    def context(self) -> ssl.SSLContext:
        """Build the context, once at boot: TLS 1.2 or newer, host names checked.

        Raises `InvalidTlsSettings`.
        """
        if self.key_file is not None and self.certificate_file is None:
            raise InvalidTlsSettings(
                f"the key {self.key_file} has no certificate: name its certificate file too"
            )
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise InvalidTlsSettings(
                f"{self.ca_file} is not a readable list of authorities: {error}"
            ) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.certificate_file is not None:
            try:
                # The empty password keeps OpenSSL from asking on the terminal for an encrypted key.
                context.load_cert_chain(self.certificate_file, self.key_file, password="")
            except OSError as error:
                files = f"{self.certificate_file} with key {self.key_file or self.certificate_file}"
                raise InvalidTlsSettings(f"{files} is not a usable certificate: {error}") from error
        return context
