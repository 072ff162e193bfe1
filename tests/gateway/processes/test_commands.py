"""The commands that ask a running gateway, and the one that looks before it is asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from gateway.processes.support import command, gateway
from soak.tables import Versions

pytestmark = pytest.mark.xdist_group("workers")


def run(directory: Path, *words: str, **environment: str) -> tuple[int, str, str]:
    """Exit code, output and complaints."""
    words = (sys.executable, "-m", "dhatu_gateway", *words)
    settings = {**os.environ, "GATEWAY_DEMO": "1", **environment}
    ran = subprocess.run(words, cwd=directory, env=settings, check=False, capture_output=True, text=True)
    return ran.returncode, ran.stdout, ran.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_running_gateway_is_shown_and_reloaded(tmp_path: Path, workers: str) -> None:
    versions, table = Versions.of(routes=6, changing=5), tmp_path / "table.jsonl"
    versions.write(table, 0)
    with gateway(tmp_path, GATEWAY_TABLE=str(table), GATEWAY_WORKERS=workers) as running:
        running.logged("ready")
        environment = {
            "GATEWAY_PORT": str(running.port),
            "GATEWAY_API_KEY": key(tmp_path, "system:read", "system:manage"),
        }
        code, before, complaints = run(tmp_path, "status", **environment)
        assert (code, complaints) == (0, "")
        assert len(before.splitlines()[1].split(" (")[0].split()) == 1 + int(workers)
        assert any(line.split() == ["compression", "failed"] for line in before.splitlines())

        versions.write(table, 1)
        code, said, complaints = run(tmp_path, "reload", **environment)
        assert (code, complaints) == (0, "")
        digest = said.split("the table ")[1].split(":")[0]
        assert digest in run(tmp_path, "status", **environment)[1].splitlines()[0]

        table.write_text(table.read_text() + "{}\n")
        code, said, complaints = run(tmp_path, "reload", **environment)
        assert (code, said) == (1, "")
        assert "Nothing has changed" in complaints
        assert f"{table}:" in complaints


def test_who_may_not_ask_is_told_so(tmp_path: Path) -> None:
    with gateway(tmp_path) as running:
        running.logged("ready")
        url = f"http://127.0.0.1:{running.port}"
        wrong = run(tmp_path, "status", "--url", url, GATEWAY_API_KEY="dhk_wrong")
        reader = run(tmp_path, "reload", "--url", url, "--key", key(tmp_path, "system:read"))
        without = run(tmp_path, "status", "--url", url)
    assert (wrong[0], "answers 401" in wrong[2]) == (1, True)
    assert (reader[0], "system:manage is missing" in reader[2]) == (1, True)
    assert (without[0], "--key" in without[2]) == (2, True)


def test_where_nobody_is_there_is_nothing_to_show(tmp_path: Path) -> None:
    code, said, complaints = run(tmp_path, "status", "--url", "http://127.0.0.1:1", "--key", "k")
    assert (code, said) == (1, "")
    assert complaints.startswith("http://127.0.0.1:1/api/v1/status cannot be asked: ")
    assert len(complaints.splitlines()) == 1


def test_a_table_is_compared_with_the_one_before(tmp_path: Path) -> None:
    before, after = tmp_path / "before.jsonl", tmp_path / "after.jsonl"
    versions = Versions.of(routes=6, changing=5)
    versions.write(before, 0)
    versions.write(after, 1)
    code, said, complaints = run(tmp_path, "check-config", "--before", str(before), GATEWAY_TABLE=str(after))
    assert (code, complaints) == (0, "")
    changes = [line for line in said.splitlines() if line[:2] in ("+ ", "- ", "~ ")]
    assert changes
    assert said.splitlines()[-1].startswith("ok: ")
    same = run(tmp_path, "check-config", "--before", str(after), GATEWAY_TABLE=str(after))[1]
    assert not [line for line in same.splitlines() if line[:2] in ("+ ", "- ", "~ ")]
    code, _, complaints = run(tmp_path, "check-config", "--before", str(before))
    assert (code, "only tables from files can be compared" in complaints) == (1, True)


def key(directory: Path, *scopes: str) -> str:
    granted = [word for scope in scopes for word in ("--scope", scope)]
    return command(directory, "keys", "create", "--name", "ops", *granted, "--quiet").strip()
