"""What the comments of both SDKs tell of resources and operations, whatever the language."""

from __future__ import annotations

from typing import Final

from ..document import Node
from ..ir.api import Api
from ..ir.name import Name
from ..ir.operation import Operation

ERRORS: Final = {
    "400": "BadRequestError",
    "401": "AuthenticationError",
    "403": "PermissionDeniedError",
    "404": "NotFoundError",
    "409": "ConflictError",
    "413": "ContentTooLargeError",
    "415": "UnsupportedMediaTypeError",
    "422": "UnprocessableEntityError",
    "429": "RateLimitedError",
}
"""The runtime's classes by status; any other status is an APIStatusError or, from 500 on, a ServerError."""
_USUAL: Final = frozenset({"400", "401", "403", "429"})
"""Statuses that any operation may have, which no comment repeats."""


def own_errors(operation: Operation) -> list[str]:
    """The refusals of its own: every operation may be refused for a bad request, credential or rate."""
    statuses = [response.status for response in operation.responses]
    return [ERRORS[status] for status in statuses if status in ERRORS and status not in _USUAL]


def needs(operation: Operation) -> str:
    """Which scopes a credential needs, where all alternatives agree."""
    if not operation.security:
        return "; anybody may call it"
    scopes = {
        tuple(scope for credential in requirement.credentials for scope in credential.scopes)
        for requirement in operation.security
    }
    agreed = scopes.pop() if len(scopes) == 1 else ()
    if not agreed:
        return ""
    return f"; needs the {'scope' if len(agreed) == 1 else 'scopes'} {', '.join(agreed)}"


def deprecation(operation: Operation) -> str:
    """What an editor strikes the method through with, and the runtime warns of; empty for a current one."""
    if not operation.deprecated:
        return ""
    instead = f"; use {operation.successor}" if operation.successor else ""
    until = f"; it goes away on {operation.sunset}" if operation.sunset else ""
    return f"{operation.key} is deprecated{instead}{until}."


def about_resources(api: Api) -> dict[tuple[str, ...], str]:
    """What the document says of its tags, by the words of their names, each on one line."""
    tags = Node.of(api.document).get("tags")
    described = {
        Name.of(tag.text("name")).words: " ".join(tag.text("description").split())
        for tag in (tags.elements() if tags else ())
    }
    return {words: text for words, text in described.items() if text}
