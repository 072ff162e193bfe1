"""Deployments that get copies of a service's requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dhatu_gateway.core.types import Service
from dhatu_gateway.core.upstream.discovery import Endpoint, parse_endpoints
from dhatu_gateway.settings.reader import Reader, part_of


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorSettings:
    """Where the copies go, and of how many requests there are some."""

    endpoints: tuple[Endpoint, ...]
    share: float
    """Above 0, at most 1."""


def read_mirrors(reader: Reader, services: Iterable[Service]) -> Mapping[str, MirrorSettings]:
    """By service: CORPUS_MIRROR_URL and CORPUS_MIRROR_SHARE stand beside CORPUS_SERVICE_URL."""
    found: dict[str, MirrorSettings] = {}
    for service in services:
        stem = service.url_variable.removesuffix("_URL").removesuffix("_SERVICE")
        if stem and reader.is_set(f"{stem}_MIRROR_URL"):
            found[service.name] = MirrorSettings(
                endpoints=reader.value(f"{stem}_MIRROR_URL", "http://127.0.0.1:1", parse_endpoints),
                share=reader.value(f"{stem}_MIRROR_SHARE", "1", part_of),
            )
    return found
