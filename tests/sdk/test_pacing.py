"""A client that listens to the rate limit is not refused."""

from __future__ import annotations

from math import ceil

import pytest
from dhatu_client._errors import DeadlineExceededError, RateLimitedError
from dhatu_client._policies.pacing import Pacer, read_headers
from dhatu_client._watch.events import Paced
from dhatu_client._wire import Answer, Outcome, Send
from sdk.support import VirtualTime
from sdk.world import OK, World, refusal


class Bucket:
    """A server with a token bucket, which describes it as a gateway would."""

    def __init__(self, time: VirtualTime, *, limit: int, window_s: float, burst: int) -> None:
        self.time, self.rate, self.burst = time, limit / window_s, burst
        self.policy = f'"default";q={limit};w={window_s:g}'
        self.tokens, self.at_s = float(burst), time.now
        self.refused = 0

    def __call__(self, step: Send) -> Outcome:
        self.tokens = min(self.burst, self.tokens + (self.time.now - self.at_s) * self.rate)
        self.at_s = self.time.now
        allowed = self.tokens >= 1 - 1e-9
        self.tokens -= allowed
        full_in_s = ceil((self.burst - self.tokens) / self.rate - 1e-9)
        headers = {
            "ratelimit-policy": self.policy,
            "ratelimit": f'"default";r={int(self.tokens + 1e-9)};t={full_in_s}',
        }
        self.refused += not allowed
        return Answer(status=200 if allowed else 429, headers=headers, content=b"{}")


class Window:
    """A server with a fixed window."""

    def __init__(self, time: VirtualTime, *, limit: int, window_s: float, drafted: bool = False) -> None:
        self.time, self.limit, self.window_s, self.drafted = time, limit, window_s, drafted
        self.began_s, self.used, self.refused = time.now, 0, 0

    def __call__(self, step: Send) -> Outcome:
        if self.time.now >= self.began_s + self.window_s:
            self.began_s += (self.time.now - self.began_s) // self.window_s * self.window_s
            self.used = 0
        allowed = self.used < self.limit
        self.used += allowed
        self.refused += not allowed
        left, reset_s = self.limit - self.used, ceil(self.began_s + self.window_s - self.time.now)
        headers = (
            {"ratelimit-remaining": str(left), "ratelimit-reset": str(reset_s)}
            if self.drafted
            else {
                "ratelimit-policy": f'"burst";q={self.limit};w={self.window_s:g}',
                "ratelimit": f'"burst";r={left};t={reset_s}',
            }
        )
        return Answer(status=200 if allowed else 429, headers=headers, content=b"{}")


def loop(world: World, server: Bucket | Window, calls: int, *, took_s: float = 0.01) -> float:
    """Calls one after the other; returns the seconds they took."""
    began_s = world.time.now

    def send(step: Send) -> Outcome:
        world.time.now += took_s
        return server(step)

    for _ in range(calls):
        world.carry_out(world.call(timeout_s=120), send)
    return world.time.now - began_s


def test_a_loop_against_a_bucket_sees_no_refusal_and_keeps_its_rate() -> None:
    world = World(pacing=True)
    server = Bucket(world.time, limit=60, window_s=60, burst=10)
    took_s = loop(world, server, 100)
    assert server.refused == 0
    assert 90 <= took_s <= 110
    assert max(event.delay_s for event in world.told(Paced)) <= 2.5


@pytest.mark.parametrize("drafted", [False, True])
def test_a_loop_against_a_window_sees_no_refusal(drafted: bool) -> None:
    world = World(pacing=True)
    server = Window(world.time, limit=5, window_s=10, drafted=drafted)
    took_s = loop(world, server, 30)
    assert server.refused == 0
    assert 50 <= took_s <= 72


def test_without_pacing_the_same_loop_is_refused() -> None:
    world = World(pacing=False)
    server = Bucket(world.time, limit=60, window_s=60, burst=10)
    with pytest.raises(RateLimitedError):
        loop(world, server, 30)
    assert server.refused > 0


