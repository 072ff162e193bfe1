"""What README and docs show in JavaScript is typed as strictly as the SDK itself."""

from __future__ import annotations

import json
from pathlib import Path

from javascript.installed import install
from node import SDK, run
from samples import name_of, pages_with, program


def test_readmes_and_guide_have_samples() -> None:
    shown = {name_of(page) for page in pages_with("javascript")}
    assert {"README.md", "sdk-js/README.md", "docs/javascript-sdk.md"} <= shown


def test_samples_have_no_type_error(tmp_path: Path) -> None:
    install(tmp_path)
    for page in pages_with("javascript"):
        name = name_of(page).replace("/", "_").removesuffix(".md")
        (tmp_path / f"{name}.mts").write_text(program(page, "javascript"), encoding="utf-8")
    options = json.loads((SDK / "tsconfig.json").read_text())["compilerOptions"]
    kept = {name: value for name, value in options.items() if "tsBuildInfo" not in name and "Dir" not in name}
    kept |= {"noEmit": True, "incremental": False, "isolatedModules": False, "noUnusedLocals": False}
    kept |= {"types": ["node"], "typeRoots": [str(SDK / "node_modules" / "@types")]}
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": kept, "include": ["*.mts"]}))
    run("tsc", "-p", ".", folder=tmp_path)
