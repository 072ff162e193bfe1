"""Clients that do nothing, or read slowly, cost some memory and nobody else anything: the soak in short."""

from __future__ import annotations

from pathlib import Path

from chaos.crowd import Crowd, run


async def test_nobody_fails_beside_idle_connections_and_slow_readers(tmp_path: Path, table: Path) -> None:
    """Nor do the idle and the slow ones themselves."""
    figures = await run(Crowd(idle=500, slow=50, calls=200), tmp_path, table)
    assert (figures.failed, figures.idle_lost, figures.slow_cut) == ({}, 0, 0)
    assert figures.idle_bytes < 40_000
    assert figures.slow_bytes < 1_000_000, "an answer of 4 MiB is not kept for its reader"
