"""The life of one call, without I/O: attempts and waits, decided here and carried out by a driver."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any, Final, TypeAlias

from .._errors import BreakerOpenError, DeadlineExceededError, DhatuError
from .._policies.retry import Backoff, may_repeat, retry_after_s
from .._watch.watch import CallWatch, Headers
from .._wire import Answer, Failure, Fetch, Outcome, Race, Raced, Send, Sleep, TransportFailed
from .attempts import Attempt, Attempts
from .failures import failure_error, refusal_error
from .plan import Call, Policies, TokenSource

Step: TypeAlias = Send | Race | Sleep | Fetch
Flow: TypeAlias = Generator[Step, Any, Answer]
"""Yields what to do and is sent what came of it: an `Outcome`, a `Raced`, None after a `Sleep`, what was
fetched, which may also be raised in it. Returns a success."""


def call_flow(call: Call, policies: Policies) -> Flow:
    """Attempt, wait and attempt again, until an answer is a success.

    Raises the error of the last attempt; closing the flow early, as cancellation does, counts for nothing.
    """
    return _Life(call, policies).run()


_CLOCK_S: Final = 0.001
"""By how much timers may be early."""


class _Life:
    """What a call knows of itself while it lasts."""

    __slots__ = ("_attempts", "_backoff", "_call", "_error", "_policies", "_renewed", "_watch")

    def __init__(self, call: Call, policies: Policies) -> None:
        self._call = call
        self._policies = policies
        self._watch: CallWatch = policies.watch(call.operation.key, call.operation.path)
        self._attempts = Attempts(call, policies, self._watch)
        self._error: DhatuError | None = None
        self._backoff: Backoff | None = None
        self._renewed = False

    def run(self) -> Flow:
        self._policies.budget.deposit()
        raised: BaseException | None = None
        try:
            while True:
                elsewhere = True
                try:
                    outcome = yield from self._authorised()
                except TransportFailed as failed:  # what had to be fetched first could not be
                    outcome, elsewhere = failed.failure, False
                if isinstance(outcome, Answer) and outcome.status < 300:
                    attempts = self._attempts.number
                    return outcome if attempts == 1 else replace(outcome, attempts=attempts)
                yield Sleep(delay_s=self._delay_s(outcome, elsewhere=elsewhere))
        except BaseException as error:
            raised = error
            raise
        finally:
            self._watch.finished(self._attempts.number, raised)

    # One attempt, and what comes before it: a token, a place in the queue, an endpoint.

    def _authorised(self) -> Generator[Step, Any, Outcome]:
        """An attempt with a token where one is needed, and another with a new one where it is refused."""
        tokens = self._call.tokens
        if tokens is None:
            return (yield from self._paced(()))
        token = yield from self._token(tokens)
        outcome = yield from self._paced((("authorization", f"Bearer {token}"),))
        if isinstance(outcome, Answer) and outcome.status == 401 and not self._renewed:
            self._renewed = True
            tokens.refused(token)
            if not self._repeatable():
                return outcome
            token = yield from self._token(tokens)
            outcome = yield from self._paced((("authorization", f"Bearer {token}"),))
        return outcome

    def _token(self, tokens: TokenSource) -> Generator[Step, Any, str]:
        token = tokens.ready(self._policies.now_s())
        if token is None:
            token = yield Fetch(source=tokens, time_left_s=self._attempts.left_s())
        return str(token)

    def _paced(self, headers: Headers) -> Generator[Step, Any, Outcome]:
        """An attempt as soon as the rate limit leaves room for it."""
        pacer, key = self._policies.pacer, self._call.operation.key
        if pacer is None:
            return (yield from self._placed(headers))
        answer: Answer | None = None
        wait_s = pacer.reserve(key, self._policies.now_s())
        try:
            if wait_s > 0:
                if wait_s >= self._attempts.left_s():
                    raise self._error or DeadlineExceededError(
                        f"not sent, since the rate limit leaves no room for another {wait_s:.1f} s, "
                        f"which is more than is left of {self._call.timeout_s:g} s",
                        operation=key,
                        attempts=self._attempts.number,
                    )
                self._watch.paced(wait_s)
                yield Sleep(delay_s=wait_s)
            outcome = yield from self._placed(headers)
            answer = outcome if isinstance(outcome, Answer) else None
        finally:
            held_s = self._asked_s(answer) if answer and answer.status == 429 else None
            pacer.release(key, self._policies.now_s(), answer.headers if answer else None, held_s or 0.0)
        return outcome

    def _placed(self, headers: Headers) -> Generator[Step, Any, Outcome]:
        """An attempt at one of the endpoints, or at two where the first is slow."""
        source = self._call.endpoints.source(self._policies.now_s())
        if source is not None:
            yield Fetch(source=source, time_left_s=self._attempts.left_s())
        attempt = self._attempts.begin(headers)
        if attempt is None:
            refused_s = self._attempts.refused_s()
            raise self._error or BreakerOpenError(self._call.operation.key, retry_after_s=refused_s)
        after_s = self._hedge_after_s()
        if after_s is not None:
            return (yield from self._raced(attempt, after_s, headers))
        outcome: Outcome | None = None
        try:
            outcome = yield attempt.step
        finally:
            self._attempts.end(attempt, outcome)
        assert outcome is not None, "a driver answers Send with an outcome"
        return outcome

    def _raced(self, first: Attempt, after_s: float, headers: Headers) -> Generator[Step, Any, Outcome]:
        second: Attempt | None = None

        def hedge() -> Send | None:
            nonlocal second
            if self._repeatable() and self._policies.budget.withdraw():
                second = self._attempts.begin(headers)
            if second is None:
                return None
            self._watch.hedged(second.number, after_s)
            return second.step

        raced = Raced(None, None)
        try:
            raced = yield Race(first=first.step, after_s=after_s, second=hedge, decisive=_decisive)
        finally:
            self._attempts.end(first, raced.first)
            if second is not None:
                self._attempts.end(second, raced.second)
        ended: list[Outcome] = [outcome for outcome in (raced.first, raced.second) if outcome is not None]
        return next((outcome for outcome in ended if _decisive(outcome)), ended[-1])

    # After an attempt that did not succeed.

    def _delay_s(self, outcome: Outcome, *, elsewhere: bool) -> float:
        """Seconds to wait before the next attempt, perhaps none where it may go `elsewhere`.

        Raises the error of this one where there is to be none.
        """
        policies = self._policies
        asked_s = self._asked_s(outcome) if isinstance(outcome, Answer) else None
        error = self._error = self._error_of(outcome, asked_s)
        if not may_repeat(outcome, self._call.operation.retry, body_repeatable=self._repeatable()):
            raise error
        self._backoff = self._backoff or Backoff(self._call.retry, policies.random)
        delay_s = self._backoff.delay_s(asked_s)
        elsewhere = elsewhere and self._attempts.may_go_elsewhere(outcome)
        if delay_s and elsewhere:
            delay_s = 0.0
        if delay_s is None or delay_s >= self._attempts.left_s() or delay_s < self._attempts.refused_s():
            raise error
        # Where nobody was there, nothing was asked of anybody: to ask another one adds nothing to the load.
        if not elsewhere and not policies.budget.withdraw():
            raise error
        self._watch.retry_scheduled(self._attempts.number + 1, delay_s)
        return delay_s

    def _error_of(self, outcome: Outcome, asked_s: float | None) -> DhatuError:
        call = self._call
        if isinstance(outcome, Failure):
            overdue = outcome.kind == "timeout" and (
                call.attempt_timeout_s is None or self._attempts.left_s() < _CLOCK_S
            )
            limit_s = call.timeout_s if overdue or call.attempt_timeout_s is None else call.attempt_timeout_s
            attempts = self._attempts.number
            return failure_error(outcome, call.operation.key, limit_s, attempts, overdue=overdue)
        return refusal_error(outcome, call.operation.key, asked_s, self._attempts.number)

    # Small questions.

    def _asked_s(self, answer: Answer) -> float | None:
        return retry_after_s(answer.headers, self._policies.wall_s())

    def _repeatable(self) -> bool:
        body = self._call.request.body
        return body is None or body.repeatable

    def _hedge_after_s(self) -> float | None:
        hedger, operation = self._policies.hedger, self._call.operation
        if hedger is None or operation.retry not in ("safe", "idempotent"):
            return None
        return hedger.of(operation.key).delay_s()


def _decisive(outcome: Outcome) -> bool:
    """Whether nothing better is to be expected of the other attempt."""
    return isinstance(outcome, Answer) and outcome.status < 500 and outcome.status != 429
