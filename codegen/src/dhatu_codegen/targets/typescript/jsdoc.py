"""Comments of methods, as an editor shows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...ir.operation import Operation
from ..told import needs, own_errors
from .comments import filled, paragraphs
from .source import WIDTH
from .view import Signature

_WIDTH: Final = WIDTH - 5
_NOTES: Final = {
    "page": "Go through what it returns by `for await` for the items of all pages.",
    "job": "`wait()` of what it resolves to follows the job to its end.",
}


def jsdoc(
    operation: Operation, signature: Signature, called: str, goes_on: str, deprecated: str
) -> tuple[str, ...]:
    """What it does, where, with what, and an example; `called` is `client.corpus.search`."""
    lines = [*_lines(operation, goes_on)]
    tags = [*_tags(operation, signature, called, goes_on, deprecated)]
    return (*lines, "", *tags) if tags else tuple(lines)


def _lines(operation: Operation, goes_on: str) -> Iterator[str]:
    summary = " ".join(operation.summary.split()) or f"{operation.method} {operation.path}"
    yield from paragraphs(summary if summary.endswith((".", "!", "?")) else f"{summary}.", _WIDTH)
    yield ""
    if operation.description.strip():
        yield from paragraphs(operation.description, _WIDTH)
        yield ""
    if goes_on:
        yield from (_NOTES[goes_on], "")
    yield from filled(f"`{operation.method} {operation.path}`{needs(operation)}.", _WIDTH)


def _tags(
    operation: Operation, signature: Signature, called: str, goes_on: str, deprecated: str
) -> Iterator[str]:
    for slot, variable in zip(signature.positional, signature.variables, strict=True):
        told = " ".join(line for line in slot.doc if line and not line.startswith("@"))
        yield from filled(f"@param {variable}{f' - {told}' if told else ''}", _WIDTH)
    told = " ".join(
        " ".join(response.description.split())
        for response in operation.responses
        if response.status.startswith("2") and response.payloads
    )
    if told:
        yield from filled(f"@returns {told}", _WIDTH)
    for error in own_errors(operation):
        yield f"@throws {error}"
    if deprecated:
        yield f"@deprecated {deprecated}"
    yield "@example"
    yield from _example(signature, called, goes_on)


def _example(signature: Signature, called: str, goes_on: str) -> Iterator[str]:
    last = max((at for at, slot in enumerate(signature.positional, 1) if slot.required), default=0)
    slots = signature.positional if signature.params_required else signature.positional[:last]
    given = [(slot.example or slot.name) if slot.required else "undefined" for slot in slots]
    if signature.params_required:
        given.append("{ ... }")
    call = f"{called}({', '.join(given)})"
    match goes_on:
        case "page":
            yield f"for await (const item of {call}) console.log(item);"
        case "job":
            yield f"const job = await {call};"
            yield "const done = await job.wait();"
        case _:
            streamed = "EventStream<" in signature.returns
            result = "" if signature.returns == "APIPromise<undefined>" else "const result = "
            if streamed:
                yield f"for await (const event of await {call}) console.log(event);"
            else:
                yield f"{result}await {call};"
