"""Addresses, told without what is secret in them."""

from __future__ import annotations

from urllib.parse import urlsplit


def shown(url: str) -> str:
    """Without user and password.

    >>> shown("https://user:secret@10.0.0.1:8443/base"), shown("http://[::1]:80")
    ('https://10.0.0.1:8443/base', 'http://[::1]:80')
    """
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
