"""How the gateway shows itself to services over TLS, and whom it trusts."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dhatu_gateway.core.tls.context import RenewedContext
from dhatu_gateway.core.tls.pem import ALPN, InvalidTlsSettings, Loaded, show_certificate
from dhatu_gateway.core.tls.renewal import Renewed


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """Files in PEM form; None takes the default."""

    ca_file: Path | None = None
    """Authorities that may sign a service's certificate; the system's own by default."""
    certificate_file: Path | None = None
    """Client certificate with its chain, for services that ask for one."""
    key_file: Path | None = None
    """Its private key, where `certificate_file` does not hold it."""
    server_name: str = ""
    """What the service is called in its certificate; empty for the host of its address."""

    def load(self) -> Loaded:
        """Build a context from the files as they are now: TLS 1.2 or newer, host names checked.

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
        context.set_alpn_protocols(ALPN)
        validity = None
        if self.certificate_file is not None:
            validity = show_certificate(context, self.certificate_file, self.key_file)
        return Loaded(context=context, validity=validity)

    def context(self, service: str, clock: Callable[[], float] = time.monotonic) -> RenewedContext:
        """The context of connections to a service, renewed with the files; raises `InvalidTlsSettings`."""
        files = [file for file in (self.ca_file, self.certificate_file, self.key_file) if file is not None]
        what = f"the certificates for the service {service}"
        renewed = Renewed(what, files, self.load, clock=clock)
        return RenewedContext(what, renewed, server_name=self.server_name)
