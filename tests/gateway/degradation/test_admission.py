"""Which calls are refused for what is not about them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import pytest
from dhatu_gateway.core.degradation.admission import build_admission
from dhatu_gateway.core.degradation.maintenance import (
    Maintenance,
    MaintenanceFileError,
    Window,
    read_window,
)
from dhatu_gateway.core.exchange import Exchange
from dhatu_gateway.core.pipeline import Policies
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.core.types import Priority
from gateway.support import compose, make_route, serving

SERVICES = frozenset({"echo", "corpus", "system"})


@dataclass
class Calls:
    in_flight: int


def is_admitted(priority: Priority, in_flight: int, max_in_flight: int = 100) -> bool:
    route = make_route(priority=priority)
    admit = build_admission(route, Calls(in_flight), max_in_flight=max_in_flight, maintenance=None)
    try:
        if admit is not None:
            admit(Exchange())
    except ProblemError as error:
        return (error.problem.kind, error.problem.headers) != ("overloaded", ((b"retry-after", b"1"),))
    return True


@pytest.mark.parametrize(
    ("priority", "most"), [("low", 50), ("normal", 80), ("high", 100), ("critical", 1_000_000)]
)
def test_what_matters_less_is_refused_first(priority: Priority, most: int) -> None:
    assert is_admitted(priority, most)
    assert is_admitted(priority, most + 1) is (priority == "critical")


def test_without_a_limit_nobody_is_refused() -> None:
    route = make_route(priority="low")
    assert build_admission(route, Calls(10**9), max_in_flight=0, maintenance=None) is None


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("", Window()),
        (" \n", Window()),
        ("{}", Window()),
        ('{"services": ["corpus"]}', Window(services=frozenset({"corpus"}))),
        (
            '{"message": "Back at noon.", "retry_after_s": 5}',
            Window(message="Back at noon.", retry_after_s=5),
        ),
    ],
)
def test_what_the_file_may_say(text: str, window: Window) -> None:
    assert read_window(text.encode(), SERVICES) == window


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "no JSON"),
        ("[]", "must be an object of message, retry_after_s, services"),
        ('{"service": "corpus"}', "must be an object of"),
        ('{"services": "corpus"}', "must list some of corpus, echo, system"),
        ('{"services": ["corpse"]}', "must list some of"),
        ('{"message": ""}', "`message` must be a text"),
        ('{"retry_after_s": true}', "`retry_after_s` must be"),
        ('{"retry_after_s": -1}', "`retry_after_s` must be"),
    ],
)
def test_what_the_file_may_not_say(text: str, complaint: str) -> None:
    with pytest.raises(MaintenanceFileError, match=complaint):
        read_window(text.encode(), SERVICES)


async def test_a_file_takes_services_out_of_use_and_its_removal_brings_them_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "maintenance.json"
    maintenance = Maintenance(file)
    maintenance.know(SERVICES)
    counted = Calls(0)
    policies = Policies(
        authenticate=lambda route: None,
        authorize=lambda route: None,
        rate_limit=lambda route: None,
        admit=lambda route: build_admission(route, counted, max_in_flight=0, maintenance=maintenance),
    )
    bench = compose(make_route(), make_route(path="/own", service="system"), policies=policies)
    async with serving(bench.edge) as client:

        async def statuses() -> list[int]:
            maintenance.look()
            return [(await client.request("GET", path)).status for path in ("/api/v1/things", "/own")]

        assert await statuses() == [200, 200]
        file.touch()
        assert await statuses() == [503, 200]
        file.write_text('{"services": ["system"]}')
        assert await statuses() == [200, 503]
        file.write_text('{"services": ["echo"], "message": "Back at noon.", "retry_after_s": 7}')
        maintenance.look()
        refused = await client.request("GET", "/api/v1/things")
        file.write_text("oops")
        with caplog.at_level(logging.ERROR):
            assert await statuses() == [503, 200]
        file.unlink()
        assert await statuses() == [200, 200]
        file.write_text('{"services": ["later"]}')
        assert await statuses() == [200, 200]
        maintenance.know({"later", "echo"})
        assert maintenance.window is not None
        assert maintenance.window.services == frozenset({"later"})
        file.unlink()
        maintenance.know(SERVICES)
        assert maintenance.window is None
    assert refused.json["detail"] == "Back at noon."
    assert refused.json["type"].endswith("/maintenance")
    assert refused.headers["retry-after"] == "7"
    assert "changes nothing" in caplog.text
