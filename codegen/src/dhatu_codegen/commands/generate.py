"""One run of `generate`: nothing where nothing changed, otherwise build, compare, and write or report.

Rule of trust: a run without `full` compares the hashes of everything, read and written, with the manifest,
and stops there when all match. Any doubt, and `full`, means that everything is rendered anew and compared
byte by byte. What the manifest says about inputs and generator saves time and decides nothing.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..diagnostics import Diagnostics
from ..ir.source import SourceRef
from ..pipeline import Build, build
from ..targets.base import TargetError
from ..writing.manifest import (
    Manifest,
    ManifestError,
    Output,
    generator_digest,
    input_digests,
    no_op_message,
    read_manifest,
    unchanged,
)
from ..writing.progress import stderr_bar
from ..writing.swap import Busy, locked, recover
from ..writing.watch import snapshot, watch
from ..writing.write import Difference, compare, report_difference, write

_MEND: Final = "run `make generate` and commit the result"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    check: bool = False
    """Write nothing."""
    full: bool = False
    """Render anew even where nothing seems to have changed."""
    force: bool = False
    """Overwrite files that were edited by hand, or that codegen did not write."""
    show: Callable[[Diagnostics], None]
    """Prints diagnostics."""
    quiet: bool = False
    """Standard output belongs to a machine-readable format."""


def run(folder: Path, options: Options) -> bool:
    """Generate or check; True where all is well afterwards."""
    output = Output(root=folder)
    current = None if options.full or options.quiet else unchanged(output)
    if current is not None:
        print(no_op_message(current))
        return True
    try:
        if not options.check and output.swap.exists():
            with locked(output):
                _tell(options, f"{recover(output)} what an interrupted run had left")
        return _run(output, options)
    except (TargetError, Busy, OSError) as error:
        print(f"{error}\nnothing was written", file=sys.stderr)
        return False


def keep_current(folder: Path, options: Options, sleep: Callable[[float], None] = time.sleep) -> None:
    """Generate at every change, until Ctrl-C; what was written last stays where the specs have errors."""

    def rebuild() -> None:
        began_s = time.monotonic()
        kept = "" if run(folder, options) else "; the files of the last good run are kept"
        _tell(options, f"watching spec/ ({time.monotonic() - began_s:.1f} s{kept})")
        gc.collect()  # nobody waits now, and it is off otherwise

    watch(lambda: snapshot(folder), rebuild, sleep)


def _run(output: Output, options: Options) -> bool:
    inputs = input_digests(output.root)  # before the build: a file that changes meanwhile counts as changed
    with stderr_bar() as progress:
        built = build(output.root, progress=progress)
    diagnostics = built.diagnostics
    if diagnostics.errors:
        options.show(diagnostics)
        print("the specs have errors" if options.check else "nothing was written", file=sys.stderr)
        return False
    inputs = {**input_digests(output.root, diagnostics.files), **inputs}
    remarks = diagnostics.summary  # of the specs; what follows is about the disk
    if options.check:
        return _check(output, built, options)
    with locked(output):
        manifest = _manifest(output, options, diagnostics)
        difference = compare(output, built.files, manifest)
        report_difference(output, difference, built.files, diagnostics, force=options.force)
        options.show(diagnostics)
        if diagnostics.errors:
            print("nothing was written", file=sys.stderr)
            return False
        told = Manifest(generator=generator_digest(), inputs=inputs, remarks=remarks)
        write(output, built.files, difference, told)
    for word, paths in _changes(difference):
        for path in paths:
            _tell(options, f"{word} {path}")
    _tell(options, f"{len(built.files)} generated files are current")
    return True


def _check(output: Output, built: Build, options: Options) -> bool:
    diagnostics = built.diagnostics
    manifest = _manifest(output, options, diagnostics)
    difference = compare(output, built.files, manifest)
    options.show(diagnostics)
    interrupted = output.swap.exists()
    missing = manifest is None and not (output.root / output.manifest).exists()
    if not (difference or interrupted or missing or diagnostics.errors):
        _tell(options, f"{len(built.files)} generated files are current")
        return True
    print("generated files are not current:", file=sys.stderr)
    for kind in ("stale", "missing", "orphaned", "edited", "blocked", "foreign"):
        for path in getattr(difference, kind):
            print(f"  {kind:<8} {path}", file=sys.stderr)
    if missing:
        print(f"  missing  {output.manifest}", file=sys.stderr)
    if interrupted:
        print("  a run was interrupted before it was through", file=sys.stderr)
    print(_mend(difference), file=sys.stderr)
    return False


def _mend(difference: Difference) -> str:
    """The commands that help, the gentle one first."""
    lines: list[str] = []
    if difference.edited or difference.blocked:
        lines.append("edits belong in spec/ or a template; `dhatu-codegen generate --force` discards them")
    if difference.foreign:
        lines.append("move foreign files elsewhere, or delete them")
    return "\n".join([*lines, _MEND])


def _manifest(output: Output, options: Options, diagnostics: Diagnostics) -> Manifest | None:
    """DH073: the manifest cannot be read, so that hand edits cannot be told from old files."""
    try:
        return read_manifest(output)
    except ManifestError as error:
        if not options.force:
            diagnostics.add(
                "DH073",
                str(error),
                SourceRef(file=output.manifest, line=1, column=1, pointer=""),
                hint="after a merge conflict: `generate --force` writes everything anew",
            )
        return None


def _changes(difference: Difference) -> Iterable[tuple[str, tuple[str, ...]]]:
    return (
        ("rewrote", difference.stale),
        ("created", difference.missing),
        ("overwrote", (*difference.edited, *difference.blocked)),
        ("deleted", difference.orphaned),
    )


def _tell(options: Options, line: str) -> None:
    print(line, file=sys.stderr if options.quiet else sys.stdout, flush=True)
