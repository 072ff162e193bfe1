"""Which browsers' pages may call: what an operation says, over what platform.yaml says."""

from __future__ import annotations

from ..document import Node
from ..ir.policy import Cors


def parse_cors(own: Node | None, outer: Cors) -> Cors:
    """Part by part: what is absent is as further out; null lets no page of another origin in."""
    if own is None:
        return outer
    if own.value is None:
        return Cors()
    age = own.get("max_age_s")

    def listed(key: str, otherwise: tuple[str, ...]) -> tuple[str, ...]:
        return own.texts(key) if own.get(key) is not None else otherwise

    return Cors(
        allow_origins=listed("allow_origins", outer.allow_origins),
        allow_headers=listed("allow_headers", outer.allow_headers),
        expose_headers=listed("expose_headers", outer.expose_headers),
        allow_credentials=own.flag("allow_credentials", outer.allow_credentials),
        max_age_s=age.value if age is not None and isinstance(age.value, int) else outer.max_age_s,
    )
