"""A pool on a virtual clock, and calls that overlap in it."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dhatu_client._balance.policy import BalancePolicy
from dhatu_client._balance.pool import EndpointPool
from dhatu_client._wire import Endpoint
from sdk.support import VirtualTime

A, B, C = "https://a.test", "https://b.test", "https://c.test"


class Balanced:
    """A pool, its clock, and what it told."""

    def __init__(self, endpoints: Iterable[Endpoint | str], **policy: Any) -> None:
        self.time = VirtualTime()
        self.random = random.Random(20)
        self.events: list[Any] = []
        self.pool = EndpointPool(
            BalancePolicy(**policy),
            now_s=self.time.now_s,
            random=self.random.random,
            observe=self.events.append,
        )
        self.update(*endpoints)

    def update(self, *endpoints: Endpoint | str) -> None:
        self.pool.update([Endpoint(each) if isinstance(each, str) else each for each in endpoints])

    def attempt(self, verdict: bool | None = True, *, took_s: float = 0.0, **asked: Any) -> str:
        """One attempt from beginning to end; says where it went, nowhere being an empty string."""
        pick = self.pool.pick(**asked)
        if pick is None:
            return ""
        self.time.now += took_s
        self.pool.settle(pick, verdict)
        return pick.endpoint.url

    def at(self, url: str, verdict: bool | None, *, times: int = 1) -> None:
        """Attempts at one endpoint, whatever the balancer would say."""
        for _ in range(times):
            assert self.attempt(verdict, admits=lambda each: each == url) == url

    def shares(self, attempts: int, **asked: Any) -> Counter[str]:
        """Where so many attempts went, one after the other, each of them done at once."""
        return Counter(self.attempt(**asked) for _ in range(attempts))

    def load(self, attempts: int, every_s: float, latency_s: Mapping[str, float]) -> Counter[str]:
        """Where they went when they overlapped: they arrive at random, and take about so long."""
        served: Counter[str] = Counter()
        under_way: list[tuple[float, int, Any]] = []
        for number in range(attempts):
            arrival_s = self.time.now + self.random.expovariate(1 / every_s)
            while under_way and under_way[0][0] <= arrival_s:
                self.time.now, _, done = heapq.heappop(under_way)
                self.pool.settle(done, True)
            self.time.now = arrival_s
            pick = self.pool.pick()
            assert pick is not None
            url = pick.endpoint.url
            served[url] += 1
            took_s = latency_s[url] * self.random.uniform(0.8, 1.2)
            heapq.heappush(under_way, (arrival_s + took_s, number, pick))
        for _, _, pick in under_way:
            self.pool.settle(pick, True)
        return served


def misfit(found: Mapping[str, int], weights: Mapping[str, float]) -> float:
    """Pearson's chi-squared of counts against the shares that the weights promise."""
    total, whole = sum(found.values()), sum(weights.values())
    expected = {url: total * weight / whole for url, weight in weights.items()}
    return sum((found.get(url, 0) - count) ** 2 / count for url, count in expected.items())


def only(*urls: str) -> Callable[[str], bool]:
    """What a breaker would admit."""
    return lambda url: url in urls
