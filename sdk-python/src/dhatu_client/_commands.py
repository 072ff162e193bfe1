"""What a generated table tells of the operations beside their descriptors: their names in Python, and what a
person needs to call one by hand.

The command line and the test helper read it. Tuples, since a large API has thousands of arguments and a
command has to start at once.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

ArgumentKind: TypeAlias = Literal[
    "text", "base64", "integer", "number", "boolean", "json", "any", "file", "content"
]


class ArgumentEntry(NamedTuple):
    """One argument of a method."""

    name: str
    """Of the keyword argument."""
    kind: ArgumentKind = "text"
    """base64: bytes as text. any: JSON where it reads as JSON, else text. file: a part of the body.
    content: the whole body, raw."""
    place: Literal["path", "query", "header", "cookie", "body", "whole", "option"] = "query"
    """body: a member of the body. whole: all of it. option: chooses how to send or answer."""
    help: str = ""
    choices: tuple[str, ...] = ()
    many: bool = False
    """Whether it is a list of such values."""
    required: bool = False
    positional: bool = False
    """Whether the method takes it by position."""


class CommandEntry(NamedTuple):
    """One operation."""

    name: str
    """Of the method."""
    operation: str
    """Name of the descriptor in `generated.operations`."""
    summary: str
    description: str = ""
    arguments: tuple[ArgumentEntry, ...] = ()
    stream: str = ""
    """The argument that asks for events instead of the whole answer; empty where there is no choice."""
    series: bool = False
    """Whether it may answer with any number of items: in a stream, or page by page."""
    deprecated: str = ""


class GroupEntry(NamedTuple):
    """A resource."""

    name: str
    summary: str
    commands: tuple[CommandEntry, ...]


class ProgramEntry(NamedTuple):
    """The whole API."""

    name: str
    """Of the command: `dhatu`."""
    client: str
    """Name of the async client class; its twin's begins with Sync."""
    summary: str
    commands: tuple[CommandEntry, ...]
    """Operations that hang on the client itself."""
    groups: tuple[GroupEntry, ...]
