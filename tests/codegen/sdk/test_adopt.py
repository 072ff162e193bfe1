"""A document that nobody wrote for us is made whole, and each repair is said at its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from codegen.sdk.sources import DOCUMENTS, HEAD, Site, adopted, api, codes, understood, write
from dhatu_codegen.ir.name import Name
from dhatu_codegen.sdk.adopt import SdkName

HARD = (DOCUMENTS / "hard.yaml").as_posix()


def operations(text: str, tmp_path: Path) -> str:
    whole = text.replace("responses: {}", "responses: {default: {description: D.}}")
    return write(tmp_path, api=f"{HEAD}paths:\n{whole}")


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("acme", ("acme", "acme", "AcmeAPI", "ACME")),
        ("Acme Corp", ("acme_corp", "acme-corp", "AcmeCorpAPI", "ACME_CORP")),
        ("pet-store-api", ("pet_store_api", "pet-store-api", "PetStoreAPI", "PET_STORE_API")),
        ("api", ("api", "api", "ApiAPI", "API")),
    ],
)
def test_one_name_names_everything(name: str, names: tuple[str, str, str, str]) -> None:
    found = SdkName(name=Name.of(name))
    assert (found.package, found.distribution, found.client, found.environment_prefix) == names


def test_every_operation_is_understood_under_a_name_of_its_own() -> None:
    assert [operation.key for operation in api(HARD).operations] == [
        "files.read_file",
        "files.delete_files_file_id_content",
        "files.post_files",
        "fine_tuning.get_fine_tuning_jobs",
        "put_files_undescribed_copies_all",
        "trace_files_undescribed_copies_all",
        "get_files_latest",
    ]


def test_what_is_wrong_is_a_warning_at_its_place() -> None:
    built = understood(HARD)
    assert built.diagnostics.errors == ()
    assert [found for found in codes(built.diagnostics) if found[0] != "DH020"] == [
        ("DH052", 25),
        ("DH054", 43),
        ("DH053", 51),
        ("DH053", 53),
        ("DH052", 56),
        ("DH022", 86),
    ]
    refused = {line for code, line in codes(built.diagnostics) if code == "DH020"}
    assert refused == {15, 43, 85}


def test_the_second_of_two_operations_with_one_name_gets_another_and_both_places_are_named(
    tmp_path: Path,
) -> None:
    text = "".join(
        f"  /{path}:\n    {method}: {{tags: [t], operationId: {identifier}, responses: {{}}}}\n"
        for path, method, identifier in (
            ("a", "get", "getItem"),
            ("b", "get", "get_item"),
            ("c", "get", "get-item"),
            ("c/", "get", "get/item"),
        )
    )
    built = understood(operations(text, tmp_path))
    assert built.api is not None
    assert [operation.name.wire for operation in built.api.operations] == [
        "getItem",
        "get /b",
        "get /c",
        "get /c/ 2",
    ]
    second = built.diagnostics.all[0]
    assert (second.code, second.severity, second.source.line) == ("DH052", "note", 8)
    assert [related.source.line for related in second.related] == [6]


def test_parameters_of_a_path_are_required_and_those_without_a_variable_left_out(tmp_path: Path) -> None:
    text = """\
  /a/{id}:
    parameters: [{name: id, in: path, schema: {type: integer}}, {name: lost, in: path}]
    get: {responses: {}}
"""
    location = operations(text, tmp_path)
    (operation,) = api(location).operations
    assert [(found.name.wire, found.required) for found in operation.parameters] == [("id", True)]
    assert ("DH054", 6) in codes(understood(location).diagnostics)


@pytest.mark.parametrize(
    ("servers", "addresses", "warned"),
    [
        ("servers: [{url: /v1}, {url: https://b.test}]", ["{site}/v1", "https://b.test"], False),
        ("servers: [{url: '../v2'}]", ["{site}/v2"], False),
        ("servers: []", ["{site}/"], False),
        ("x-none: 1", ["{site}/"], False),
    ],
)
def test_servers_are_relative_to_the_address_of_the_document(
    servers: str, addresses: list[str], warned: bool, site: Site
) -> None:
    text = HEAD.replace("servers: [{url: https://a.test}]", servers)
    location = site.put("/spec/openapi.yaml", text + "paths: {}\n")
    found = [server.url for server in api(location).servers]
    assert found == [address.replace("{site}", site.address) for address in addresses]
    assert [code for code, _ in codes(understood(location).diagnostics)] == ["DH056"] * warned


def test_a_file_that_does_not_say_where_its_api_is_makes_clients_that_ask(tmp_path: Path) -> None:
    text = HEAD.replace("https://a.test", "/v1") + "paths: {}\n"
    built = understood(write(tmp_path, api=text))
    assert [code for code, _ in codes(built.diagnostics)] == ["DH056"]
    assert built.api is not None
    assert built.api.header_prefix == ""
    assert built.api.versions == ()


def test_the_extension_is_read_where_it_stands_and_ignored_where_it_cannot_be_meant(tmp_path: Path) -> None:
    text = """\
  /a:
    x-dhatu: {timeout_s: 3, sdk: {resource: things}}
    get:
      x-dhatu: {timeout_s: soon, retry: {class: never}, sdk: {method: look, resource: 7}, cache: {ttl_s: 1}}
      responses: {}
"""
    built = understood(operations(text, tmp_path))
    assert built.api is not None
    (operation,) = built.api.operations
    assert (operation.key, operation.policy.timeout_s, operation.policy.retry) == ("things.look", 3, "never")
    assert codes(built.diagnostics) == [("DH057", 8), ("DH057", 8)]


@pytest.mark.parametrize("text", ["swagger: '2.0'\npaths: {}\n", "openapi: 4.0.0\n", "hello: world\n"])
def test_what_is_no_openapi_3_is_refused(text: str, tmp_path: Path) -> None:
    built = understood(write(tmp_path, api=text))
    assert (built.api, [code for code, _ in codes(built.diagnostics)]) == (None, ["DH021"])


def test_security_of_the_document_holds_for_operations_that_say_nothing() -> None:
    found = {operation.key: operation.security for operation in api(HARD).operations}
    assert [credential.scheme for credential in found["files.post_files"][0].credentials] == ["key"]
    assert found["get_files_latest"] == ()


def test_an_operation_that_is_lost_stops_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dhatu_codegen.sdk.build.count_operations", lambda _: 8)
    built = understood(HARD)
    assert [error.code for error in built.diagnostics.errors] == ["DH055"]


def test_methods_that_openapi_3_1_has_no_key_for_are_carried(tmp_path: Path) -> None:
    text = HEAD.replace("3.1.1", "3.2.0") + (
        "paths:\n  /a:\n    query: {operationId: ask, responses: {}}\n"
        "    additionalOperations: {COPY: {operationId: copy, responses: {}}}\n"
    )
    found = api(write(tmp_path, api=text))
    assert [(operation.method, operation.key) for operation in found.operations] == [
        ("QUERY", "ask"),
        ("COPY", "copy"),
    ]


def test_adopting_changes_nothing_but_what_it_repairs() -> None:
    document, _ = adopted(HARD)
    assert list(document) == [
        *("openapi", "info", "security", "tags", "webhooks", "components", "servers", "x-dhatu", "paths")
    ]
