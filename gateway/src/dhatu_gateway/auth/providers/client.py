"""How the gateway shows a provider who it is."""

from __future__ import annotations

import base64
from urllib.parse import quote_plus


def client_authentication(client_id: str, client_secret: str) -> str:
    """The value of `Authorization` by which a client proves itself (RFC 6749 section 2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return "Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii")
