"""A table in a file says what the generated one says, and is refused where it is not one."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from dhatu_codegen.pipeline import build
from dhatu_codegen.targets.gateway.table import table_lines
from dhatu_gateway.table import (
    SchemasOf,
    Table,
    TableError,
    TableReading,
    generated_table,
    read_platform,
    read_table,
)

ROOT = Path(__file__).parents[3]


@cache
def lines() -> tuple[str, ...]:
    api = build(ROOT, targets=()).api
    assert api is not None
    return tuple(table_lines(api))


def written(directory: Path, *given: str) -> Path:
    path = directory / "table.jsonl"
    path.write_text("\n".join(given) + "\n", encoding="utf-8")
    return path


def pointers(table: Table) -> list[tuple[str, str]]:
    """Every schema that a route points to."""
    found: list[tuple[str, str]] = []
    for route in table.routes:
        media_types = [*(route.body.media_types if route.body else ())]
        media_types += [media for answer in route.answers for media in answer.media_types]
        found += [(route.operation, parameter.schema) for parameter in route.parameters]
        found += [(route.operation, media.schema) for media in media_types]
    return [(operation, pointer) for operation, pointer in found if pointer]


def test_a_file_says_what_the_generated_table_says(tmp_path: Path) -> None:
    path = written(tmp_path, *lines())
    table = read_table(path)
    assert table.platform == read_platform(path) == generated_table().platform
    assert table.routes == generated_table().routes
    assert table.digest != "built-in"


def test_a_route_has_all_schemas_that_it_points_to(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, *lines()))
    routes = {route.operation: route for route in table.routes}
    schemas_of = SchemasOf(table)
    for operation, pointer in pointers(table):
        schemas = schemas_of(routes[operation])
        schemas.validator(pointer)
        schemas.answers.validator(pointer)
    assert len(pointers(table)) > 50


def test_what_has_not_changed_is_taken_over(tmp_path: Path) -> None:
    before = read_table(written(tmp_path, *lines()))
    changed = lines()[1].replace('"max_body_bytes":', '"max_body_bytes":1')
    reading = TableReading(written(tmp_path, lines()[0], changed, *lines()[2:]), None, before)
    for _ in reading.steps():
        pass
    after = reading.table()
    same = [after.parts[name] is part for name, part in before.parts.items()]
    assert same.count(False) == 1
    assert after.digest != before.digest


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda text: text.replace('"timeout_s":', '"timeout":'), r"table.jsonl:2: route.timeout"),
        (lambda text: text.replace('"timeout_s":', '"timeout_s":"9",'), r"table.jsonl:2: "),
        (lambda text: text[:-1], r"table.jsonl:2: Invalid JSON"),
        (lambda text: text + "\n" + text, r"table.jsonl:3: .* is there twice"),
    ],
)
def test_a_bad_line_is_named(spoil, problem: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]  # lambdas of strings
    with pytest.raises(TableError, match=problem):
        read_table(written(tmp_path, lines()[0], spoil(lines()[1])))


def test_many_bad_lines_are_counted(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="and 5 more"):
        read_table(written(tmp_path, lines()[0], *(25 * ["{}"])))


@pytest.mark.parametrize(
    ("first", "problem"),
    [
        ("{}", r"table.jsonl:1: .*dhatu-codegen table"),
        (lines()[0].replace('"format":1', '"format":2'), "has the format 2, this gateway reads 1"),
    ],
)
def test_a_file_of_another_kind_is_refused(first: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(TableError, match=problem):
        read_table(written(tmp_path, first, lines()[1]))


def test_a_file_that_is_not_there_or_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"cannot read .*: No such file"):
        read_table(tmp_path / "nowhere")
    with pytest.raises(TableError, match="has no routes"):
        read_table(written(tmp_path, lines()[0]))
