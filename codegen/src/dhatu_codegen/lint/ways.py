"""Ways to a service that contradict themselves, found before the gateway boots."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostics
from ..document import Node
from ..ir.api import Api, Service
from ..ir.operation import Operation
from ..pointer import join


def ways(api: Api, diagnostics: Diagnostics) -> None:
    """DH059: repeats that the class forbids, times that never come, numbers in the wrong order."""
    document = Node.of(api.document)
    for operation in api.operations:
        place = document.at(join("paths", operation.path, operation.method.lower(), "x-dhatu"))
        for key, fault in _of_operation(operation, place):
            found = place.get(key) if place else None
            source = found.place if found else operation.source
            diagnostics.add("DH059", f"{operation.key}: {fault}", source)
    for service in api.services:
        written = document.at(join("x-dhatu", "services", service.name, "upstream", "concurrency"))
        for fault in _of_service(service):
            if written is not None:
                diagnostics.add("DH059", f"{service.name}: {fault}", written.place)


def _of_operation(operation: Operation, place: Node | None) -> Iterator[tuple[str, str]]:
    """The key, and what is wrong with it."""
    policy = operation.policy
    retry = place.get("retry") if place else None
    asks = retry is not None and (retry.get("attempts") or retry.get("per_try_timeout_s"))
    if policy.retry == "never" and asks and policy.tries.attempts > 1:
        yield "retry", "it says how to repeat a call whose class is never"
    try_s = policy.tries.per_try_timeout_s
    if try_s is not None and try_s >= policy.timeout_s:
        yield "retry", f"per_try_timeout_s is not below the {policy.timeout_s:g} s that the whole call has"
    hedge = policy.hedge
    if hedge is None:
        return
    if policy.retry not in ("safe", "idempotent"):
        yield "hedge", f"two attempts at once need the class safe or idempotent, and it is {policy.retry}"
    if hedge.after_s is not None and hedge.after_s >= policy.timeout_s:
        yield "hedge", f"after_s is not below the {policy.timeout_s:g} s that the whole call has"


def _of_service(service: Service) -> Iterator[str]:
    concurrency = service.upstream.concurrency
    adaptive = concurrency.adaptive if concurrency else None
    if adaptive is not None and not adaptive.min <= adaptive.initial <= adaptive.max:
        yield f"initial ({adaptive.initial}) is not between min ({adaptive.min}) and max ({adaptive.max})"
