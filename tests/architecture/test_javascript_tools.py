"""The tools for JavaScript: new enough, and installed without running what others wrote."""

from __future__ import annotations

import json

import pytest
from node import SDK, run, tool


def test_node_can_require_an_esm_package() -> None:
    major, minor, *_ = map(int, run("node", "--print", "process.versions.node").strip().split("."))
    assert (major, minor) >= (20, 19)


def test_no_package_runs_a_script_when_it_is_installed() -> None:
    assert run("npm", "config", "get", "ignore-scripts").strip() == "true"


def test_every_package_is_held_to_what_it_was_when_it_was_locked() -> None:
    packages = json.loads((SDK / "package-lock.json").read_text("utf-8"))["packages"]
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []


def test_what_is_shipped_needs_no_package() -> None:
    package = json.loads((SDK / "package.json").read_text("utf-8"))
    assert {"dependencies", "peerDependencies", "optionalDependencies"}.isdisjoint(package)


def test_a_tool_that_is_not_there_is_named() -> None:
    with pytest.raises(AssertionError, match="leftpad is not installed; run: make setup"):
        tool("leftpad")


def test_what_a_tool_said_is_told_when_it_fails() -> None:
    with pytest.raises(AssertionError, match="so it is"):
        run("node", "--eval", "console.error('so it is'); process.exit(1)")
