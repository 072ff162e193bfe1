"""What a method returns, by the body that was sent and by whether events were asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from ...ir.operation import Operation
from ...ir.schema import Schema, String
from ..following import bodiless
from .arguments import TYPES
from .components import Components
from .types import type_of

_STREAMED: Final = frozenset({"sse", "jsonl"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One media type of one status that means success."""

    status: str
    media_type: str
    """Empty for an answer without a body."""
    kind: str
    schema: Schema | None
    """Of one item where the answer is a stream."""
    type: str
    """In the words of a method's signature."""

    @property
    def streamed(self) -> bool:
        return self.kind in _STREAMED


class Answers:
    """The successful answers of one operation."""

    def __init__(self, operation: Operation, components: Components) -> None:
        self.all = tuple(_read(operation, components))
        streamed = {answer.streamed for answer in self.all if answer.media_type}
        self.chosen_by_flag = streamed == {True, False}
        """Whether the caller says if events are wanted."""

    def bind(self, bound: Answer, kind: str) -> None:
        """From now on, one of them has the type of what can go on."""
        self.all = tuple(replace(one, type=kind) if one == bound else one for one in self.all)

    def types_for(self, media_type: str, *, stream: bool | None) -> tuple[str, ...]:
        """What comes back for a body of this media type; `stream` is None where only the run tells."""
        if not self.all:
            return ("undefined",)
        statuses = dict.fromkeys(answer.status for answer in self.all)
        return tuple(
            answer.type
            for status in statuses
            for answer in self._chosen([one for one in self.all if one.status == status], media_type, stream)
        )

    def _chosen(self, answers: list[Answer], media_type: str, stream: bool | None) -> list[Answer]:
        """Like for like, else the first in JSON, else any: as the runtime asks in `Accept`."""
        if self.chosen_by_flag:
            wanted = [
                one for one in answers if stream is None or one.streamed == stream or not one.media_type
            ]
            answers = wanted or answers
            if stream is None:
                plain, events = ([one for one in answers if one.streamed is kind] for kind in (False, True))
                return [*_preferred(plain, media_type), *_preferred(events, media_type)]
        return _preferred(answers, media_type)


def united(types: Iterable[str]) -> str:
    """Each of them once, as one type."""
    found = dict.fromkeys(types)
    return "unknown" if "unknown" in found else " | ".join(found)


def _preferred(answers: list[Answer], media_type: str) -> list[Answer]:
    alike = [one for one in answers if one.media_type == media_type]
    json = [one for one in answers if one.kind == "json"]
    return alike[:1] or json[:1] or answers


def _read(operation: Operation, components: Components) -> Iterator[Answer]:
    """The answers of each status that a caller waits for."""
    for response in operation.expected:
        if bodiless(operation, response):
            yield Answer(status=response.status, media_type="", kind="empty", schema=None, type="undefined")
            continue
        for payload in response.payloads:
            schema = payload.schema if payload.kind not in ("text", "binary") else None
            yield Answer(
                status=response.status,
                media_type=payload.media_type,
                kind=payload.kind,
                schema=schema,
                type=_type(payload.kind, schema, components),
            )


def _type(kind: str, schema: Schema | None, components: Components) -> str:
    value = type_of(components, schema, "answer", TYPES) if schema is not None else "unknown"
    match kind:
        case "sse" | "jsonl":
            return f"EventStream<{value}>"
        case "binary":
            return "BinaryResponse"
        case "text":
            return "string"
        case _:
            return value


def is_text(answer: Answer, components: Components) -> bool:
    """Whether the items of a stream are plain text."""
    return answer.schema is not None and isinstance(components.schemas.resolve(answer.schema), String)
