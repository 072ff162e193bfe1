"""How deeply a YAML text is nested, asked before it is composed.

PyYAML's C composer calls itself for every level and overruns the stack, which ends the process: seen at
50,000 brackets. Its parser gives events without recursion, in a quarter of a second for 3 MB.
"""

from __future__ import annotations

from typing import Final

import yaml

MAX_DEPTH: Final = 200
"""Every level takes three Python frames, of some thousand. Documents that people write have 30 levels."""


def too_deep_at(text: str) -> tuple[int, int] | None:
    """Line and column, from 1, where a text is nested more deeply than MAX_DEPTH; None where it nowhere is.

    Raises yaml.YAMLError for a text that is no YAML before that.
    """
    depth = 0
    # types-pyyaml leaves this function untyped.
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):  # pyright: ignore[reportUnknownMemberType]
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                mark = event.start_mark
                return (mark.line + 1, mark.column + 1) if mark else (1, 1)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return None
