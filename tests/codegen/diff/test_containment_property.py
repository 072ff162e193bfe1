"""No value slips through: what one schema accepts and the other refuses has been reported."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
from codegen.diff.schemas import SCHEMAS, VALUES, differences, document, mutated, shuffled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

QUICK = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))


def _accepts(whole: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    registry = jsonschema_rs.Registry([("urn:a", whole)])
    return jsonschema_rs.Draft202012Validator(
        {"$ref": "urn:a#/components/schemas/Root"}, registry=registry, validate_formats=True
    )


@QUICK
@given(st.data())
def test_a_value_that_is_refused_from_now_on_has_been_reported(data: st.DataObject) -> None:
    old_root, old_node = data.draw(SCHEMAS), data.draw(SCHEMAS)
    if data.draw(st.booleans()):
        new_root, new_node = data.draw(mutated(old_root)), old_node
    else:
        new_root, new_node = old_root, data.draw(mutated(old_node))
    old, new = document(old_root, {"Node": old_node}), document(new_root, {"Node": new_node})
    before, after = _accepts(old), _accepts(new)
    values = data.draw(st.lists(VALUES, min_size=8, max_size=8))
    now_refused = [value for value in values if before.is_valid(value) and not after.is_valid(value)]
    now_allowed = [value for value in values if after.is_valid(value) and not before.is_valid(value)]
    if now_refused:
        assert differences(wide=new, narrow=old), (old, new, now_refused)
    if now_allowed:
        assert differences(wide=old, narrow=new), (old, new, now_allowed)


@QUICK
@given(SCHEMAS, SCHEMAS)
def test_a_schema_contains_itself_in_whatever_order_it_is_written(root: Any, node: Any) -> None:
    old = document(root, {"Node": node})
    assert differences(old, document(root, {"Node": node})) == ()
    reordered = document(shuffled(root), {"Node": shuffled(node)})
    if _decidable(root) and _decidable(node):
        assert differences(reordered, old) == ()
        assert differences(old, reordered) == ()


def _decidable(schema: Any) -> bool:
    """Without the keywords of which only equal ones are compared."""
    return not any(f'"{keyword}"' in json.dumps(schema) for keyword in ("not", "if", "oneOf", "contains"))
