"""The module `inputs`: a typed dict for every object that a request may hold.

A dict that is written at a call is checked and completed by means of them, its members by their wire names.
Nothing imports the module while a program runs, unless the program does.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping, Set
from typing import Final

from ...ir.schema import Json
from ..base import HEADER
from .annotations import FORMATS, MAPPING, alternatives, broken, literal, quoted, sequence_of, union_of
from .model_document import Mentioned
from .schema_writer import UNLISTED, Sent

_DOCSTRING: Final = "What requests take as dicts: for each class of `models` that they hold, its members."
_WIDTH: Final = 110
_KINDS: Final = {
    "null": "None",
    "boolean": "bool",
    "integer": "int",
    "number": "float",
    "string": "str",
}
_ORIGINS: Final = {
    "collections.abc": ("Mapping", "Sequence"),
    "datetime": ("date", "datetime"),
    "typing": ("Literal", "TypeAlias", "Union"),
    "uuid": ("UUID",),
    # pydantic takes those of `typing` on Python 3.12 and newer only.
    "typing_extensions": ("NotRequired", "TypeAliasType", "TypedDict"),
    ".": ("models",),
}
_UNLISTED: Final = frozenset(name for _, name in UNLISTED.values())
_MEMBER: Final = re.compile(r"(?!__)[A-Za-z_]\w*", re.ASCII)
"""What stays as it is in a class: other letters are normalised there, and leading underscores mangled."""
_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_WORD: Final = re.compile(r"[^\W\d]\w*")


def render_inputs(mentioned: Mentioned) -> str:
    """The text of `inputs.py`."""
    writer = _InputWriter(mentioned)
    for name in mentioned.arguments:
        writer.ask(name)
    body = "\n\n".join(text for _, text in sorted(writer.write().items()))
    head = f'# {HEADER}\n"""{_DOCSTRING}"""\n\nfrom __future__ import annotations\n'
    return f"{head}\n{_imports(writer.used)}\n\n\n{body}\n" if body else head


class _InputWriter:
    """Writes typed dicts, and the aliases of what else has a name; they refer to one another in any order."""

    def __init__(self, mentioned: Mentioned) -> None:
        self._schemas = mentioned.schemas
        self._sent = mentioned.sent
        self._asked: set[str] = set()
        self._waiting: list[str] = []
        self.used: set[str] = set()
        """The names that types are written with."""

    def ask(self, name: str) -> None:
        """Have it written, and all that it mentions."""
        if name not in self._asked:
            self._asked.add(name)
            self._waiting.append(name)

    def write(self) -> dict[str, str]:
        """Name to definition."""
        written: dict[str, str] = {}
        while self._waiting:
            name = self._waiting.pop()
            sent = self._sent.get(name)
            written[name] = self._alias(name) if sent is None else self._typed_dict(name, sent)
        return written

    def _typed_dict(self, name: str, sent: Sent) -> str:
        properties = self._schemas[name]["properties"]
        assert isinstance(properties, dict), name
        optional = not any(sent.members.values())
        members: dict[str, str] = {}
        for wire, required in sent.members.items():
            kind = self._kind(properties[wire])
            members[wire] = kind if required or optional else f"NotRequired[{kind}]"
            self.used |= _words(members[wire]) | {"TypedDict"}
        if _fit_a_class(members):
            lines = [f"{wire}: {_filled(kind, len(wire))}" for wire, kind in members.items()] or ["pass"]
            base = "TypedDict, total=False" if optional else "TypedDict"
            return f"class {name}({base}):\n" + "".join(f"    {line}\n" for line in lines)
        pairs = "".join(f"        {quoted(wire)}: {quoted(kind)},\n" for wire, kind in members.items())
        total = "    total=False,\n" if optional else ""
        return f'{name} = TypedDict(\n    "{name}",\n    {{\n{pairs}    }},\n{total})\n'

    def _alias(self, name: str) -> str:
        schema = self._schemas[name]
        variants = schema.get("oneOf")
        if isinstance(variants, list):
            kind = union_of(*(one for variant in variants for one in self._dicts(variant)))
        else:
            kind = self._kind(schema)
        self.used |= _words(kind)
        several = alternatives(kind)
        if len(several) == 1:
            self.used.add("TypeAliasType")
            return f'{name} = TypeAliasType("{name}", {_later(kind)})\n'
        # Not a TypeAliasType: of one that holds itself, pyright knows only a part in another module.
        self.used |= {"TypeAlias", "Union"}
        lines = "".join(f"    {_later(one)},\n" for one in several)
        return f"{name}: TypeAlias = Union[\n{lines}]\n"

    def _dicts(self, variant: Json) -> tuple[str, ...]:
        """A variant of a union that is told apart by a member, without its model: the union has one."""
        name = _referred(variant)
        return tuple(kind for kind in alternatives(self._named(name)) if kind != f"models.{name}")

    def _kind(self, schema: Json) -> str:
        match schema:
            case {"$ref": str()}:
                return self._named(_referred(schema))
            case {"anyOf": list() as variants}:
                return union_of(*(self._kind(one) for one in variants if _referred(one) not in _UNLISTED))
            case {"enum": list() as values}:
                return literal((*values,))
            case {"type": "array", "items": items}:
                return sequence_of(self._kind(items), text=self._is_text(items))
            case {"type": "object", "additionalProperties": dict() as value}:
                return f"Mapping[str, {self._kind(value)}]"
            case {"type": "object"}:
                return MAPPING
            case {"type": "string", "format": str(written)} if written in FORMATS:
                return union_of(FORMATS[written], "str")
            case {"type": str(kind)}:
                return _KINDS[kind]
            case _:
                return "object"

    def _named(self, name: str) -> str:
        """A class or an alias where it is mentioned."""
        schema, sent = self._schemas[name], self._sent.get(name)
        if sent is not None or "oneOf" in schema:
            self.ask(name)
            model = f"models.{name} | {name}"
            return f"{model} | {MAPPING}" if sent is not None and sent.open else model
        if schema.keys() <= {"type", "format", "description"}:
            return self._kind(schema)
        self.ask(name)
        return name

    def _is_text(self, schema: Json) -> bool:
        """Whether any text is meant, among others."""
        seen: set[str] = set()
        waiting = [schema]
        while waiting:
            match waiting.pop():
                case {"$ref": str(name)} if name not in seen:
                    seen.add(name)
                    waiting.append(self._schemas[name.rpartition("/")[2]])
                case {"anyOf": list() as variants}:
                    waiting += [one for one in variants if _referred(one) not in _UNLISTED]
                case {"type": "string", **others} if "enum" not in others:
                    return True
                case _:
                    pass
        return False


def _referred(schema: Json) -> str:
    """The class that a schema is only a reference to; empty for another."""
    match schema:
        case {"$ref": str(reference)}:
            return reference.rpartition("/")[2]
        case _:
            return ""


def _fit_a_class(members: Mapping[str, str]) -> bool:
    """Whether members can be written as those of a class, and hide nothing that their types name."""
    used = set[str]().union(*map(_words, members.values()))
    return all(
        _MEMBER.fullmatch(wire) and not keyword.iskeyword(wire) and wire not in used for wire in members
    )


def _words(kind: str) -> set[str]:
    """The names in a type, its texts left out."""
    return {*_WORD.findall(_TEXT.sub("", kind))}


def _later(kind: str) -> str:
    """A type that is read when all are defined, wherever it names one of them."""
    return kind if kind.startswith("Literal[") else quoted(kind)


def _filled(kind: str, used: int) -> str:
    return kind if used + len(kind) + 6 <= _WIDTH else broken(kind, 4)


def _imports(used: Set[str]) -> str:
    """The import lines; they are run, so that `typing.get_type_hints` finds what is meant."""
    blocks: list[list[str]] = [[], [], []]
    for module, names in _ORIGINS.items():
        listed = ", ".join(name for name in names if name in used)
        if listed:
            place = 2 if module == "." else int(module == "typing_extensions")
            blocks[place].append(f"from {module} import {listed}")
    return "\n\n".join("\n".join(block) for block in blocks if block)
