"""What each balancer balances by."""

from __future__ import annotations

import pytest
from dhatu_client._balance.latency import PENALTY, PeakEwma
from dhatu_client._balance.policy import Algorithm
from dhatu_client._wire import Endpoint
from sdk.balance.world import A, B, Balanced, C, only

SLOW = {A: 0.01, B: 0.01, C: 0.1}
FAST = dict.fromkeys((A, B, C), 0.01)


def in_order(balanced: Balanced, attempts: int) -> list[str]:
    return [balanced.attempt() for _ in range(attempts)]


def test_smooth_weighted_turns_are_spread_as_in_nginx() -> None:
    balanced = Balanced([Endpoint(A, 5)], algorithm="weighted", slow_start_s=0)
    balanced.update(Endpoint(A, 5), Endpoint(B, 1))
    balanced.update(Endpoint(A, 5), Endpoint(B, 1), Endpoint(C, 1))
    assert in_order(balanced, 14) == [A, A, B, A, C, A, A] * 2


def test_round_robin_takes_turns_whatever_the_weights() -> None:
    balanced = Balanced([Endpoint(A, 5), Endpoint(B, 1), Endpoint(C, 1)], algorithm="round_robin")
    turns = in_order(balanced, 9)
    assert turns == turns[:3] * 3
    assert set(turns) == {A, B, C}


def test_a_turn_missed_is_not_lost() -> None:
    balanced = Balanced([A, B, C], algorithm="round_robin")
    shares = balanced.shares(30, admits=only(A, B)) + balanced.shares(30)
    assert shares[C] == 10


def test_clients_do_not_all_begin_with_the_same_endpoint() -> None:
    balanced = Balanced([], algorithm="round_robin")
    firsts = set()
    for _ in range(30):
        balanced.update()
        balanced.update(A, B, C)
        firsts.add(balanced.attempt())
    assert firsts == {A, B, C}


@pytest.mark.parametrize("algorithm", ["p2c_ewma", "least_connections"])
def test_a_slow_endpoint_gets_less(algorithm: Algorithm) -> None:
    shares = Balanced([A, B, C], algorithm=algorithm).load(4000, 0.001, SLOW)
    assert shares[C] < 800  # a fair share would be 1333
    assert abs(shares[A] - shares[B]) < 300


@pytest.mark.parametrize("algorithm", ["round_robin", "weighted"])
def test_turns_do_not_ask_who_is_slow(algorithm: Algorithm) -> None:
    assert Balanced([A, B, C], algorithm=algorithm).load(3000, 0.001, SLOW)[C] == 1000


def test_p2c_avoids_a_slow_endpoint_that_is_idle() -> None:
    """Latency counts where no queue can be seen; in P2C of three, the worst loses every draw."""
    balanced = Balanced([A, B, C])
    for url, took_s in SLOW.items():
        balanced.attempt(took_s=took_s, admits=only(url))
    assert balanced.shares(200)[C] == 0


def test_p2c_comes_back_to_an_endpoint_that_was_slow_once() -> None:
    balanced = Balanced([A, B])
    balanced.load(100, 0.001, FAST)
    balanced.attempt(took_s=1.0, admits=only(A))
    assert balanced.load(2000, 0.001, FAST)[A] < 200  # two seconds
    balanced.load(60_000, 0.001, FAST)  # a minute: 1 s * exp(-60 / 10) is less than 10 ms
    assert balanced.load(2000, 0.001, FAST)[A] > 800


def test_a_refusal_at_once_does_not_make_up_for_a_slow_answer() -> None:
    balanced = Balanced([A, B], ejection=None)
    balanced.attempt(took_s=0.05, admits=only(A))
    balanced.attempt(took_s=0.1, admits=only(B))
    for _ in range(20):
        balanced.attempt(False, took_s=0.0001, admits=only(B))
    assert balanced.attempt() == A


def test_a_loser_of_a_race_is_known_to_be_slow() -> None:
    balanced = Balanced([A, B])
    balanced.attempt(took_s=0.1, admits=only(A))
    balanced.attempt(took_s=0.05, admits=only(B))
    assert balanced.attempt(None, took_s=0.3, admits=only(B)) == B
    assert balanced.attempt() == A


def test_weights_and_slowness_are_weighed_in_p2c() -> None:
    """Of weights 3 and 1, half of the rounds know the heavy one alone."""
    balanced = Balanced([Endpoint(A, 3), Endpoint(B, 1)])
    shares = balanced.load(4000, 0.01, {A: 0.1, B: 0.01})
    assert 0.4 < shares[A] / 4000 < 0.6


def test_least_connections_looks_at_what_is_under_way_for_the_weight() -> None:
    balanced = Balanced([Endpoint(A, 2), Endpoint(B, 1)], algorithm="least_connections")
    held = [balanced.pool.pick() for _ in range(30)]
    urls = [pick.endpoint.url for pick in held if pick is not None]
    assert (urls.count(A), urls.count(B)) == (20, 10)


class TestPeakEwma:
    def test_a_peak_is_believed_at_once(self) -> None:
        latency = PeakEwma(0.0)
        latency.observe(0.1, 0.0)
        latency.observe(2.0, 0.0)
        assert latency.load(0, 0.0) == 2.0

    def test_it_is_forgotten_by_time_alone(self) -> None:
        latency = PeakEwma(0.0)
        latency.observe(1.0, 0.0)
        assert latency.load(0, 10.0) == pytest.approx(0.36787944)
        assert latency.load(0, 20.0) == pytest.approx(0.13533528)

    def test_between_peaks_it_is_the_average_over_time(self) -> None:
        latency = PeakEwma(0.0)
        latency.observe(1.0, 0.0)
        latency.observe(0.5, 10.0)
        assert latency.load(0, 10.0) == pytest.approx(0.36787944 + 0.5 * 0.63212056)

    def test_the_queue_multiplies_it(self) -> None:
        latency = PeakEwma(0.0)
        latency.observe(0.2, 0.0)
        assert latency.load(4, 0.0) == pytest.approx(1.0)

    def test_work_without_a_measurement_is_a_penalty(self) -> None:
        latency = PeakEwma(0.0)
        assert latency.load(0, 0.0) == 0.0
        assert latency.load(2, 0.0) == PENALTY + 2

    def test_a_clock_that_stands_or_goes_back_does_no_harm(self) -> None:
        latency = PeakEwma(10.0)
        latency.observe(1.0, 10.0)
        latency.observe(0.5, 9.0)
        assert latency.load(0, 9.0) == 1.0
