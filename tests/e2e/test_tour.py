"""The guided tour, as `make demo` runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from dhatu_reference.stack import Stack

TOUR = Path(__file__).parents[2] / "sdk-python" / "examples" / "tour.py"


def test_the_tour_reaches_its_end(stack: Stack, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DHATU_BASE_URL": stack.addresses.gateway,
        "DHATU_API_KEY": stack.create_key("tourist"),
    }
    done = subprocess.run(
        [sys.executable, str(TOUR)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for landmark in (
        "to the letter",
        "documents match",
        "root     gam",
        "AuthenticationError",
        "PermissionDeniedError",
        "/colour",
        "Retry-After",
        "That was the tour",
    ):
        assert landmark in done.stdout
    assert (tmp_path / "build" / "patterns.svg").read_text(encoding="utf-8").startswith("<?xml")
