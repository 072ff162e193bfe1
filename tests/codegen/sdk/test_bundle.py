"""Many files become one document in which every reference leads to a component."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from codegen.sdk.sources import DOCUMENTS, HEAD, Site, bundled, codes, write
from dhatu_codegen.document import Map, Node
from dhatu_codegen.walk import structure

MANY = (DOCUMENTS / "many" / "openapi.yaml").as_posix()


def references(document: Map) -> set[str]:
    return {holder.text("$ref") for holder in structure(Node.of(document)) if holder.text("$ref")}


def at(document: Map, pointer: str) -> Node:
    found = Node.of(document).at(pointer)
    assert found is not None, pointer
    return found


def test_what_lies_in_other_files_becomes_components_under_telling_names() -> None:
    document, diagnostics = bundled(MANY)
    assert codes(diagnostics) == []
    assert references(document) == {
        "#/components/schemas/Animal",
        "#/components/schemas/Keeper",
        "#/components/schemas/Home",
        "#/components/parameters/limit",
        "#/components/responses/added",
    }
    assert [name for name, _ in at(document, "/components/schemas").members()] == ["Animal", "Keeper", "Home"]
    assert all(at(document, reference[1:]) for reference in references(document))


def test_every_value_knows_the_file_and_line_that_it_was_written_in() -> None:
    document, _ = bundled(MANY)
    places = {
        pointer: str(at(document, pointer).place).removeprefix(DOCUMENTS.as_posix() + "/")
        for pointer in (
            "/components/schemas/Animal/properties/name",
            "/components/schemas/Keeper/properties/animals",
            "/paths/~1keepers~1{name}/get/parameters/0",
            "/components/parameters/limit",
        )
    }
    assert places == {
        "/components/schemas/Animal/properties/name": "many/schemas/animal.yaml:4:9",
        "/components/schemas/Keeper/properties/animals": "many/schemas/people.json:8:20",
        "/paths/~1keepers~1{name}/get/parameters/0": "many/paths/keepers.yaml:6:9",
        "/components/parameters/limit": "many/paths/common.yaml:1:8",
    }


def test_a_reference_into_paths_becomes_a_component_and_a_cycle_of_names(tmp_path: Path) -> None:
    paths = """\
    paths:
      /nodes:
        get:
          responses:
            "200":
              description: A node.
              content:
                application/json:
                  schema:
                    type: object
                    properties:
                      next: {$ref: "#/paths/~1nodes/get/responses/200/content/application~1json/schema"}
    """
    document, diagnostics = bundled(write(tmp_path, api=HEAD + dedent(paths)))
    assert codes(diagnostics) == []
    assert references(document) == {"#/components/schemas/NodesGet200"}
    again = at(document, "/components/schemas/NodesGet200/properties/next")
    assert again.text("$ref") == "#/components/schemas/NodesGet200"


def test_names_that_two_files_share_are_numbered_in_the_order_of_the_document(tmp_path: Path) -> None:
    head = HEAD + "components:\n  schemas:\n    User: {type: string}\n    A: {items: {$ref: a.yaml#/User}}\n"
    location = write(
        tmp_path,
        api=head + "    B: {items: {$ref: b.yaml#/User}}\n",
        a="User: {type: integer}\n",
        b="User: {type: boolean}\n",
    )
    document, _ = bundled(location)
    kinds = {
        name: at(document, f"/components/schemas/{name}").text("type") for name in ("User", "User2", "User3")
    }
    assert kinds == {"User": "string", "User2": "integer", "User3": "boolean"}


def test_a_discriminator_follows_its_variants_and_keeps_their_names_on_the_wire(tmp_path: Path) -> None:
    location = write(
        tmp_path,
        api=HEAD + "components:\n  schemas:\n    Dog: {type: string}\n    Pet: {$ref: pets.yaml#/Pet}\n",
        pets="""\
        Pet:
          oneOf: [{$ref: "#/Cat"}, {$ref: "#/Dog"}]
          discriminator: {propertyName: kind, mapping: {feline: "#/Cat"}}
        Cat: {type: object}
        Dog: {type: object}
        """,
    )
    document, _ = bundled(location)
    pet = at(document, "/components/schemas/Pet")
    assert [variant.text("$ref") for variant in at(document, "/components/schemas/Pet/oneOf").elements()] == [
        "#/components/schemas/Cat",
        "#/components/schemas/Dog2",
    ]
    mapping = pet.at("/discriminator/mapping")
    assert mapping is not None
    assert mapping.value == {"feline": "#/components/schemas/Cat", "Dog": "#/components/schemas/Dog2"}


@pytest.mark.parametrize(
    ("schema", "found", "hint"),
    [
        ('{$ref: "#/components/schemas/Pat"}', ("DH022", 6), "did you mean 'Pet'?"),
        ("{$ref: gone.yaml}", ("DH001", 6), ""),
        ("{$ref: ../outside.yaml}", ("DH050", 6), "--root"),
        ("{$ref: file:///etc/hostname}", ("DH050", 6), "--root"),
        ("{$ref: https://a.test/pet.yaml}", ("DH050", 6), "--root"),
        ('{$ref: "#pet"}', ("DH022", 6), ""),
        ('{$ref: "#"}', ("DH022", 6), ""),
        ('{$ref: "#/components/schemas"}', ("DH022", 6), ""),
        ('{$ref: "#/info/version"}', ("DH022", 6), ""),
        ("{$ref: loop.yaml}", ("DH022", 1), ""),
    ],
)
def test_a_reference_that_leads_nowhere_is_named_where_it_was_written(
    schema: str, found: tuple[str, int], hint: str, tmp_path: Path
) -> None:
    text = f"{HEAD}components:\n  schemas:\n    Item: {{items: {schema}}}\n    Pet: {{type: string}}\n"
    (tmp_path / "outside.yaml").write_text("type: string\n", encoding="utf-8")
    location = write(tmp_path, spec__api=text, spec__loop="$ref: loop.yaml\n")
    document, diagnostics = bundled(location)
    assert codes(diagnostics) == [found]
    assert hint in diagnostics.all[0].hint
    assert references(document) == set()


def test_a_trusted_folder_widens_the_bounds(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text("type: string\n", encoding="utf-8")
    text = f"{HEAD}components: {{schemas: {{Item: {{items: {{$ref: ../outside.yaml}}}}}}}}\n"
    document, diagnostics = bundled(write(tmp_path, spec__api=text), tmp_path.as_posix())
    assert codes(diagnostics) == []
    assert references(document) == {"#/components/schemas/Outside"}


def test_operations_that_a_missing_path_item_would_lose_stop_the_build(tmp_path: Path) -> None:
    location = write(tmp_path, api=f"{HEAD}paths:\n  /a: {{$ref: b.yaml#/gone}}\n", b="here: {}\n")
    _, diagnostics = bundled(location)
    assert [(item.code, item.severity) for item in diagnostics.all if item.code == "DH051"] == [
        ("DH051", "error")
    ]


def test_documents_behind_an_address_refer_to_one_another(site: Site) -> None:
    for path in (DOCUMENTS / "many").rglob("*.*"):
        site.put(f"/zoo/{path.relative_to(DOCUMENTS / 'many').as_posix()}", path.read_text(encoding="utf-8"))
    fetched, diagnostics = bundled(f"{site.address}/zoo/openapi.yaml")
    assert codes(diagnostics) == []
    read, _ = bundled(MANY)
    assert fetched == read
    assert at(fetched, "/components/schemas/Keeper").place.file == f"{site.address}/zoo/schemas/people.json"
