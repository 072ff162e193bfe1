"""Overrides from Consul's key-value store: read as a whole, checked, and only then put in force."""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import quote

from dhatu_gateway.core.discovery.consul_index import BlockingQuery
from dhatu_gateway.core.discovery.http import JsonClient
from dhatu_gateway.core.discovery.overrides import InvalidOverrides, Overrides, parse_overrides
from dhatu_gateway.core.discovery.source import DiscoveryError, Rhythm

_logger = logging.getLogger("dhatu.discovery")


async def follow_overrides(
    client: JsonClient,
    prefix: str,
    services: Collection[str],
    apply: Callable[[Mapping[str, Overrides]], None],
    rhythm: Rhythm,
) -> None:
    """Follow the keys `<prefix>/<service>` until cancelled; what cannot be read or used changes nothing."""
    query = BlockingQuery(client, f"/v1/kv/{quote(prefix)}/", {"recurse": "", "stale": ""})
    failures, said = 0, ""
    while True:
        began_s = rhythm.clock()
        try:
            answer = await query.ask(may_be_missing=True)
            texts = read_keys(answer.document, prefix) if answer.status == 200 else {}
            overrides = parse_overrides(texts, services)
        except (DiscoveryError, InvalidOverrides) as error:
            if isinstance(error, DiscoveryError):
                failures += 1
            if said != str(error):
                said = str(error)
                _logger.warning("overrides in %s/ stay as they were: %s", prefix, said)
        else:
            if failures or said:
                _logger.info("overrides in %s/ are in order again", prefix)
            failures, said = 0, ""
            apply(overrides)
        pause_s = rhythm.backoff_s(failures) if failures else rhythm.least_s - (rhythm.clock() - began_s)
        if pause_s > 0:
            await rhythm.sleep(pause_s)


def read_keys(document: Any, prefix: str) -> dict[str, bytes]:
    """Values by what follows the prefix, of an answer of /v1/kv; raises `DiscoveryError`."""
    try:
        pairs = {
            entry["Key"].removeprefix(f"{prefix}/"): base64.b64decode(entry["Value"] or "", validate=True)
            for entry in document
        }
    except (AttributeError, KeyError, TypeError, binascii.Error) as error:
        raise DiscoveryError(f"Consul answered no list of keys: {error!r}") from error
    return {name: value for name, value in pairs.items() if name}  # the folder itself is a key too
