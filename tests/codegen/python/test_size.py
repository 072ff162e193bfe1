"""What an operation costs in generated source: what is read by people should stay readable."""

from __future__ import annotations

import pytest
from codegen.project import REPOSITORY

GENERATED = REPOSITORY / "sdk-python" / "src" / "dhatu_client" / "generated"


@pytest.mark.parametrize(
    ("left_out", "most_bytes"),
    [
        (
            ("models", "inputs.py", "commands.py"),
            3_000,
        ),  # methods of both colours in every form, descriptors, api.md
        (("models", "inputs.py"), 4_000),  # and the table of the command line
    ],
)
def test_an_operation_of_the_platform_costs_at_most(left_out: tuple[str, ...], most_bytes: int) -> None:
    operations = (GENERATED / "api.md").read_text(encoding="utf-8").count("\n- `client.")
    sizes = {
        path.relative_to(GENERATED).as_posix(): path.stat().st_size
        for path in GENERATED.rglob("*")
        if path.suffix in (".py", ".md") and path.relative_to(GENERATED).parts[0] not in left_out
    }
    assert operations > 20
    assert sum(sizes.values()) / operations <= most_bytes, sizes
