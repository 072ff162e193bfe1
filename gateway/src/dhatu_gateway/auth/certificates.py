"""Whom the certificates of clients stand for: a file of names that certificates prove, and callers.

```json
{"certificates": [{"san": "URI:spiffe://example.org/indexer", "name": "indexer", "roles": ["curator"]}]}
```
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from dhatu_gateway.auth.authenticator import RECHECK_S
from dhatu_gateway.auth.credentials import Verified
from dhatu_gateway.auth.errors import CertificateError
from dhatu_gateway.auth.identity import certificate_id
from dhatu_gateway.auth.rbac import Roles
from dhatu_gateway.core.exchange import Principal
from dhatu_gateway.core.server.peer import PeerCertificate
from dhatu_gateway.core.tls.renewal import Renewed

KINDS: Final = ("DNS", "URI", "email")
MEMBERS: Final = frozenset({"san", "name", "roles", "scopes"})
_NAME: Final = re.compile(r"[A-Za-z0-9._~@-]{1,128}")

San = tuple[str, str]
"""Kind and value of a name in subjectAltName."""


class InvalidCertificatesFile(ValueError):
    """The file cannot be used; the message names it, the entry, and what is wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """Who is known by which name."""

    by_san: Mapping[San, Principal]

    def find(self, peer: PeerCertificate) -> Principal:
        """The caller that a certificate stands for; raises `CertificateError` unless there is exactly one."""
        if not peer.names:
            raise CertificateError("The client certificate has no name in subjectAltName; no other counts.")
        found = {self.by_san[san] for san in map(_folded, peer.names) if san in self.by_san}
        if len(found) == 1:
            return found.pop()
        names = ", ".join(sorted(f"{kind}:{value}" for kind, value in peer.names))[:512]
        if not found:
            raise CertificateError(f"The client certificate holds, but nobody is known by {names}.")
        raise CertificateError(f"The client certificate stands for several callers: {names}.")


class ClientCertificates:
    """Turns the certificate of a connection into a caller, and remembers it with the connection.

    Like any other credential it is believed for a while and then looked up anew, so that who leaves the file
    is let in no longer, also on connections that go on.
    """

    def __init__(self, callers: Renewed[Callers], wall_clock: Callable[[], float]) -> None:
        self._callers = callers
        self._wall_clock = wall_clock

    def verify(self, peer: PeerCertificate, now_s: float) -> Verified:
        """The caller; raises `CertificateError`. `now_s` is monotonic time."""
        principal = peer.principal
        if principal is None or peer.valid_until_s <= now_s:
            peer.principal = None
            left_s = peer.not_after_s - self._wall_clock()
            if left_s <= 0:
                raise CertificateError("The client certificate has ended; connect again with a new one.")
            principal = self._callers.get().find(peer)
            peer.valid_until_s = now_s + min(RECHECK_S, left_s)
            peer.principal = principal
        return Verified(principal, peer.valid_until_s, (principal.id,))


def open_client_certificates(
    file: Path,
    roles: Roles,
    *,
    wall_clock: Callable[[], float] = time.time,
    clock: Callable[[], float] = time.monotonic,
) -> ClientCertificates:
    """Read the file, now and when it changes; raises `InvalidCertificatesFile`."""
    callers = Renewed(str(file), [file], lambda: read_callers(file, roles), clock=clock)
    return ClientCertificates(callers, wall_clock)


def read_callers(file: Path, roles: Roles) -> Callers:
    """Read whom certificates stand for; raises `InvalidCertificatesFile`."""
    try:
        document: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidCertificatesFile(f"cannot read {file}: {error}") from error
    if not isinstance(document, dict) or document.keys() != {"certificates"}:
        raise InvalidCertificatesFile(f'{file} must hold {{"certificates": [...]}} and nothing else')
    entries = cast(dict[str, Any], document)["certificates"]
    if not isinstance(entries, list):
        raise InvalidCertificatesFile(f"{file}: certificates must be a list")
    by_san: dict[San, Principal] = {}
    by_name: dict[str, Principal] = {}
    for number, entry in enumerate(cast(Iterable[Any], entries), start=1):
        try:
            san, principal = _read_entry(entry, roles)
        except ValueError as error:
            raise InvalidCertificatesFile(f"{file}, certificate {number}: {error}") from error
        if san in by_san:
            raise InvalidCertificatesFile(f"{file}, certificate {number}: its san is there twice")
        if by_name.setdefault(principal.id, principal) != principal:
            raise InvalidCertificatesFile(
                f"{file}, certificate {number}: the same name is there with other roles or scopes"
            )
        by_san[san] = principal
    return Callers(by_san=by_san)


def _read_entry(entry: Any, roles: Roles) -> tuple[San, Principal]:
    if not isinstance(entry, dict):
        raise ValueError("must be an object")
    written = cast(dict[str, Any], entry)
    unknown = sorted(written.keys() - MEMBERS)
    if unknown:
        raise ValueError(f"{', '.join(unknown)} is unknown; there are {', '.join(sorted(MEMBERS))}")
    name = written.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError("name must have 1 to 128 letters, digits and any of . _ ~ @ -")
    held, scopes = _texts(written, "roles"), _texts(written, "scopes")
    roles.check(held)
    principal = Principal(id=certificate_id(name), kind="certificate", scopes=scopes, roles=held)
    return _read_san(written.get("san")), roles.expand(principal)


def _read_san(written: Any) -> San:
    kind, _, value = written.partition(":") if isinstance(written, str) else ("", "", "")
    if kind not in KINDS or not value.isascii() or not value.isprintable() or not value.strip():
        raise ValueError(f"san must be {', '.join(KINDS)}, a colon and a name, such as DNS:indexer.internal")
    if "*" in value or " " in value:
        raise ValueError("san must be one whole name: there are no wildcards")
    return _folded((kind, value))


def _folded(san: San) -> San:
    """Host names are the same in upper and lower case (RFC 4343); nothing else is."""
    kind, value = san
    return (kind, value.lower().rstrip(".")) if kind == "DNS" else san


def _texts(written: Mapping[str, Any], member: str) -> frozenset[str]:
    value: object = written.get(member, [])
    texts = list(cast(Iterable[object], value)) if isinstance(value, list) else [None]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{member} must be a list of texts")
    return frozenset(cast(list[str], texts))
