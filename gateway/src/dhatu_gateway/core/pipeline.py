"""What happens to a request after its path has been matched, in order; composed per route at boot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from dhatu_gateway.core.cors import CrossOrigin, CrossOrigins
from dhatu_gateway.core.deadline import build_deadline
from dhatu_gateway.core.exchange import Exchange, Stage
from dhatu_gateway.core.forward import Terminal
from dhatu_gateway.core.networks import build_networks
from dhatu_gateway.core.shared_caches import build_vary
from dhatu_gateway.core.types import Platform, Route
from dhatu_gateway.core.validation.refusals import Findings
from dhatu_gateway.core.validation.schemas import Schemas
from dhatu_gateway.core.validation.stage import build_validation
from dhatu_gateway.core.versions import Lifecycles
from dhatu_gateway.core.websocket import build_websocket

StageBuilder = Callable[[Route], Stage | None]


class Recorder(Protocol):
    """Counts the answers of one route."""

    def record(self, status: int, duration_s: float, /) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """The stages that other packages provide; each is None where nothing is to be done for a route."""

    authenticate: StageBuilder
    authorize: StageBuilder
    rate_limit: StageBuilder
    admit: StageBuilder = lambda route: None
    """Refuses calls for reasons that are not about them: too many others, or maintenance."""


class Handler:
    """One route, ready to serve."""

    __slots__ = ("_stages", "_terminal", "cross_origin", "recorder", "route")

    def __init__(
        self,
        route: Route,
        stages: Sequence[Stage],
        terminal: Terminal,
        *,
        recorder: Recorder,
        cross_origin: CrossOrigin,
    ) -> None:
        self.route = route
        self.recorder = recorder
        self.cross_origin = cross_origin
        """Answers the preflights of this route; its first stage marks the answers."""
        self._stages = tuple(stages)
        self._terminal = terminal

    async def run(self, exchange: Exchange) -> None:
        """Take the exchange through the stages to its answer; raises what they raise."""
        for stage in self._stages:
            pending = stage(exchange)
            if pending is not None:
                await pending
        await self._terminal(exchange)


class HoldingHandler(Handler):
    """A route whose stages take something that they give back when the exchange is over."""

    __slots__ = ()

    async def run(self, exchange: Exchange) -> None:
        """Give back what was taken, be the answer complete, refused, cut off or cancelled."""
        exchange.on_end = []
        try:
            await super().run(exchange)
        finally:
            for give_back in exchange.on_end:
                give_back()


class Pipeline:
    """Composes the stages of every route.

    Before the first stage, the edge has made the path canonical, matched it, resolved its version and
    answered preflights: without that there is no route. After the last one the terminal answers, with the
    headers that the stages have left, and the edge records.
    """

    def __init__(
        self,
        platform: Platform,
        routes: Iterable[Route],
        schemas: Callable[[Route], Schemas],
        policies: Policies,
        findings: Findings,
    ) -> None:
        lifecycles = Lifecycles(platform, routes)
        self.successor = lifecycles.successor
        # No builder refers to the pipeline: in a circle it would outlive the table that it was made for.
        self._cross_origins = cross_origins = CrossOrigins(platform.cors)
        self._builders: tuple[StageBuilder, ...] = (
            lambda route: cross_origins.of(route).mark,
            lambda route: build_vary(route, platform),
            build_networks,
            lambda route: build_websocket(route, cross_origins.of(route)),
            lifecycles.build,
            lambda route: build_deadline(route, platform.header_prefix),
            policies.admit,
            policies.authenticate,
            policies.authorize,
            policies.rate_limit,
            lambda route: build_validation(route, schemas(route), findings),
        )

    def compose(self, route: Route, terminal: Terminal, recorder: Recorder) -> Handler:
        stages = [stage for build in self._builders if (stage := build(route)) is not None]
        cross_origin = self._cross_origins.of(route)
        make = HoldingHandler if route.holds else Handler
        return make(route, stages, terminal, recorder=recorder, cross_origin=cross_origin)
