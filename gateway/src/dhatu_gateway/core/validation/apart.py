"""Large JSON bodies, checked in a process of their own, so that nobody else waits for them.

A thread would not do: the readers of JSON and of schemas keep the interpreter's lock while they read. The
process is started when the first such body comes, and ends after five minutes without one.
"""

from __future__ import annotations

from functools import lru_cache

import anyio.to_process
import orjson

from dhatu_gateway.core.problem import Problem, ProblemError
from dhatu_gateway.core.validation.json_body import parse_json
from dhatu_gateway.core.validation.refusals import refusal
from dhatu_gateway.core.validation.schema_errors import body_errors
from dhatu_gateway.core.validation.schemas import Schemas

APART_BYTES = 131_072
"""Smaller bodies are read at once, within 4 ms; the way to the other process and back takes 1.5 ms."""


async def check_apart(document: bytes, pointer: str, body: bytes) -> None:
    """Raise `ProblemError` for a body that does not fit the schema at `pointer`; an empty one allows any."""
    try:
        problem = await anyio.to_process.run_sync(problem_of, document, pointer, body, cancellable=True)
    except anyio.BrokenWorkerProcess as error:
        raise ProblemError(
            "unavailable",
            "The process that checks large bodies ended; try again, or send less at once.",
            headers=[(b"retry-after", b"1")],
        ) from error
    if problem is not None:
        raise ProblemError(problem.kind, problem.detail, errors=problem.errors)


def problem_of(document: bytes, pointer: str, body: bytes) -> Problem | None:
    """What is wrong with a body; runs in the other process."""
    try:
        value = parse_json(body)
        validator = _schemas(document).validator(pointer) if pointer else None
        if validator is not None and not validator.is_valid(value):
            raise refusal(body_errors(validator.iter_errors(value)))
    except ProblemError as error:
        return error.problem
    return None


@lru_cache(maxsize=16)
def _schemas(document: bytes) -> Schemas:
    return Schemas(orjson.loads(document))
