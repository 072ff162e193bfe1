"""How an operation answers: success, failure, and how long to wait."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..document import Node
from .survey import Call, Finding, Findings, Survey, members

_PROBLEM: Final = "application/problem+json"
_BODILESS: Final = ("GET", "HEAD", "DELETE", "TRACE")
_EMPTY: Final = ("204", "205", "304")


def too_many_requests(survey: Survey) -> Findings:
    for call in survey.calls:
        statuses = {status.upper() for status, _ in call.responses}
        if not statuses & {"429", "4XX"}:
            message = f"{call.name} does not say how it answers who calls too often"
            yield Finding(message=message, source=call.node.source, hint="describe the response 429")


def wait_headers(survey: Survey) -> Findings:
    for call, status, response in _each_once(survey):
        names = {name.lower() for name, _ in members(response, "headers")}
        limited = any("ratelimit" in name.replace("-", "") for name in names)
        missing = [] if "retry-after" in names else ["Retry-After"]
        missing += [] if limited else ["RateLimit"]
        if status == "429" and missing:
            message = f"the response 429 of {call.name} has no {' and no '.join(missing)}"
            yield Finding(message=message, source=response.source)


def problem_json(survey: Survey) -> Findings:
    for call, status, response in _each_once(survey):
        failure = status[0] in "45" or status == "default"
        media = [name for name, _ in members(response, "content")]
        if failure and not any(name.startswith(_PROBLEM) for name in media):
            message = f"the response {status} of {call.name} is not {_PROBLEM} (RFC 9457)"
            yield Finding(message=message, source=response.source)


def no_success(survey: Survey) -> Findings:
    for call in survey.calls:
        if not any(status[0] in "123" for status, _ in call.responses):
            yield Finding(message=f"{call.name} never succeeds", source=call.node.source)


def body_of_get(survey: Survey) -> Findings:
    for call in survey.calls:
        body = call.node.get("requestBody")
        if body and call.method in _BODILESS:
            message = f"{call.name} takes a body, which has no meaning with {call.method} (RFC 9110)"
            yield Finding(message=message, source=body.source)


def content_of_empty(survey: Survey) -> Findings:
    for call in survey.calls:
        for status, response in call.responses:
            content = response.get("content")
            if status in _EMPTY and content and content.value:
                message = f"a response {status} has no content, and {call.name} describes some"
                yield Finding(message=message, source=content.source)


def _each_once(survey: Survey) -> Iterator[tuple[Call, str, Node]]:
    """Every response under the first operation that gives it: many may refer to the same one."""
    seen: set[tuple[str, str]] = set()
    for call in survey.calls:
        for status, response in call.responses:
            if (status, response.pointer) not in seen:
                seen.add((status, response.pointer))
                yield call, status, response
