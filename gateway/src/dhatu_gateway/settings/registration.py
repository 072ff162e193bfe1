"""How the gateway is registered in Consul."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final

from dhatu_gateway.core.discovery.registration import Check, OwnService
from dhatu_gateway.core.upstream.discovery import valid_host
from dhatu_gateway.settings.reader import Reader, between

LEAST_DEREGISTER_S: Final = 60
"""Consul does not take less for `DeregisterCriticalServiceAfter`."""
_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
"""A label of DNS: Consul warns of others, which its DNS cannot find."""
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_.:-]{1,200}")
_TAG: Final = re.compile(r"[^\s,]{1,255}")
_META: Final = re.compile(r"([A-Za-z0-9_-]{1,128})=([^,]{0,512})")
_MOST_META: Final = 64


def read_registration(reader: Reader, *, has_consul: bool) -> OwnService | None:
    """None where nobody shall find this gateway in Consul."""
    name = reader.value("GATEWAY_CONSUL_REGISTER", "", _name)
    address, port = reader.value("GATEWAY_CONSUL_ADDRESS", "", _address)
    own = OwnService(
        name=name,
        identifier=reader.value("GATEWAY_CONSUL_ID", "", _identifier),
        address=address or _listened(reader),
        port=port,
        tags=reader.value("GATEWAY_CONSUL_TAGS", "", _tags),
        meta=reader.value("GATEWAY_CONSUL_META", "", _meta),
        check=reader.value("GATEWAY_CONSUL_CHECK", "ttl", _check),
        tls=reader.is_set("GATEWAY_TLS_CERTIFICATE_FILE"),
        interval_s=reader.value("GATEWAY_CONSUL_INTERVAL_S", "10", between(1, 3600)),
        deregister_after_s=reader.value(
            "GATEWAY_CONSUL_DEREGISTER_AFTER_S", "300", between(LEAST_DEREGISTER_S, 7 * 86_400)
        ),
    )
    if not name:
        for variable in sorted(name for name in reader.asked if name.startswith("GATEWAY_CONSUL_")):
            if reader.is_set(variable) and variable != "GATEWAY_CONSUL_REGISTER":
                reader.problems.append(f"{variable}: needs GATEWAY_CONSUL_REGISTER, the name to register")
        return None
    if not has_consul:
        reader.problems.append("GATEWAY_CONSUL_REGISTER: needs CONSUL_URL")
    if own.check == "http" and not own.address:
        reader.problems.append(
            "GATEWAY_CONSUL_ADDRESS: must say where the agent reaches the gateway, to ask it over http"
        )
    asked_for = reader.value("GATEWAY_CLIENT_CERTIFICATES", "none", str)
    if own.check == "http" and asked_for == "required":
        reader.problems.append(
            "GATEWAY_CONSUL_CHECK: must be ttl, for the agent has no certificate to show as a client"
        )
    return own


def _listened(reader: Reader) -> str:
    """The address that is listened on, where it is one; empty for all of them."""
    host = reader.value("GATEWAY_HOST", "127.0.0.1", str)
    try:
        return "" if ip_address(host).is_unspecified else host
    except ValueError:
        return host


def _name(text: str) -> str:
    if text and not _NAME.fullmatch(text):
        raise ValueError(f"must be a name of letters, digits and dashes, such as api-gateway, not {text!r}")
    return text


def _identifier(text: str) -> str:
    if text and not _IDENTIFIER.fullmatch(text):
        raise ValueError(f"must be a word such as api-gateway-1, not {text!r}")
    return text


def _address(text: str) -> tuple[str, int]:
    """What others reach it by: `10.0.0.5`, `10.0.0.5:443`, `[fd00::1]:443`, `gw.internal` or `:443`."""
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]]*))(?::([0-9]{1,5}))?", text)
    if found is not None:
        host, port = (found[1] or found[2] or "").lower(), int(found[3] or 0)
        if (not host or valid_host(host)) and port < 65_536 and (port or not found[3]):
            return host, port
    raise ValueError(f"must be an address such as 10.0.0.5, 10.0.0.5:443 or :443, not {text!r}")


def _tags(text: str) -> tuple[str, ...]:
    tags = tuple(tag.strip() for tag in text.split(",") if tag.strip())
    for tag in tags:
        if not _TAG.fullmatch(tag) or not tag.isprintable():
            raise ValueError(f"must be words separated by commas, and {tag!r} is none")
    return tags


def _meta(text: str) -> Mapping[str, str]:
    pairs: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = _META.fullmatch(part)
        if found is None or not part.isprintable():
            raise ValueError(f"must be pairs such as version=1.2,zone=eu-1, and {part!r} is none")
        pairs[found[1]] = found[2]
    if len(pairs) > _MOST_META:
        raise ValueError(f"may have up to {_MOST_META} pairs, not {len(pairs)}")
    return pairs


def _check(text: str) -> Check:
    match text:
        case "ttl" | "http":
            return text
        case _:
            raise ValueError(f"must be ttl or http, not {text!r}")
