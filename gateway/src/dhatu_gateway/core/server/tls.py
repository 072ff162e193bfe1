"""How the gateway shows itself to clients over TLS, and which of their certificates it believes."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from dhatu_gateway.core.tls.context import RenewedContext
from dhatu_gateway.core.tls.pem import ALPN, Loaded, refuse_revoked, show_certificate, trust
from dhatu_gateway.core.tls.renewal import Renewed

ClientCertificates: TypeAlias = Literal["none", "optional", "required"]

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: forward secrecy and authenticated encryption only; those of TLS 1.3 are all of that kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """Files in PEM form."""

    certificate_file: Path
    """With its chain."""
    key_file: Path | None = None
    """None where `certificate_file` holds the key."""
    client_certificates: ClientCertificates = "none"
    """`none`: not asked for; `optional`: one that is shown must hold; `required`: no connection without."""
    client_ca_file: Path | None = None
    """Authorities that may sign clients' certificates, and no others."""
    client_crl_file: Path | None = None
    """Their lists of revoked certificates; one for each authority."""

    def load(self) -> Loaded:
        """Build a context from the files as they are now; raises `InvalidTlsSettings`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        context.set_alpn_protocols(ALPN)
        context.options |= ssl.Options.OP_CIPHER_SERVER_PREFERENCE | ssl.Options.OP_NO_RENEGOTIATION
        validity = show_certificate(context, self.certificate_file, self.key_file)
        if self.client_ca_file is not None and self.client_certificates != "none":
            trust(context, self.client_ca_file)
            if self.client_crl_file is not None:
                refuse_revoked(context, self.client_crl_file)
            is_required = self.client_certificates == "required"
            context.verify_mode = ssl.CERT_REQUIRED if is_required else ssl.CERT_OPTIONAL
            # Whoever comes back by a ticket is not looked at again, whatever has been revoked or has ended.
            context.options |= ssl.Options.OP_NO_TICKET
            context.num_tickets = 0
        return Loaded(context=context, validity=validity)

    def context(self, clock: Callable[[], float] = time.monotonic) -> RenewedContext:
        """The context of a server, renewed with the files; raises `InvalidTlsSettings`."""
        files = (self.certificate_file, self.key_file, self.client_ca_file, self.client_crl_file)
        what = "the gateway's certificate"
        return RenewedContext(what, Renewed(what, [file for file in files if file], self.load, clock=clock))
