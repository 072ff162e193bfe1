"""What the providers of endpoints have in common."""

from __future__ import annotations

from .._errors import ConfigurationError


def checked_refresh(refresh_s: float) -> float:
    """Raises `ConfigurationError`."""
    if not refresh_s > 0:
        raise ConfigurationError(f"refresh_s must be a number of seconds above 0, not {refresh_s!r}")
    return refresh_s
