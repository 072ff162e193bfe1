"""What a method returns, by the body that was sent and by whether events were asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ...ir.operation import Operation, Payload
from ...ir.schema import Schema
from ..following import bodiless
from .annotations import Annotations, Twin, twin_union

_STREAMED: Final = frozenset({"sse", "jsonl"})
_NOTHING: Final = Twin.of("None")
_BINARY: Final = Twin(asynchronous="BinaryResponse", synchronous="SyncBinaryResponse")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One media type of one status that means success."""

    status: str
    media_type: str
    """Empty for an answer without a body."""
    kind: str
    type: str
    """In the words of the module of the models; of one item where the answer is a stream."""

    @property
    def streamed(self) -> bool:
        return self.kind in _STREAMED

    @property
    def annotation(self) -> Twin:
        """In the words of a method's signature."""
        match self.kind:
            case "sse" | "jsonl":
                item = annotated(self.type) or "Any"
                return Twin(asynchronous=f"EventStream[{item}]", synchronous=f"SyncEventStream[{item}]")
            case "json" | "form" | "multipart":
                return Twin.of(annotated(self.type) or "Any")
            case "binary":
                return _BINARY
            case "text":
                return Twin.of("str")
            case _:
                return _NOTHING


class Answers:
    """The successful answers of one operation."""

    def __init__(self, operation: Operation, annotations: Annotations, hint: str) -> None:
        self.all = tuple(_read(operation, annotations, hint))
        streamed = {answer.streamed for answer in self.all if answer.media_type}
        self.chosen_by_flag = streamed == {True, False}
        """Whether the caller says if events are wanted."""

    def annotation(self, media_type: str, *, stream: bool | None) -> Twin:
        """What comes back for a body of this media type; `stream` is None where only the run tells."""
        if not self.all:
            return _NOTHING
        statuses = dict.fromkeys(answer.status for answer in self.all)
        return twin_union(
            *(
                answer.annotation
                for status in statuses
                for answer in self._chosen(
                    [one for one in self.all if one.status == status], media_type, stream
                )
            )
        )

    @property
    def anything(self) -> Twin:
        """The union of all that may come back."""
        return twin_union(*(answer.annotation for answer in self.all)) if self.all else _NOTHING

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


def _preferred(answers: list[Answer], media_type: str) -> list[Answer]:
    alike = [one for one in answers if one.media_type == media_type]
    json = [one for one in answers if one.kind == "json"]
    return alike[:1] or json[:1] or answers


def annotated(type_: str) -> str:
    """A type in the words of the module of the models, in those of a module that imports it.

    >>> annotated("list[SearchPage]"), annotated("str"), annotated("")
    ('list[models.SearchPage]', 'str', '')
    """
    if type_.startswith("list["):
        return f"list[{annotated(type_[5:-1])}]"
    return f"models.{type_}" if type_[:1].isupper() and type_ != "None" else type_


def _read(operation: Operation, annotations: Annotations, hint: str) -> Iterator[Answer]:
    """The answers of each status that a caller waits for."""
    for response in operation.expected:
        if bodiless(operation, response):
            yield Answer(status=response.status, media_type="", kind="empty", type="")
            continue
        for payload in response.payloads:
            yield Answer(
                status=response.status,
                media_type=payload.media_type,
                kind=payload.kind,
                type=annotations.answer(_schema(payload), f"{hint} response"),
            )


def _schema(payload: Payload) -> Schema | None:
    return payload.schema if payload.kind not in ("text", "binary") else None