def test_a_wait_beyond_the_deadline_is_refused_here() -> None:
    world = World(pacing=True)
    server = Window(world.time, limit=1, window_s=60)
    loop(world, server, 1)
    with pytest.raises(DeadlineExceededError, match="rate limit") as raised:
        world.carry_out(world.call(timeout_s=5), server)
    assert (raised.value.attempts, server.used, world.time.slept) == (0, 1, [])


def test_a_refusal_holds_the_other_calls_of_the_operation_too() -> None:
    world = World(pacing=True, max_retries=0)
    with pytest.raises(Exception, match="429"):
        world.run(world.call(), refusal(429, {"retry-after": "7"}))
    world.run(world.call(), OK)
    assert world.time.slept == [7.0]


def test_a_refusal_that_asks_for_less_than_the_reset_speaks_of_a_bucket() -> None:
    world = World(pacing=True)
    headers = {"retry-after": "2", "ratelimit-policy": "a;q=30;w=60", "ratelimit": "a;r=0;t=10"}
    world.run(world.call(timeout_s=5), refusal(429, headers), OK)
    assert world.time.slept == [2.0]


class TestQueue:
    def test_callers_at_once_wait_one_after_the_other(self) -> None:
        pacer = Pacer()
        for remaining, reset_s in ((1, 9), (0, 10)):  # the time until it is full grows: a bucket
            pacer.release(
                "o", 100.0, {"ratelimit-policy": "a;q=60;w=60", "ratelimit": f"a;r={remaining};t={reset_s}"}
            )
        assert [pacer.reserve("o", 100.0) for _ in range(3)] == pytest.approx([1.0, 2.0, 3.0])

    def test_in_a_window_they_wait_for_the_next_and_then_for_the_one_after(self) -> None:
        pacer = Pacer()
        pacer.release("o", 100.0, {"ratelimit-policy": "a;q=2;w=60", "ratelimit": "a;r=0;t=30"})
        assert [pacer.reserve("o", 100.0) for _ in range(5)] == pytest.approx([30, 30, 90, 90, 150])

    def test_those_under_way_are_counted(self) -> None:
        pacer = Pacer()
        headers = {"ratelimit-policy": "a;q=9;w=60", "ratelimit": "a;r=3;t=30"}
        pacer.release("o", 100.0, headers)
        assert [pacer.reserve("o", 100.0) for _ in range(2)] == [0, 0]
        pacer.release("o", 100.0, headers)  # the server may not have seen the other one yet
        assert [pacer.reserve("o", 100.0) > 0 for _ in range(3)] == [False, False, True]

    def test_operations_have_limits_of_their_own(self) -> None:
        pacer = Pacer()
        pacer.release("a", 100.0, {"ratelimit": "x;r=0;t=30"})
        assert (pacer.reserve("a", 100.0), pacer.reserve("b", 100.0)) == (30.0, 0.0)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"ratelimit": ""},
        {"ratelimit": "nonsense"},
        {"ratelimit": '"a";r=-1;t=5'},
        {"ratelimit": '"a";r=x'},
        {"ratelimit": ";;;,,"},
        {"ratelimit-remaining": "soon", "ratelimit-reset": "3"},
        {"ratelimit-remaining": "3"},
        {"ratelimit-policy": '"a";q=5;w=5'},
    ],
)
def test_what_cannot_be_understood_is_as_if_it_were_absent(headers: dict[str, str]) -> None:
    assert read_headers(headers) is None


def test_of_several_limits_the_tightest_counts() -> None:
    reading = read_headers(
        {"ratelimit": '"hour";r=50;t=600, "burst";r=2;t=3', "ratelimit-policy": '"burst";q=5;w=3'}
    )
    assert reading is not None
    assert (reading.remaining, reading.reset_s, reading.quota, reading.window_s) == (2, 3.0, 5, 3.0)
