"""A context whose certificates are renewed while connections go on.

OpenSSL can exchange the context of a handshake (`sni_callback`), but sessions belong to the context that the
handshake began with: measured, a client that resumes one is let in although its authority is no longer
believed. Loading into the same context only ever adds authorities, and leaves a certificate without its key
where the two do not fit. So each handshake begins with a whole context, the newest; neither asyncio nor
uvloop asks a context for anything else.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable
from typing import Self

from dhatu_gateway.core.tls.pem import Loaded, Validity
from dhatu_gateway.core.tls.renewal import Renewed

LEFT_SHARE = 0.1
"""Whoever renews certificates does so while more than this share of their life is left."""

_logger = logging.getLogger("dhatu.tls")


class RenewedContext(ssl.SSLContext):
    """Hands every handshake to the newest context; holds no certificate and believes nobody itself."""

    _what: str
    _renewed: Renewed[Loaded]
    _server_name: str
    _wall_clock: Callable[[], float]
    _warned_of: Validity | None

    def __new__(
        cls,
        what: str,
        renewed: Renewed[Loaded],
        *,
        server_name: str = "",
        wall_clock: Callable[[], float] = time.time,
    ) -> Self:
        """`server_name` is what a server is called and verified by, instead of where it was found."""
        self = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        self._what = what
        self._renewed = renewed
        self._server_name = server_name
        self._wall_clock = wall_clock
        self._warned_of = None
        self.validity()
        return self

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Begin a handshake; called by the event loop."""
        self.validity()
        name = server_hostname if server_side else self._server_name or server_hostname
        return self._renewed.get().context.wrap_bio(incoming, outgoing, server_side, name, session)

    def validity(self) -> Validity | None:
        """When the certificate that is shown holds; warns, once for each, of one that ends soon."""
        validity = self._renewed.get().validity
        if validity is not None and validity is not self._warned_of:
            left_s = validity.not_after_s - self._wall_clock()
            if left_s < LEFT_SHARE * (validity.not_after_s - validity.not_before_s):
                self._warned_of = validity
                end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(validity.not_after_s))
                _logger.warning(
                    "%s: the certificate %s at %s", self._what, "ends" if left_s > 0 else "ended", end
                )
        return validity
