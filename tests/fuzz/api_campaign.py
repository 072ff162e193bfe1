"""Requests made up from the specification (schemathesis), against the platform as the demo starts it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.core.failures import FailureGroup

from .campaign import Progress, Property, campaign
from .held import Fault, check_log, check_released, held_by
from .platform import Platform, with_reference_services

_UNWANTED = (
    "ensure_resource_availability",  # the last three need calls that follow one another
    "use_after_free",
    "object_level_authorization",
    "ignored_auth",  # sends requests of its own; `_check_refused` does the same with those at hand
)
_KNOW_BETTER = frozenset(
    {
        "collect",  # a file must hold text
        "decompress",  # the bytes must be what the algorithm made
        "search",  # a cursor comes from the page before
        "listApiKeys",  # likewise
        "visualizePatterns",  # one of two members, which the document says in words
    }
)
"""Operations that refuse some of what their schema allows, with 400, for the reason given."""
_TOO_MUCH = frozenset({413, 414, 431})
"""Neither right nor wrong: more than the gateway takes."""
_SLOW = frozenset({"analysis"})
"""Services that may need longer than they have for texts made to be difficult, on a busy machine."""
_ANSWERED_WITHIN_S = 60.0
_WARM = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request of schemathesis, and who makes it."""

    case: schemathesis.Case[Any]
    known: bool
    """With a credential that allows everything, or with none."""


def fuzz_api(directory: Path, requests: int, seed: int, progress: Progress) -> str:
    """Return what the gateway held in the end; raises `Found` or `Fault`."""
    with with_reference_services(directory) as platform:
        properties = list(_properties(platform))
        each = max(1, requests // len(properties))
        warm = max(1, each // _WARM)
        for number, tried in enumerate(properties):
            campaign(tried, warm, seed + number * 1_000, progress)
        before = check_released(platform.probe, held_by(platform.probe))
        for number, tried in enumerate(properties):
            campaign(tried, max(1, each - warm), seed + number * 1_000 + 500, progress)
        after = check_released(platform.probe, before)
        check_log(platform.gateway_log)
        if running := platform.in_flight():
            raise Fault(f"{running} requests to services never end")
    return f"{before} -> {after}"


def _properties(platform: Platform) -> Iterator[Property[Call]]:
    """One for each operation, with data that the document allows, and with data that it does not."""
    document = orjson.loads(files("dhatu_gateway.generated").joinpath("openapi.json").read_bytes())
    schema = schemathesis.openapi.from_dict(document)
    session = requests.Session()
    checks = CHECKS.get_all()
    wanted = [check for check in checks if check.__name__ not in _UNWANTED]

    def hold(call: Call) -> Iterator[int]:
        headers = {"X-API-Key": platform.key} if call.known else {}
        answer = call.case.call(
            base_url=platform.url, session=session, headers=headers, timeout=_ANSWERED_WITHIN_S
        )
        _check(call, answer, wanted)
        yield 1

    for result in schema.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr]  # raises where the document cannot be read
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            yield Property(
                examples=st.builds(
                    lambda case, known: Call(case=case, known=known),
                    operation.as_strategy(generation_mode=mode),
                    st.sampled_from((True, True, True, False)),
                ),
                hold=hold,
                show=lambda call: call.case.as_curl_command(base_url=platform.url),
            )


def _check(call: Call, response: Any, checks: list[Any]) -> None:
    status, operation = response.status_code, call.case.operation.definition.raw
    if status == 504 and operation["x-dhatu"]["service"] in _SLOW:
        return  # what the document says of a service that takes too long
    if status >= 500:
        raise Fault(f"answered with {status}: {response.text[:2000]}")
    if operation["security"] and not call.known and status < 400:
        raise Fault(f"answered with {status}, though nobody said who calls")
    unfit = set[str]()
    if operation["operationId"] in _KNOW_BETTER or status in _TOO_MUCH:
        unfit.add("positive_data_acceptance")
    if status in _TOO_MUCH or (call.case.media_type or "").startswith("multipart/"):
        unfit.add("negative_data_rejection")  # in a form a wrong type is a text like any other
    try:
        call.case.validate_response(response, checks=[c for c in checks if c.__name__ not in unfit])
    except FailureGroup as failures:
        told = "\n\n".join(f"{failure.title}: {failure.message}" for failure in failures.exceptions)
        raise Fault(f"answered with {status}: {told}") from failures
