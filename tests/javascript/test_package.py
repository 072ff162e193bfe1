"""What npm installs: packed, unpacked in a fresh project, and used from every kind of module there is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from node import SDK, run

STRICT = {
    "strict": True,
    "exactOptionalPropertyTypes": True,
    "noUncheckedIndexedAccess": True,
    "noEmit": True,
    "skipLibCheck": False,
    "target": "es2022",
    "types": [],
}
USE = """
import { type CallOptions, DhatuAPI, NotFoundError } from '@dhatu/client';
import { corpusSearch, createClient } from '@dhatu/client/operations';

const client = new DhatuAPI({ baseURL: 'https://api.test', apiKey: 'key' });
const options: CallOptions = { timeoutMs: 500 };
export const ratio: Promise<number> = client.compress('text', {}, options).then((result) => result.ratio);
export const titles = async (): Promise<string[]> =>
  (await corpusSearch(createClient(), 'sandhi')).documents.map((hit) => hit.title);
export const isMissing = (error: unknown): boolean => error instanceof NotFoundError && error.status === 404;
"""
WRONG = """
import { DhatuAPI } from '@dhatu/client';
const client = new DhatuAPI({ baseUrl: 'https://api.test' });
export const found = client.corpus.search(7);
"""


@pytest.fixture(scope="module")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed")
    run("npm", "run", "--silent", "build")
    run("npm", "pack", "--silent", "--pack-destination", folder)
    (found,) = folder.glob("*.tgz")
    return found


@pytest.fixture
def project(tarball: Path, tmp_path: Path) -> Path:
    (tmp_path / "package.json").write_text('{"name": "fresh", "private": true}')
    run("npm", "install", "--silent", "--offline", "--no-audit", "--no-fund", tarball, folder=tmp_path)
    return tmp_path


def test_it_brings_nothing_but_itself(project: Path) -> None:
    assert {path.name for path in (project / "node_modules").iterdir()} <= {"@dhatu", ".package-lock.json"}
    whole = project / "node_modules" / "@dhatu" / "client"
    files = {path.suffix for path in whole.rglob("*") if path.is_file()}
    assert files == {".js", ".ts", ".json", ".md", ""}  # the last is the licence


def test_it_is_imported_by_an_esm_module(project: Path) -> None:
    (project / "use.mjs").write_text(
        "import { DhatuAPI } from '@dhatu/client';\n"
        "import { compress, createClient } from '@dhatu/client/operations';\n"
        "const options = { baseURL: 'https://api.test', fetch: async () => Response.json({ ratio: 2 }) };\n"
        "console.log(typeof new DhatuAPI(options).corpus.search, typeof compress);\n"
        "console.log(typeof createClient(options));\n"
    )
    assert run("node", "use.mjs", folder=project).split() == ["function", "function", "object"]


def test_it_is_required_by_a_commonjs_module(project: Path) -> None:
    (project / "use.cjs").write_text(
        "const { DhatuAPI } = require('@dhatu/client');\n"
        "const { compress } = require('@dhatu/client/operations');\n"
        "console.log(typeof DhatuAPI, typeof compress);\n"
    )
    assert run("node", "use.cjs", folder=project).split() == ["function", "function"]


@pytest.mark.parametrize(("module", "resolution"), [("node16", "node16"), ("esnext", "bundler")])
def test_its_types_are_found_under(project: Path, module: str, resolution: str) -> None:
    options = {
        **STRICT,
        "module": module,
        "moduleResolution": resolution,
        "lib": ["es2022", "dom", "dom.iterable"],
    }
    (project / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": ["use.mts"]}))
    (project / "use.mts").write_text(USE)
    run("tsc", "-p", ".", folder=project)

    (project / "use.mts").write_text(WRONG)
    with pytest.raises(AssertionError) as refused:
        run("tsc", "-p", ".", folder=project)
    assert "baseUrl" in str(refused.value)
    assert "'number' is not assignable to parameter of type 'string'" in str(refused.value)


def test_publint_and_attw_have_nothing_to_say(tarball: Path) -> None:
    assert "All good" in run("publint", "run", "--strict", tarball)
    run("attw", tarball, "--profile", "esm-only")
    assert (SDK / "dist").is_dir()
