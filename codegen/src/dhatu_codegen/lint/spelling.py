"""How paths, properties and components are called."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from .survey import Finding, Findings, Survey, members

_KEBAB: Final = re.compile(r"\.?[a-z0-9]+([.-][a-z0-9]+)*")
_PASCAL: Final = re.compile(r"[A-Z][A-Za-z0-9]*")
_CASES: Final = {
    "snake_case": re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+"),
    "camelCase": re.compile(r"[a-z][a-z0-9]*([A-Z][a-z0-9]*)+"),
    "PascalCase": re.compile(r"[A-Z][a-z0-9]+([A-Z][a-z0-9]*)*"),
    "kebab-case": re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+"),
}
_VERBS: Final = frozenset({"get", "put", "post", "patch", "delete", "head", "options", "trace"})


def path_case(survey: Survey) -> Findings:
    for path, item in members(survey.root, "paths"):
        literal = [part for part in path.split("/") if part and "{" not in part]
        odd = [part for part in literal if not _KEBAB.fullmatch(part)]
        if odd:
            yield Finding(message=f"{odd[0]!r} in the path {path} is not in kebab-case", source=item.source)


def verb_in_path(survey: Survey) -> Findings:
    for path, item in members(survey.root, "paths"):
        for word in re.split(r"[/._-]", path):
            if word.lower() in _VERBS:
                message = f"the path {path} holds the method {word!r}"
                yield Finding(message=message, source=item.source, hint="the method says this already")
                break


def property_case(survey: Survey) -> Findings:
    """A name of one word in lower case fits every style and is not counted."""
    found = [
        (case, name, node)
        for schema in survey.of_kind("schemas")
        for name, node in members(schema, "properties")
        for case, form in _CASES.items()
        if form.fullmatch(name)
    ]
    counts = Counter(case for case, _, _ in found)
    usual = max(counts, key=lambda case: counts[case], default="")
    for case, name, node in found:
        if case != usual:
            message = f"the property {name!r} is in {case}, the others are in {usual}"
            yield Finding(message=message, source=node.source)


def schema_name(survey: Survey) -> Findings:
    components = survey.root.get("components")
    for name, node in members(components, "schemas") if components else ():
        if not _PASCAL.fullmatch(name):
            yield Finding(message=f"the schema name {name!r} is not in PascalCase", source=node.source)
