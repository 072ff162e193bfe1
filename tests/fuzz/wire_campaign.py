"""Requests down to the byte, against a gateway whose services read strictly."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import orjson
from hypothesis import strategies as st

from .campaign import Progress, Property, campaign
from .draft import Attempt
from .held import Fault, check_log, check_released, held_by
from .mutations import attempts
from .platform import with_strict_service
from .seeds import seeds_of
from .wire import WireFuzzer

_WARM = 10
"""The part of the requests by which caches fill and pools open, one in so many."""


def fuzz_wire(directory: Path, requests: int, seed: int, progress: Progress) -> str:
    """Return what the gateway held in the end; raises `Found` or `Fault`."""
    document = orjson.loads(files("dhatu_gateway.generated").joinpath("openapi.json").read_bytes())
    with with_strict_service(directory) as (platform, log):
        fuzzer = WireFuzzer(platform.port, log)
        tried = Property(
            examples=st.tuples(attempts(seeds_of(document), platform.key.encode()), st.integers(0, 2**32)),
            hold=lambda example: fuzzer.play(*example),
            show=lambda _: _shown(fuzzer.last),
            each=10,
        )
        campaign(tried, warm := requests // _WARM + 1, seed, progress)
        before = check_released(platform.probe, held_by(platform.probe))
        campaign(tried, max(1, requests - warm), seed + 1_000_000, progress)
        after = check_released(platform.probe, before)
        check_log(platform.gateway_log)
        if running := platform.in_flight():
            raise Fault(f"{running} requests to services never end")
    return f"{before} -> {after}"


def _shown(attempt: Attempt) -> str:
    pieces = "\n".join(f"  {piece!r}" for piece in attempt.pieces)
    return f"{pieces}\n  (ends with {attempt.ending})"
