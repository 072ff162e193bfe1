"""What a call waits for besides its answer: tokens, endpoints, and the time of a single attempt."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from dhatu_client._encoding.content import StreamBody
from dhatu_client._errors import (
    AuthenticationError,
    BreakerOpenError,
    CallTimeoutError,
    ConnectionFailedError,
    ConnectionLostError,
    DeadlineExceededError,
    ServerError,
)
from dhatu_client._flow.life import call_flow
from dhatu_client._policies.breaker import BreakerPolicy, Tickets
from dhatu_client._policies.budget import BudgetPolicy
from dhatu_client._watch.events import (
    AttemptFinished,
    AttemptStarted,
    BreakerChanged,
    CallFinished,
    CallStarted,
    RetryScheduled,
)
from dhatu_client._wire import Answer, AsyncTransport, Endpoint, Failure, Source, Transport, TransportFailed
from sdk.world import LOST, OK, TIMEOUT, UNSENT, World, refusal


class Tokens:
    """Tokens numbered as they are fetched; the first `broken` fetches fail."""

    def __init__(self, *, broken: int = 0) -> None:
        self.current: str | None = None
        self.fetched = 0
        self.broken = broken

    def ready(self, now_s: float) -> str | None:
        return self.current

    def refused(self, token: str) -> None:
        if token == self.current:
            self.current = None

    def fetch(self, transport: Transport, time_left_s: float) -> str:
        if self.broken:
            self.broken -= 1
            raise TransportFailed(UNSENT)
        self.fetched += 1
        self.current = f"t{self.fetched}"
        return self.current

    async def afetch(self, transport: AsyncTransport) -> str:
        return self.fetch(transport, 1.0)  # type: ignore[arg-type]  # neither is used


def authorizations(world: World) -> list[str]:
    return [dict(send.headers)["authorization"] for send in world.sent]


class TestTokens:
    def test_one_is_fetched_and_used_again(self) -> None:
        world, tokens = World(), Tokens()
        world.run(world.call(tokens=tokens), OK)
        world.run(world.call(tokens=tokens), OK)
        assert (authorizations(world), tokens.fetched) == (["Bearer t1", "Bearer t1"], 1)

    def test_a_refused_one_is_renewed_once_and_costs_no_retry(self) -> None:
        world, tokens = World(max_retries=0), Tokens()
        assert world.run(world.call("never", tokens=tokens), refusal(401), OK).attempts == 2
        assert (authorizations(world), world.time.slept) == (["Bearer t1", "Bearer t2"], [])

    def test_a_second_refusal_is_the_callers(self) -> None:
        world, tokens = World(), Tokens()
        with pytest.raises(AuthenticationError):
            world.run(world.call(tokens=tokens), refusal(401), refusal(401), OK)
        assert tokens.fetched == 2

    def test_a_body_that_ran_dry_is_not_sent_again(self) -> None:
        world, tokens = World(), Tokens()
        with pytest.raises(AuthenticationError):
            world.run(world.call(tokens=tokens, body=StreamBody(iter([b"once"]))), refusal(401), OK)

    def test_each_retry_asks_whether_the_token_still_holds(self) -> None:
        world, tokens = World(), Tokens()
        flow = call_flow(world.call(tokens=tokens), world.policies)
        flow.close()
        world.run(world.call(tokens=tokens), refusal(503), refusal(401), OK)
        assert authorizations(world) == ["Bearer t1", "Bearer t1", "Bearer t2"]

    def test_where_none_can_be_fetched_it_is_tried_again_like_an_attempt(self) -> None:
        world, tokens = World(), Tokens(broken=1)
        world.run(world.call("never", tokens=tokens), OK)
        assert ([delay_s > 0 for delay_s in world.time.slept], tokens.fetched) == ([True], 1)

    def test_and_at_last_its_error_is_raised(self) -> None:
        world, tokens = World(max_retries=1), Tokens(broken=5)
        with pytest.raises(ConnectionFailedError):
            world.run(world.call(tokens=tokens), OK)
        assert world.sent == []


class TestTimes:
    def test_an_attempt_gets_no_more_than_its_own(self) -> None:
        world = World()
        world.run(world.call(timeout_s=10, attempt_timeout_s=4), TIMEOUT, OK, took_s=4)
        assert world.sent[0].time_left_s == 4.0
        assert world.sent[1].time_left_s == 4.0

    def test_and_no_more_than_is_left_of_the_whole(self) -> None:
        world = World()
        world.run(world.call(timeout_s=6, attempt_timeout_s=4), TIMEOUT, OK, took_s=4)
        assert world.sent[1].time_left_s < 2.0

    def test_a_slow_attempt_is_told_from_a_deadline(self) -> None:
        world = World(max_retries=0)
        with pytest.raises(CallTimeoutError, match="within 4 s") as raised:
            world.run(world.call(timeout_s=10, attempt_timeout_s=4), TIMEOUT, took_s=4)
        assert not isinstance(raised.value, DeadlineExceededError)
        with pytest.raises(DeadlineExceededError, match="within 10 s"):
            world.run(world.call(timeout_s=10), TIMEOUT, took_s=10)

    def test_the_server_is_told_of_the_whole_time_left(self) -> None:
        world = World()
        world.run(world.call(timeout_s=10, attempt_timeout_s=4), OK)
        assert dict(world.sent[0].headers)["x-d-timeout-ms"] == "10000"


class TwoEndpoints:
    """The first one that was not tried; what is settled is noted."""

    def __init__(self) -> None:
        self.all = [Endpoint("https://a.test"), Endpoint("https://b.test")]
        self.settled: list[tuple[str, bool | None]] = []

    def source(self, now_s: float) -> Source | None:
        return None

    def pick(self, *, avoid: Collection[str], admits: Any) -> Any:
        admitted = [endpoint for endpoint in self.all if admits(endpoint.url)]
        fresh = [endpoint for endpoint in admitted if endpoint.url not in avoid]
        found = (fresh or admitted)[:1]
        return Held(found[0]) if found else None

    def settle(self, pick: Any, verdict: bool | None) -> None:
        self.settled.append((pick.endpoint.url, verdict))

    def urls(self) -> list[str]:
        return [endpoint.url for endpoint in self.all]


class Held:
    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint


class TestEndpoints:
    def test_a_retry_goes_elsewhere(self) -> None:
        endpoints = TwoEndpoints()
        world = World(endpoints=endpoints)
        world.run(world.call(), LOST, OK)
        assert [send.url for send in world.sent] == [
            "https://a.test/things?key=secret",
            "https://b.test/things?key=secret",
        ]
        assert endpoints.settled == [("https://a.test", False), ("https://b.test", True)]

    def test_going_elsewhere_costs_no_budget_where_nobody_was_there(self) -> None:
        world = World(endpoints=TwoEndpoints(), budget=BudgetPolicy(per_call=0, per_s=0, reserve=0))
        assert world.run(world.call(), UNSENT, OK).attempts == 2
        with pytest.raises(ConnectionLostError):
            world.run(world.call(), LOST)

    def test_a_trial_that_another_call_took_in_between_leaves_the_other_endpoint(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        endpoints = TwoEndpoints()
        world = World(endpoints=endpoints)
        admit = world.policies.breakers.admit

        def taken(url: str, key: str) -> Tickets | None:
            return None if url == "https://a.test" else admit(url, key)

        monkeypatch.setattr(world.policies.breakers, "admit", taken)
        world.run(world.call(), OK)
        assert endpoints.settled == [("https://a.test", None), ("https://b.test", True)]
        monkeypatch.setattr(world.policies.breakers, "admit", lambda url, key: None)
        with pytest.raises(BreakerOpenError):
            world.run(world.call())

    def test_where_nobody_was_there_another_is_tried_at_once(self) -> None:
        world = World(endpoints=TwoEndpoints())
        world.run(world.call(), UNSENT, UNSENT, OK)
        assert [delay_s > 0 for delay_s in world.time.slept] == [False, True]

    @pytest.mark.parametrize(("status", "verdict"), [(500, False), (503, False), (404, None), (429, None)])
    def test_what_speaks_against_an_endpoint(self, status: int, verdict: bool | None) -> None:
        endpoints = TwoEndpoints()
        world = World(endpoints=endpoints, max_retries=0)
        with pytest.raises(Exception, match=str(status)):
            world.run(world.call(), refusal(status))
        assert endpoints.settled == [("https://a.test", verdict)]

    def test_an_open_breaker_leaves_the_other_endpoint(self) -> None:
        world = World(endpoints=TwoEndpoints(), max_retries=0, breaker=BreakerPolicy(failures=2))
        for _ in range(2):
            with pytest.raises(ServerError):
                world.run(world.call(), refusal(503))
        world.run(world.call(), OK)
        assert world.sent[-1].endpoint.url == "https://b.test"


class TestEvents:
    def test_the_whole_life_is_told_without_secrets(self) -> None:
        world = World(breaker=BreakerPolicy(failures=1, open_s=0.001))
        world.run(world.call(), LOST, Answer(status=200, headers={"x-request-id": "r1"}), took_s=0.5)
        kinds = [type(event) for event in world.events]
        assert kinds == [
            CallStarted,
            AttemptStarted,
            BreakerChanged,
            BreakerChanged,
            AttemptFinished,
            RetryScheduled,
            BreakerChanged,
            BreakerChanged,
            AttemptStarted,
            AttemptFinished,
            CallFinished,
        ]
        started = world.told(AttemptStarted)[0]
        assert (started.method, started.url) == ("GET", "https://api.test/things")
        first, second = world.told(AttemptFinished)
        assert (first.failure, first.status, first.duration_s) == ("lost", None, 0.5)
        assert (second.failure, second.status, second.request_id) == ("", 200, "r1")
        assert world.told(CallFinished)[0].error == ""
        assert "secret" not in repr(world.events)

    def test_a_cancelled_call_is_told_as_such(self) -> None:
        world = World()
        flow = call_flow(world.call(), world.policies)
        next(flow)
        flow.close()
        assert [event.failure for event in world.told(AttemptFinished)] == ["cancelled"]
        assert [event.error for event in world.told(CallFinished)] == ["Cancelled"]

    def test_an_error_is_told_by_its_class(self) -> None:
        world = World(max_retries=0)
        with pytest.raises(ServerError):
            world.run(world.call(), refusal(503))
        assert world.told(CallFinished)[0].error == "ServerError"


def test_waiting_longer_than_the_cap_is_not_shortened() -> None:
    world = World()
    with pytest.raises(ServerError) as raised:
        world.run(world.call(timeout_s=600), refusal(503, {"retry-after-ms": "61000"}), OK)
    assert (raised.value.retry_after_s, world.time.slept) == (61.0, [])


def test_milliseconds_come_before_seconds() -> None:
    world = World()
    world.run(world.call(), refusal(503, {"retry-after-ms": "1500", "retry-after": "9"}), OK)
    assert world.time.slept == [1.5]


def test_what_was_never_sent_does_not_say_that_an_attempt_failed() -> None:
    world = World(max_retries=0)
    with pytest.raises(ConnectionFailedError) as raised:
        world.run(world.call(), Failure(kind="connect", cause=OSError("refused")))
    assert raised.value.attempts == 1
