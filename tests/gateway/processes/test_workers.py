"""Several worker processes: they are replaced when they die, renewed on demand, and end together."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from gateway.processes.support import Load, gateway, until


@pytest.mark.xdist_group("workers")
def test_workers_are_replaced_and_renewed_while_the_others_serve(tmp_path: Path) -> None:
    with gateway(tmp_path, GATEWAY_WORKERS="2") as running:
        running.logged("ready")
        before = running.workers()
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        running.logged(f"worker {victim} has ended by SIGKILL")
        load = Load(running.port)
        with load.running(clients=3):
            until(lambda: len(running.workers() - before) == 1, "a successor")
            assert running.workers() & before == before - {victim}
            until(lambda: load.calls > 100, "calls")
        assert (load.failures, set(load.statuses)) == ([], {404})

        before = running.workers()
        load = Load(running.port)
        with load.running(clients=3):
            running.process.send_signal(signal.SIGUSR2)
            until(lambda: not running.workers() & before, "all renewed")
        assert len(running.workers()) == 2
        assert (load.failures, set(load.statuses)) == ([], {404})

        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(30) == 130
        assert "Traceback" not in "".join(running.lines)


def test_a_gateway_whose_workers_cannot_start_says_so_and_ends(tmp_path: Path) -> None:
    """The directory of the database does not exist."""
    with gateway(tmp_path, GATEWAY_WORKERS="2", GATEWAY_DATABASE="nowhere/keys.sqlite3") as running:
        assert running.process.wait(60) == 1
        running.logged("the gateway cannot start")
        running.logged("a worker cannot start, see what it has logged")


def test_workers_end_when_their_parent_is_gone(tmp_path: Path) -> None:
    with gateway(tmp_path, GATEWAY_WORKERS="2") as running:
        running.logged("ready")
        workers = running.workers()
        running.process.kill()
        until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in workers), "orphans end")


@pytest.mark.xdist_group("workers")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_server_that_workers_share_ends_with_the_gateway(tmp_path: Path, number: signal.Signals) -> None:
    with gateway(tmp_path, GATEWAY_WORKERS="2", GATEWAY_DRAIN_S="0") as running:
        running.logged("ready")
        [pid_file] = tmp_path.glob("dhatu-*/valkey.pid")
        server = Path("/proc", pid_file.read_text().strip(), "cmdline")
        assert "valkey" in server.read_text()
        running.process.send_signal(number)
        until(lambda: not server.exists() and not pid_file.parent.exists(), "the server ends")


def test_readiness_is_off_at_once_and_the_second_signal_ends_it(tmp_path: Path) -> None:
    with gateway(tmp_path, GATEWAY_DRAIN_DELAY_S="3600") as running:
        assert running.ask("/api/v1/health/ready")[0] == 200
        running.process.send_signal(signal.SIGTERM)
        until(lambda: running.ask("/api/v1/health/ready")[0] == 503, "readiness is off")
        assert running.ask("/api/v1/health/live")[0] == 200
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(30) == 130
