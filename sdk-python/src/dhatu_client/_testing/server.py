"""What stands where the network would be: it finds the operation of a request, and plays its script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import httpx

from .._call import ApiSpec
from .answers import Canned, Reply, canned
from .arguments import arguments_of
from .catalogue import Catalogue, Known
from .clock import VirtualClock


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeCall:
    """One request that arrived; a retry is another one."""

    operation: str
    """As it is called: `corpus.search`."""
    arguments: Mapping[str, object]
    """What was sent, by the names of the method's arguments."""
    request: httpx.Request
    """As it would have gone out."""

    @property
    def headers(self) -> Mapping[str, str]:
        return self.request.headers


Step: TypeAlias = "Canned | Callable[[FakeCall], object]"


@dataclass(slots=True)
class Script:
    """What one operation is to answer, in order, and what it was asked."""

    known: Known
    steps: list[Step] = field(default_factory=list["Step"])
    calls: list[FakeCall] = field(default_factory=list[FakeCall])

    def next(self, api: ApiSpec, call: FakeCall) -> Canned:
        """The next answer; the last one again and again."""
        if not self.steps:
            path = self.known.path
            raise AssertionError(f"{path} was called, but the test never said api.{path}.returns(...)")
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        return (
            step if isinstance(step, Canned) else canned(api, self.known.operation, Reply(value=step(call)))
        )


class FakeServer:
    """Every operation of one API, each with its script."""

    def __init__(self, api: ApiSpec, catalogue: Catalogue) -> None:
        self.api = api
        self.catalogue = catalogue
        self.clock = VirtualClock()
        self.calls: list[FakeCall] = []
        self._scripts: dict[str, Script] = {}

    def script(self, known: Known) -> Script:
        return self._scripts.setdefault(known.path, Script(known))

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Raises what was scripted, and `AssertionError` where nothing was."""
        known = self.catalogue.asked(request.method, str(request.url))
        if known is None:
            raise AssertionError(f"{request.method} {request.url.path} is no operation of this API")
        script = self.script(known)
        call = FakeCall(operation=known.path, arguments=arguments_of(known, request), request=request)
        self.calls.append(call)
        script.calls.append(call)
        step = script.next(self.api, call)
        if isinstance(step.failure, httpx.ReadTimeout):  # the caller has waited all that time
            self.clock.advance(float(request.extensions.get("timeout", {}).get("read") or 0.0))
        return step.response(request)
