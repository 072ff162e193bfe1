"""Work that goes on after the answer: when to ask how far it is, and how it ended."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, Final, TypeAlias, cast

from ._call import AnswerHead, Arguments, CallOptions, JobSpec
from ._errors import DecodingError, JobFailedError, JobTimeoutError
from ._origin import Origin
from ._policies.retry import retry_after_s

_GROWTH: Final = 1.5
_SLOWEST: Final = 10.0
"""Times the first interval."""

Waiting: TypeAlias = Generator["float | CallOptions", Any, Any]
"""Yields seconds to sleep, or options with which to ask; is sent what was answered, and returns the job."""


class JobOrigin(Origin):
    """What a job came from, and how to follow it."""

    __slots__ = ("spec",)

    def __init__(self, origin: Origin, spec: JobSpec) -> None:
        super().__init__(origin.client, origin.surroundings, origin.invocation, origin.answer)
        self.spec = spec

    def arguments(self, job: object) -> Arguments:
        """Those of the status operation: the id, and what it shares with the operation that began the job."""
        from ._members import member  # imports pydantic

        shared = {parameter.argument for parameter in self.spec.status().parameters}
        given = {name: value for name, value in self.invocation.arguments.items() if name in shared}
        return {**given, self.spec.argument: member(job, self.spec.id)}

    def waiting(self, job: object, timeout_s: float | None) -> Waiting:
        """Sleep and ask until the job has ended.

        Before question `n` (1 = first): `poll_s * min(1.5**(n - 1), 10)` seconds, but never less than the
        server asks for in Retry-After. The last question comes when the time is over. Raises
        `JobFailedError`, `JobTimeoutError`, `DecodingError`.
        """
        surroundings = self.surroundings
        deadline_s = surroundings.now_s() + timeout_s if timeout_s is not None else float("inf")
        headers: Mapping[str, str] = self.answer.headers
        growth = 1.0
        status = self.spec.status()
        # A job of the same kind as the answers to come tells its state itself.
        if status.job is not None and status.job.type == self.spec.type and self._ended(job):
            return job
        while True:
            left_s = deadline_s - surroundings.now_s()
            if left_s <= 0:
                raise JobTimeoutError(self.invocation.operation.key, job=job, timeout_s=timeout_s or 0.0)
            asked_s = retry_after_s(headers, surroundings.wall_s()) or 0.0
            yield min(max(self.spec.poll_s * growth, asked_s), left_s)
            heads: list[AnswerHead] = []
            job = yield self._options(heads)
            if self._ended(job):
                return job
            headers = heads[-1].headers if heads else {}
            growth = min(growth * _GROWTH, _SLOWEST)

    def _options(self, heads: list[AnswerHead]) -> CallOptions:
        """Headers of the first call that name a tenant or the like go along, but not what its body was."""
        headers = {
            name: text
            for name, text in self.invocation.options.get("extra_headers", {}).items()
            if name.lower() not in ("accept", "content-type")
        }
        options: CallOptions = {"on_answer": heads.append}
        if headers:
            options["extra_headers"] = headers
        return options

    def _ended(self, job: object) -> bool:
        """Whether it succeeded. Raises `JobFailedError`, and `DecodingError` where it has no state."""
        from ._members import member

        state = member(job, self.spec.state)
        state = getattr(state, "value", state)
        key = self.invocation.operation.key
        if state is None:
            raise DecodingError(f"the job has no {self.spec.state}", operation=key, status=self.answer.status)
        if state in self.spec.failed:
            reason = member(job, self.spec.error) if self.spec.error else None
            raise JobFailedError(key, job=job, state=str(state), reason=str(cast("object", reason) or ""))
        return state in self.spec.done
