"""Whose tokens the gateway takes besides its own."""

from __future__ import annotations

from pathlib import Path

from dhatu_gateway.auth.errors import ProviderFileError
from dhatu_gateway.auth.providers.config import Provider, read_providers_file
from dhatu_gateway.settings.reader import Reader


def read_providers(reader: Reader) -> tuple[Provider, ...]:
    """The external providers; none where nothing is said."""
    return reader.value("OIDC_PROVIDERS_FILE", "", _providers)


def _providers(text: str) -> tuple[Provider, ...]:
    if not text:
        return ()
    try:
        return read_providers_file(Path(text))
    except ProviderFileError as error:
        raise ValueError(str(error)) from error
