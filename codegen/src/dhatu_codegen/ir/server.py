"""Where an API, or one operation of it, is served."""

from __future__ import annotations

from dataclasses import dataclass

from .source import SourceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerVariable:
    """What stands for `{name}` in the URL of a server."""

    name: str
    default: str
    values: tuple[str, ...]
    """All that it may be; empty where anything may stand there."""
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A base URL."""

    url: str
    """As written: variables in braces, perhaps relative to the document's own address."""
    description: str
    variables: tuple[ServerVariable, ...]
    source: SourceRef

    @property
    def address(self) -> str:
        """The URL with the default of each variable."""
        address = self.url
        for variable in self.variables:
            address = address.replace("{" + variable.name + "}", variable.default)
        return address
