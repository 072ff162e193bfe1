"""The order of everything: load, upgrade, overlay, check, merge, parse, lint, diff, render, write.

Every stage adds its problems to the same `Diagnostics` and goes on while it can, so that one run reports them
all; nothing is written while there is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from .check import check_document
from .diagnostics import Diagnostics
from .diff.gate import compare_with_released, write_released
from .document import Map, Node
from .emit import to_yaml
from .extension import check_platform
from .ir.api import Api
from .lint import lint
from .lint.switches import switch_rules
from .merge import ServiceDocument, merge
from .overlay import apply_overlays
from .parse.document import parse
from .reading.load import load
from .targets import TARGETS
from .targets.base import HEADER, GeneratedFile, Target
from .upgrade import upgrade
from .writing.progress import Progress, silent

PLATFORM_FILE: Final = "spec/platform.yaml"
SCHEMA_FILE: Final = "spec/x-dhatu.schema.json"
MERGED_FILE: Final = "spec/generated/openapi.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What a run gave."""

    api: Api | None
    """None where the documents could not be merged."""
    files: tuple[GeneratedFile, ...]
    """Empty where there is an error."""
    diagnostics: Diagnostics


def build(root: Path, targets: tuple[Target, ...] = TARGETS, progress: Progress = silent) -> Build:
    """Everything up to the disk."""
    diagnostics = Diagnostics()
    progress("reading the specs", 0.0)
    merged = read_spec(root, diagnostics)
    if merged is None:
        return Build(api=None, files=(), diagnostics=diagnostics)
    progress("checking", 0.3)
    api = parse(merged, diagnostics)
    lint(api, diagnostics)
    report_unsupported(api, targets, diagnostics)
    if not diagnostics.errors:
        compare_with_released(root, merged, date.today(), diagnostics)
    files = () if diagnostics.errors else render(api, targets, progress)
    return Build(api=api, files=files, diagnostics=diagnostics)


def release_document(root: Path) -> Diagnostics:
    """Make the merged document the released one, whatever it breaks; only its own errors prevent it."""
    diagnostics = Diagnostics()
    merged = read_spec(root, diagnostics)
    if merged is not None:
        lint(parse(merged, diagnostics), diagnostics)
    if merged is not None and not diagnostics.errors:
        write_released(root, merged)
    return diagnostics


def read_spec(root: Path, diagnostics: Diagnostics) -> Map | None:
    """Load, check and merge; documents that are broken stay out of the merge."""
    platform = load(root, PLATFORM_FILE, diagnostics)
    schema = load(root, SCHEMA_FILE, diagnostics)
    if platform is None or schema is None or not check_platform(platform, schema, diagnostics):
        return None
    switch_rules(platform, diagnostics)
    services: list[ServiceDocument] = []
    entries = Node.of(platform).get("services")
    for name, entry in entries.members() if entries else ():
        spec = entry.get("spec")
        document = load(
            root, f"spec/{entry.text('spec')}", diagnostics, named_at=spec.place if spec else None
        )
        if document is None:
            continue
        document = apply_overlays(root, entry, upgrade(document, diagnostics), diagnostics)
        if check_document(document, schema, diagnostics):
            services.append(ServiceDocument(name=name, document=document))
    return merge(platform, tuple(services), diagnostics)


def report_unsupported(api: Api, targets: tuple[Target, ...], diagnostics: Diagnostics) -> None:
    """DH013: an operation asks for what a target does not do; and what else a target says itself."""
    for target in targets:
        target.check(api, diagnostics)
        for unsupported in target.unsupported:
            for operation in api.operations:
                if unsupported.asked_for(operation.policy):
                    message = (
                        f"{operation.key} asks for {unsupported.policy}: the {target.name} does not honour it"
                    )
                    diagnostics.add("DH013", message, operation.source)


def render(api: Api, targets: tuple[Target, ...], progress: Progress = silent) -> tuple[GeneratedFile, ...]:
    """The merged document, and what every target makes of it."""
    files = [GeneratedFile(path=MERGED_FILE, text=to_yaml(api.document, HEADER))]
    for number, target in enumerate(targets):
        progress(f"rendering: {target.name}", 0.5 + 0.5 * number / len(targets))
        files += target.render(api)
    return tuple(files)
