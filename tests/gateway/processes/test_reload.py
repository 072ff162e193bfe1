"""Reloads of a whole gateway while clients call: the short form of `make soak`."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from gateway.processes.support import command, gateway, until
from soak.reloads import Plan, run
from soak.tables import Versions


@pytest.mark.xdist_group("workers")
async def test_no_call_fails_and_no_verdict_is_wrong_while_tables_change(tmp_path: Path) -> None:
    figures = await run(Plan(reloads=10, routes=200, changing=50, clients=2, probes=5), tmp_path)
    assert (figures.failed, figures.wrong) == ([], [])
    assert figures.calls > 20


@pytest.mark.xdist_group("workers")
def test_sighup_reloads_and_a_bad_table_is_refused_with_its_line(tmp_path: Path) -> None:
    versions, table = Versions.of(routes=6, changing=5), tmp_path / "table.jsonl"
    versions.write(table, 0)
    with gateway(tmp_path, GATEWAY_TABLE=str(table)) as running:
        running.logged("ready")
        assert running.ask(versions.target(1))[0] == 404
        versions.write(table, 1)
        running.process.send_signal(signal.SIGHUP)
        running.logged("the gateway serves the table")
        assert running.ask(versions.target(1))[0] != 404
        table.write_text(table.read_text() + "{}\n")
        running.process.send_signal(signal.SIGHUP)
        running.logged(": route: Field required")
        assert running.ask(versions.target(1))[0] != 404


@pytest.mark.xdist_group("workers")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_audit_log_tells_of_reloads_and_of_those_that_were_refused(tmp_path: Path, workers: str) -> None:
    versions, table = Versions.of(routes=6, changing=5), tmp_path / "table.jsonl"
    versions.write(table, 0)
    with gateway(tmp_path, GATEWAY_TABLE=str(table), GATEWAY_WORKERS=workers) as running:
        running.logged("ready")
        made = command(tmp_path, "keys", "create", "--name", "ops", "--scope", "system:manage", "--quiet")
        answer = running.ask("/api/v1/admin/reload", {"X-API-Key": made.strip()}, "POST")
        assert answer[0] == 200
        table.write_text(table.read_text() + "{}\n")
        running.process.send_signal(signal.SIGHUP)
        running.logged("serves what it served before")
        until(lambda: len(_reloads(tmp_path)) == 2, "the refused reload is not in the log")
    refused, done = _reloads(tmp_path)
    assert done[1:] == ["gateway.reload", f"table:{answer[1]['table']}", f"{answer[1]['routes']} operations"]
    assert done[0].startswith("key:")
    assert (refused[0], refused[2], "route: Field required" in refused[3]) == ("operator", "table", True)


def _reloads(directory: Path) -> list[list[str]]:
    """Actor, act, target and details, the newest first."""
    lines = command(directory, "audit").splitlines()
    return [line.split("  ")[1:] for line in lines if "gateway.reload" in line]
