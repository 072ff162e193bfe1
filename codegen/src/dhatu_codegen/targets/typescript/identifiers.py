"""How names are spelled in TypeScript, and which ones it and the runtime keep to themselves."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from ...ir.name import Name
from ...naming import camel, pascal
from .source import IDENTIFIER, quoted

_WORDS: Final = """
arguments await break case catch class const continue debugger default delete do else enum eval export extends
false finally for function if implements import in instanceof interface let new null package private protected
public return static super switch this throw true try typeof undefined var void while with yield
"""
_LANGUAGE: Final = """
AbortController AbortSignal Array ArrayBuffer ArrayLike AsyncIterable AsyncIterator BigInt Blob Boolean Date
Exclude Extract File FormData Function Iterable Iterator JSON Map Math Number Object Omit Partial Pick Promise
Proxy ReadableStream Readonly ReadonlyArray Record Reflect Required Set String Symbol Uint8Array URL
URLSearchParams WeakMap
"""
_RUNTIME: Final = """
APIClient APIPromise BinaryResponse CallOptions ClientOptions Content EventStream Operation Page PagePromise
RawResponse Shape WithResponse
"""
RESERVED_WORDS: Final = frozenset(_WORDS.split())
"""What no variable, parameter or function of a module may be called; a member of an object may."""
RESERVED_TYPES: Final = frozenset((_LANGUAGE + _RUNTIME).split())
"""What generated code names beside the types of components: none of these is called so, but `RecordModel`."""
OBJECT_MEMBERS: Final = frozenset(
    {
        *("constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable"),
        *("toLocaleString", "toString", "valueOf"),
    }
)
"""What every object has, with a type of its own: no argument is called so, or none could be left out."""
RESERVED_METHODS: Final = OBJECT_MEMBERS | {"then", "toJSON"}
"""Members that JavaScript itself calls, so that no operation or resource may be one: an object with `then` is
a promise, and one with `toJSON` would send a request where it is printed."""
CLIENT_MEMBERS: Final = RESERVED_METHODS | {"call", "withOptions"}
"""What the runtime's client defines besides."""
RESERVED_MODULES: Final = frozenset({"index", "client", "aux", "con", "nul", "prn"})
"""Modules that are there already, and names that Windows takes for devices, with any suffix."""

_MAX_MODULE: Final = 60
_CAMEL = re.compile(r"[a-z][A-Za-z0-9]*")


def type_name(name: Name) -> str:
    """`SearchPage`: for a type, an interface or a class; a name that is in this style keeps its capitals.

    >>> type_name(Name.of("search_page")), type_name(Name.of("APIKey")), type_name(Name.of("3d model"))
    ('SearchPage', 'APIKey', 'Model3DModel')
    """
    spelled = unicodedata.normalize("NFKC", name.wire)
    if not (spelled.isidentifier() and spelled[:1].isupper() and "_" not in spelled):
        spelled = unicodedata.normalize("NFKC", pascal(name))
    return spelled if spelled.isidentifier() else f"Model{spelled}"


def member_name(wire: str) -> str:
    """A member of an object, as it is on the wire; quoted where that is no identifier.

    >>> member_name("next_cursor"), member_name("class"), member_name("@id"), member_name("3d")
    ('next_cursor', 'class', "'@id'", "'3d'")
    """
    return wire if IDENTIFIER.fullmatch(wire) else quoted(wire)


def argument_name(name: Name) -> str:
    """A parameter or a member of the body as the key of an argument: as on the wire, if an identifier.

    >>> argument_name(Name.of("page_size")), argument_name(Name.of("Accept-Language"))
    ('page_size', 'acceptLanguage')
    >>> argument_name(Name.of("toString")), argument_name(Name.of("__proto__"))
    ('toString_', 'proto')
    """
    own = IDENTIFIER.fullmatch(name.wire) and name.wire != "__proto__"  # which would set the prototype
    spelled = name.wire if own else _identifier(camel(name))
    return f"{spelled}_" if spelled in OBJECT_MEMBERS else spelled


def variable_name(spelled: str) -> str:
    """The name of a parameter or a function of a module for what is called so elsewhere.

    >>> variable_name("page_size"), variable_name("class"), variable_name("delete")
    ('page_size', 'class_', 'delete_')
    """
    return f"{spelled}_" if spelled in RESERVED_WORDS else spelled


def method_name(name: Name) -> str:
    """`listKeys`: a method or a resource, which may be a reserved word: `client.keys.delete`.

    >>> method_name(Name.of("list_keys")), method_name(Name.of("delete")), method_name(Name.of("then"))
    ('listKeys', 'delete', 'then_')
    """
    spelled = _identifier(name.wire if _CAMEL.fullmatch(name.wire) else camel(name))
    return f"{spelled}_" if spelled in RESERVED_METHODS else spelled


def constant_name(*names: Name) -> str:
    """`CORPUS_SEARCH`, which no function or variable is called.

    >>> constant_name(Name.of("corpus"), Name.of("search")), constant_name(Name.of("3d"))
    ('CORPUS_SEARCH', 'OPERATION_3_D')
    """
    spelled = unicodedata.normalize("NFKC", "_".join(word for name in names for word in name.words).upper())
    told = spelled.isidentifier() and spelled != spelled.lower()
    return spelled if told else f"OPERATION_{spelled}".rstrip("_")


def module_name(name: Name) -> str:
    """`api-keys`; cut where a file system might not take it.

    >>> module_name(Name.of("APIKeys")), module_name(Name.of("..."))
    ('api-keys', 'value')
    """
    return "-".join(name.words)[:_MAX_MODULE].rstrip("-") or "value"


def _identifier(spelled: str) -> str:
    spelled = unicodedata.normalize("NFKC", spelled)
    return spelled if spelled.isidentifier() else f"value{spelled[:1].upper()}{spelled[1:]}"
