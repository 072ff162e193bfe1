"""Documents, and the types and shapes that are rendered for them."""

from __future__ import annotations

from pathlib import Path

from codegen.sdk.sources import api
from dhatu_codegen.ir.api import Api
from dhatu_codegen.targets.typescript.components import Components
from dhatu_codegen.targets.typescript.shapes import render_shapes
from dhatu_codegen.targets.typescript.types import render_types

HERE = Path(__file__).parent


def menagerie() -> Api:
    """The IR of the document that has all that is hard."""
    return api((HERE / "menagerie.yaml").as_posix())


def rendered(found: Api) -> dict[str, str]:
    """File name to text."""
    components = Components(found)
    return {"types.ts": render_types(components), "shapes.ts": render_shapes(components)}
