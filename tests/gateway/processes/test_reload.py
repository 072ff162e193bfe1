"""Reloads of a whole gateway while clients call: the short form of `make soak`."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from gateway.processes.support import gateway
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
