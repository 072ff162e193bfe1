"""What all calls of a client share, made from its settings once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from ._flow.endpoints import Endpoints, SingleEndpoint
from ._flow.plan import Policies
from ._policies.breaker import Breakers, BreakerState
from ._policies.budget import RetryBudget
from ._policies.hedge import Hedger
from ._policies.pacing import Pacer
from ._resilience import NEVER_OPEN, UNLIMITED
from ._settings import ClientOptions, Settings, Surroundings
from ._watch.watch import Listener, WatchCall, unwatched

if TYPE_CHECKING:
    from ._watch.events import EndpointEjected, EndpointRestored
    from ._watch.telemetry import Telemetry


class Engine:
    """Endpoints and policies; clones of a client made by `with_options` share them."""

    def __init__(self, settings: Settings, given: ClientOptions, surroundings: Surroundings) -> None:
        resilience = settings.resilience
        self._telemetry = _telemetry(given, settings.log_level, surroundings)
        self._now_s = surroundings.now_s
        self._elsewhere: dict[str, Endpoints] = {}
        self.endpoints = self._endpoints(settings, surroundings)
        now_s = surroundings.now_s
        self.policies = Policies(
            budget=RetryBudget(resilience.budget or UNLIMITED, now_s),
            breakers=Breakers(resilience.breaker or NEVER_OPEN, now_s, self._breaker_changed),
            pacer=Pacer() if resilience.pacing else None,
            hedger=Hedger(resilience.hedge) if resilience.hedge else None,
            watch=self._watch(),
            now_s=now_s,
            wall_s=surroundings.wall_s,
            random=surroundings.random,
        )

    def endpoints_at(self, address: str | None) -> Endpoints:
        """The endpoints of an operation; `address` where it has a server of its own."""
        if address is None:
            return self.endpoints
        found = self._elsewhere.get(address)
        return found or self._elsewhere.setdefault(address, SingleEndpoint(address))

    def _endpoints(self, settings: Settings, surroundings: Surroundings) -> Endpoints:
        if len(settings.base_urls) == 1:
            return SingleEndpoint(settings.base_urls[0].url)
        from ._balance.balanced import Balanced
        from ._balance.policy import BalancePolicy
        from ._balance.pool import EndpointPool

        pool = EndpointPool(
            settings.resilience.balance or BalancePolicy(),
            now_s=surroundings.now_s,
            random=surroundings.random,
            observe=self._endpoint_changed,
        )
        members = settings.provider or settings.base_urls
        return Balanced(pool, members, now_s=surroundings.now_s, keep=self._keep)

    def _keep(self, urls: Collection[str]) -> None:
        self.policies.breakers.keep({*urls, *self._elsewhere})

    def _watch(self) -> WatchCall:
        return self._telemetry.watch if self._telemetry else unwatched

    def _breaker_changed(self, name: str, state: BreakerState) -> None:
        self._logged().breaker_changed(name, state)

    def _endpoint_changed(self, event: EndpointEjected | EndpointRestored) -> None:
        self._logged().endpoint_changed(event)

    def _logged(self) -> Telemetry:
        """For what happens rarely, and is logged even where nobody listens to calls."""
        if self._telemetry is not None:
            return self._telemetry
        from ._watch.log_lines import log_event
        from ._watch.telemetry import Telemetry

        return Telemetry((log_event,), None, self._now_s)


def _telemetry(given: ClientOptions, log_level: str, surroundings: Surroundings) -> Telemetry | None:
    """None where nobody listens, which then costs nothing."""
    from ._watch.logger import show, tells_of_calls

    if log_level:
        show(log_level)
    on_event, tracer = given.get("on_event"), given.get("tracer")
    listeners: Sequence[Listener] = ()
    if on_event is not None:
        listeners = (on_event,) if callable(on_event) else on_event
    if not listeners and tracer is None and not tells_of_calls():
        return None
    from ._watch.log_lines import log_event
    from ._watch.telemetry import Telemetry

    return Telemetry((*listeners, log_event), tracer, surroundings.now_s)
