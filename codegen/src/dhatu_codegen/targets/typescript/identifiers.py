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
RESERVED_METHODS: Final = frozenset({"constructor", "then", "toJSON", "toString", "valueOf"})
"""Members that JavaScript itself calls, so that no operation or resource may be one: an object with `then` is
a promise, and one with `toJSON` would send a request where it is printed."""
CLIENT_MEMBERS: Final = RESERVED_METHODS | {"call", "withOptions"}
"""What the runtime's client defines besides."""

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
    """
    return name.wire if IDENTIFIER.fullmatch(name.wire) else _identifier(camel(name))


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


def _identifier(spelled: str) -> str:
    spelled = unicodedata.normalize("NFKC", spelled)
    return spelled if spelled.isidentifier() else f"value{spelled[:1].upper()}{spelled[1:]}"
