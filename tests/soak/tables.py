"""Tables of many routes in two versions, and what each version answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from dhatu_codegen.pipeline import build
from dhatu_codegen.targets.gateway.table import table_lines
from dhatu_gateway.core.types import Answer, Credential, Parameter, Route, Validate

ROOT = Path(__file__).parents[2]
SCOPE = Credential(scheme="bearer", scopes=("corpus:read",))
VALIDATE = Validate(
    path="enforce",
    query="enforce",
    headers="off",
    cookies="off",
    body="enforce",
    response="off",
    undeclared="keep",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """The platform's own operations and `routes` more, of which `changing` differ between two versions."""

    own: tuple[str, ...]
    routes: int
    changing: int

    @classmethod
    def of(cls, *, routes: int, changing: int) -> Versions:
        return cls(own=_own(), routes=routes, changing=changing)

    def write(self, path: Path, version: int) -> None:
        """Put one of them in place, at once."""
        beside = path.with_suffix(".new")
        beside.write_text("\n".join((*self.own, *self._lines(version))) + "\n", encoding="utf-8")
        beside.replace(path)

    def verdict(self, number: int, version: int) -> int:
        """What a version answers to `target(number)`, without a credential.

        Of the routes that change, one is only in the first, one only in the second; one asks for a token in
        the second, one takes no such number there; the others differ in nothing that this request shows.
        """
        if number >= self.changing:
            return 200
        match number % 5, version:
            case (0, 1) | (1, 0):
                return 404
            case (2, 1):
                return 401
            case (3, 1):
                return 400
            case _:
                return 200

    def target(self, number: int) -> str:
        return f"/api/v1/soak{number}/items/7?n=15"

    def _lines(self, version: int) -> Iterator[str]:
        for number in range(self.routes):
            kind = number % 5 if number < self.changing else -1
            if (kind, version) in ((0, 1), (1, 0)):
                continue
            secured = (kind, version) == (2, 1)
            most = 10 if (kind, version) == (3, 1) else 20
            timeout_s = 5.0 + (version if kind == 4 else 0)
            yield _line(number, secured=secured, most=most, timeout_s=timeout_s)


@cache
def _own() -> tuple[str, ...]:
    api = build(ROOT, targets=()).api
    assert api is not None
    return tuple(table_lines(api))


def _line(number: int, *, secured: bool, most: int, timeout_s: float) -> str:
    path = f"/api/v1/soak{number}/items/{{id}}"
    pointer = f"/paths/{path.replace('/', '~1')}/get/parameters"
    route = Route(
        operation=f"soak{number}.item",
        service="compression",
        version="v1",
        method="GET",
        path=path,
        parameters=(
            _parameter("id", "path", f"{pointer}/0/schema"),
            _parameter("n", "query", f"{pointer}/1/schema"),
        ),
        body=None,
        answers=tuple[Answer, ...](),
        security=((SCOPE,),) if secured else (),
        roles=(),
        timeout_s=timeout_s,
        max_body_bytes=1_000,
        rate_limits=(),
        validate=VALIDATE,
        deprecated=False,
        sunset="",
        cors=None,
        networks=None,
    )
    schemas = [{"schema": {"type": "integer"}}, {"schema": {"type": "integer", "maximum": most}}]
    return json.dumps(
        {"route": asdict(route), "document": {"paths": {path: {"get": {"parameters": schemas}}}}}
    )


def _parameter(name: str, location: str, schema: str) -> Parameter:
    return Parameter(
        name=name,
        location="path" if location == "path" else "query",
        required=location == "path",
        style="simple" if location == "path" else "form",
        explode=location != "path",
        content_type="",
        schema=schema,
    )
