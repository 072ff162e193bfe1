"""How names are spelled in Python, and which ones it and the runtime keep to themselves."""

from __future__ import annotations

import keyword
import re
import unicodedata
from typing import Final

from ...ir.name import Name
from ...naming import pascal, snake

CALL_OPTIONS: Final = frozenset(
    {
        *("timeout_s", "attempt_timeout_s", "max_retries", "idempotency_key"),
        *("extra_headers", "extra_query", "extra_body", "on_answer"),
        *("event_idle_s", "resume", "on_progress", "progress", "strict"),
    }
)
"""The keys of the runtime's `CallOptions`: a method takes them as keywords of its own."""
RESERVED_ARGUMENTS: Final = CALL_OPTIONS | {"self", "options", "ops"}
FORMS: Final = frozenset({"with_raw_response", "with_streaming_response"})
"""What every generated class offers beside its operations."""
CLIENT_MEMBERS: Final = FORMS | {"call", "in_mode", "with_options", "close", "aclose"}
"""What the runtime's clients define, so that no operation or resource may."""
DECORATORS: Final = frozenset({"overload", "deprecated", "cached_property"})
"""What the bodies of generated classes run, so that no member may have these names."""
RESERVED_CLASSES: Final = frozenset(
    {
        *(
            "Annotated",
            "Any",
            "BaseModel",
            "ConfigDict",
            "Field",
            "Literal",
            "Mapping",
            "NotRequired",
            "Optional",
            "Sequence",
            "TypeAlias",
            "TypeAliasType",
            "TypedDict",
            "UUID",
            "Union",
        ),
        *("UnknownVariant", "UnlistedInt", "UnlistedStr"),
        *("False", "None", "True"),
    }
)
"""What the modules of the models and the inputs import, and what no class can be called."""

_SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_PASCAL = re.compile(r"[A-Z][A-Za-z0-9]*")


def value_name(name: Name) -> str:
    """`next_cursor`: for an argument, a method or a module; a keyword gets a trailing underscore.

    >>> value_name(Name.of("Last-Event-ID")), value_name(Name.of("class")), value_name(Name.of("sha256"))
    ('last_event_id', 'class_', 'sha256')
    """
    spelled = name.wire if _SNAKE.fullmatch(name.wire) else unicodedata.normalize("NFKC", snake(name))
    if not spelled.isidentifier():
        spelled = f"value_{spelled}"  # a leading digit; a leading underscore would make it private
    return f"{spelled}_" if keyword.iskeyword(spelled) else spelled


def class_name(name: Name) -> str:
    """`SearchPage`; a name that is in this style keeps its capitals.

    >>> class_name(Name.of("search_page")), class_name(Name.of("APIKey")), class_name(Name.of("3d model"))
    ('SearchPage', 'APIKey', 'Model3DModel')
    """
    spelled = name.wire if _PASCAL.fullmatch(name.wire) else unicodedata.normalize("NFKC", pascal(name))
    return spelled if spelled.isidentifier() else f"Model{spelled}"
