"""How long `dhatu-codegen` takes: on this platform, and for each schema of documents of two sizes.

BENCH_OPENAPI may name a document of your own, from which the Python SDK is made as well.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TypeVar

from dhatu_codegen.check import check_document
from dhatu_codegen.diagnostics import Diagnostics
from dhatu_codegen.lint import lint
from dhatu_codegen.merge import ServiceDocument, merge
from dhatu_codegen.parse.document import parse
from dhatu_codegen.pipeline import PLATFORM_FILE, SCHEMA_FILE
from dhatu_codegen.reading.load import load
from dhatu_codegen.targets import TARGETS
from dhatu_codegen.upgrade import upgrade

from .report import Figure, report
from .synthetic import write_specs

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from dhatu_codegen.entry import main; main()"]
SIZES = (1000, 4000)
ROUNDS = 5

T = TypeVar("T")


def main() -> None:
    """Measure, print, and write build/bench.json."""
    report(platform())
    with tempfile.TemporaryDirectory() as folder:
        small, large = (steps(Path(folder) / str(size), size) for size in SIZES)
        report(growth(small, large))
        document = os.environ.get("BENCH_OPENAPI")
        if document:
            report(real(Path(document).resolve(), Path(folder)))


def platform() -> list[Figure]:
    """The command as people run it, in a process of its own."""
    cold = [run("generate", "--check", "--full") for _ in range(ROUNDS)]
    warm = [run("generate", "--check") for _ in range(ROUNDS)]
    return [
        Figure(name="codegen: all rendered anew", value=median(cold), unit="s"),
        Figure(name="codegen: nothing to do", value=1000 * median(warm), unit="ms"),
    ]


def run(*arguments: str) -> float:
    """Seconds that a command takes, which must succeed."""
    began_s = time.perf_counter()
    subprocess.run([*COMMAND, *arguments], cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - began_s


def steps(root: Path, schemas: int) -> dict[str, float]:
    """Milliseconds of the processor for each schema, by step."""
    write_specs(root, schemas, ROOT / SCHEMA_FILE)
    diagnostics = Diagnostics()
    found: dict[str, float] = {}

    def timed(step: str, act: Callable[[], T]) -> T:
        began_s = time.process_time()
        result = act()
        found[step] = 1000 * (time.process_time() - began_s) / schemas
        return result

    platform = load(root, PLATFORM_FILE, diagnostics)
    extension = load(root, SCHEMA_FILE, diagnostics)
    read = timed("load", lambda: load(root, "spec/services/large.yaml", diagnostics))
    assert platform is not None
    assert extension is not None
    assert read is not None
    document = timed("upgrade", lambda: upgrade(read, diagnostics))
    assert timed("check", lambda: check_document(document, extension, diagnostics))
    service = ServiceDocument(name="large", document=document)
    merged = timed("merge", lambda: merge(platform, (service,), diagnostics))
    api = timed("parse", lambda: parse(merged, diagnostics))
    timed("lint", lambda: lint(api, diagnostics))
    assert not diagnostics.errors, diagnostics.errors[0]
    for target in TARGETS:
        timed(target.name, lambda target=target: target.render(api))  # type: ignore[misc]  # bound at once
    return found


def growth(small: dict[str, float], large: dict[str, float]) -> list[Figure]:
    """What a schema costs among many, beside what it costs among few: 1 where time grows in proportion."""
    small, large = ({"all": sum(each.values()), **each} for each in (small, large))
    return [
        Figure(
            name=f"codegen: {step}, {SIZES[1]} schemas",
            value=large[step],
            unit="ms/schema",
            ratio=large[step] / small[step],
            against=f"that of {SIZES[0]}",
        )
        for step in large
    ]


def real(document: Path, folder: Path) -> list[Figure]:
    """A Python SDK of a document that somebody else wrote."""
    out = folder / "sdk"
    seconds = run("sdk", str(document), "--name", "bench", "--out", str(out))
    peak_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return [
        Figure(name=f"codegen: SDK of {document.name}", value=seconds, unit="s"),
        Figure(name=f"codegen: memory for {document.name}", value=peak_kib / 1024, unit="MiB"),
    ]


if __name__ == "__main__":
    main()
