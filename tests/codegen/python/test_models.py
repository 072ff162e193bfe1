"""Models of awkward schemas: what they accept, and what stays of it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pydantic
import pytest
from codegen.python.package import HERE, imported, install, rendered, shop_api
from dhatu_codegen.targets.python import PythonTarget


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    root = tmp_path_factory.mktemp("zoo")
    api = shop_api(root, "zoo_client", (HERE / "zoo.yaml").read_text(encoding="utf-8"))
    with imported(install(PythonTarget().render(api), root)) as generated:
        yield import_module(f"{generated.__name__}.models")


@pytest.mark.parametrize(
    ("member", "value", "python"),
    [
        ("tree", ["a", ["b"]], ["a", ["b"]]),
        ("level", None, None),
        ("level", "higher", "higher"),
        ("code", 7, 7),
        ("mixed", "a", "a"),
        ("pair", ["a", 1], ["a", 1]),
        ("counts", {"a": 1}, {"a": 1}),
        ("anything", [{"a": None}], [{"a": None}]),
        ("link", "not a link", "not a link"),
        ("mail", "nobody", "nobody"),
        ("bytes", "AAE=", "AAE="),
    ],
)
def test_plain_values_stay_as_the_server_wrote_them(
    models: ModuleType, member: str, value: object, python: object
) -> None:
    zoo = models.Zoo.model_validate({member: value})
    assert getattr(zoo, member) == python
    assert zoo.model_dump(mode="json", by_alias=True, exclude_unset=True) == {member: value}


@pytest.mark.parametrize("member", ["list", "schema", "model_dump", "@odd key"])
def test_members_with_names_that_python_lacks_keep_them_on_the_wire(models: ModuleType, member: str) -> None:
    value = ["a"] if member == "list" else "a"
    zoo = models.Zoo.model_validate({member: value})
    assert zoo.model_extra == {}
    assert zoo.model_dump(by_alias=True, exclude_unset=True) == {member: value}


def test_times_and_ids_have_types_of_their_own(models: ModuleType) -> None:
    zoo = models.Zoo.model_validate(
        {"at": "2024-01-02T03:04:05Z", "id": "00000000-0000-0000-0000-000000000001"}
    )
    assert (zoo.at.year, zoo.id.int) == (2024, 1)


def test_objects_that_differ_in_one_value_are_told_apart(models: ModuleType) -> None:
    zoo = models.Zoo.model_validate({"either": {"is": "twig", "size": 3}})
    assert type(zoo.either) is models.Twig


def test_limits_and_closed_objects_of_answers_do_not_refuse_what_is_newer(models: ModuleType) -> None:
    zoo = models.Zoo.model_validate({"closed": {"x": 4, "y": 5}, "new": 1})
    assert (zoo.closed.x, zoo.closed.y, zoo.new) == (4, 5, 1)


def test_a_wrong_type_is_refused(models: ModuleType) -> None:
    with pytest.raises(pydantic.ValidationError, match="counts"):
        models.Zoo.model_validate({"counts": {"a": "many"}})


def test_all_parts_of_an_intersection_count(models: ModuleType) -> None:
    assert models.Zoo.model_validate({"child": {"kind": "c", "toy": "ball"}}).child is not None


def test_a_parent_that_lists_its_children_ends(tmp_path: Path) -> None:
    # The reference validator of OpenAPI documents would follow such a circle for ever.
    spec = (HERE / "zoo.yaml").read_text(encoding="utf-8")
    children = "Base:\n      oneOf: [{$ref: '#/components/schemas/Child'}]"
    files = rendered(shop_api(tmp_path, "zoo_client", spec.replace("Base:", children)))
    assert any("class Zoo(BaseModel)" in text for text in files.values())


def test_an_inline_object_that_joins_the_component_around_it_is_one_class(tmp_path: Path) -> None:
    component = """\
{type: object, properties: {items: {type: object, properties: {b: {type: string}}, \
anyOf: [{$ref: '#/components/schemas/Zoo'}]}}}"""
    spec = f"paths: {{}}\ncomponents:\n  schemas:\n    Zoo: {component}\n"
    files = rendered(shop_api(tmp_path, "zoo_client", spec))
    written = "".join(files.values())
    assert written.count("class Zoo") == 2
    assert "items: ZooItems | None" in written


@pytest.mark.parametrize(("other", "alias"), [("", "Any"), (", {type: string}", "str")])
def test_a_union_that_lists_itself_is_its_other_variants(tmp_path: Path, other: str, alias: str) -> None:
    union = f"{{anyOf: [{{$ref: '#/components/schemas/Zoo'}}{other}]}}"
    spec = f"paths: {{}}\ncomponents:\n  schemas:\n    Zoo: {union}\n"
    files = rendered(shop_api(tmp_path, "zoo_client", spec))
    assert any(f'"Zoo", {alias}' in text for text in files.values())


def test_what_no_operation_mentions_is_there_too(models: ModuleType) -> None:
    assert models.Unused.model_validate({"a": "b"}).a == "b"
