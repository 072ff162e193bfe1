"""How models are parted into modules; a name is loaded when it is asked for, with what it mentions."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest
from codegen.python.package import HERE, imported, install, shop_api
from dhatu_codegen.targets.python import PythonTarget
from dhatu_codegen.targets.python.model_modules import part

TEXT = """\
from pydantic import Field
from typing_extensions import TypeAliasType
from acme._models import BaseModel

class Leaf(BaseModel):
    size: int

class Left(BaseModel):
    right: Right | None = None
    leaf: Leaf

Names = TypeAliasType("Names", "list[Right]")
\"\"\"Some names.\"\"\"

class Right(BaseModel):
    left: Left | None = None

class Shared(BaseModel):
    Names: str

class User(BaseModel):
    shared: Shared

class Other(BaseModel):
    shared: Shared

Right.model_rebuild()
"""


def test_circles_and_what_only_one_mentions_share_a_module() -> None:
    files = part(TEXT)
    assert list(files) == ["__init__.py", "names.py", "other.py", "shared.py", "user.py"]
    names = files["names.py"]
    assert [name for name in ("Leaf", "Left", "Names", "Right") if f"class {name}" in names] == [
        *("Leaf", "Left", "Right")
    ]
    assert 'Names = TypeAliasType("Names", "list[Right]")\n"""Some names."""\n' in names
    assert "from .shared import Shared\n" in files["user.py"]
    assert "import" not in files["shared.py"].replace("from __future__ import annotations", "").replace(
        "from ..._models import BaseModel", ""
    )
    assert "model_rebuild" not in "".join(files.values())


def test_the_order_of_the_text_does_not_change_the_parting() -> None:
    blocks = TEXT.split("\n\n")
    again = "\n\n".join([blocks[0], *reversed(blocks[1:])])
    assert list(part(again)) == list(part(TEXT))


def test_a_name_is_loaded_when_it_is_asked_for(tmp_path: Path) -> None:
    api = shop_api(tmp_path, "lazy_client", (HERE / "zoo.yaml").read_text(encoding="utf-8"))
    with imported(install(PythonTarget().render(api), tmp_path)) as generated:
        prefix = f"{generated.__name__}.models"
        models = import_module(prefix)
        assert not [name for name in sys.modules if name.startswith(f"{prefix}.")]
        assert models.Unused.__module__ == f"{prefix}.unused"
        assert [name for name in sys.modules if name.startswith(f"{prefix}.")] == [f"{prefix}.unused"]
        assert {"Zoo", "Tree", "Unused"} <= set(dir(models))
        with pytest.raises(AttributeError, match="has no attribute 'Elephant'"):
            _ = models.Elephant
