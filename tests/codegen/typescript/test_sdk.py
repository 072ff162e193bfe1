"""From a document to a package that is compiled, packed, imported and called."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from codegen.project import REPOSITORY
from codegen.sdk.sources import DOCUMENTS
from codegen.typescript.packages import Packages
from dhatu_codegen import cli
from node import SDK, run
from typer.testing import CliRunner

pytestmark = pytest.mark.xdist_group("typescript")
MANY = (DOCUMENTS / "many" / "openapi.yaml").as_posix()
OLDER = SDK / "node_modules" / "@arethetypeswrong" / "core" / "node_modules" / "typescript" / "bin" / "tsc"
PROGRAM = """\
import { AcmeZooAPI, AcmeZooError } from 'acme-zoo';
import { animalsAdd, createClient } from 'acme-zoo/operations';

const seen = [];
const fetch = async (url, { method, body, headers }) => {
  seen.push(`${method} ${url} ${body ? new TextDecoder().decode(body) : ''}`);
  if (method === 'POST') return Response.json({ name: 'Tara', home: { cage: 7 } }, { status: 201 });
  if (url.includes('keepers')) return Response.json({ title: 'Nobody' }, { status: 404 });
  return Response.json([{ name: 'Tara' }]);
};
const added = await animalsAdd(createClient({ fetch }), { name: 'Tara' });
const client = new AcmeZooAPI({ fetch, baseURL: 'https://other.test', maxRetries: 0 });
const names = (await client.animals.list({ limit: 2 })).map(({ name }) => name);
const error = await client.keepers.get('Om Prakash').catch((error) => error);
const refusal = [error.constructor.name, error instanceof AcmeZooError];
console.log(JSON.stringify({ seen, cage: added.home.cage, names, refusal }));
"""
USE = """\
import { AcmeAPI } from '../out/contract/generated/index.js';
import { documentsGet, createClient } from '../out/contract/generated/operations/index.js';

const client = new AcmeAPI({ apiKey: 'k' });
export async function titles(): Promise<string[]> {
  const found: string[] = [];
  for await (const document of client.documents.list()) found.push(document.title ?? '');
  const one = await documentsGet(createClient(), '1', { timeoutMs: 5 }).withResponse();
  return [...found, one.data.title ?? '', String(one.response.status)];
}
// @ts-expect-error there is no such option
void client.documents.get('1', { timeout: 5 });
"""
SHIPPED = """\
import sys
from pathlib import Path
from dhatu_codegen import cli
from dhatu_codegen.targets.typescript import distribution

shipped = distribution._SHIPPED
assert shipped.is_dir() and shipped.is_relative_to(sys.argv[1]), shipped
cli.app(["sdk", sys.argv[2], "--lang", "typescript", "--name", "acme-zoo", "--out", sys.argv[3]])
"""


def made(document: str, out: Path) -> Path:
    arguments = ["sdk", document, "--lang", "typescript", "--name", "acme-zoo", "--out", str(out)]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, result.output
    assert f"operations in {out}: npm install {out}" in result.output
    return out


def texts(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(MANY, tmp_path_factory.mktemp("zoo") / "acme")


@pytest.fixture(scope="module")
def fresh(zoo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has nothing but what npm packs."""
    folder = tmp_path_factory.mktemp("fresh")
    run("tsc", folder=zoo)
    run("npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", folder, folder=zoo)
    (tarball,) = folder.glob("*.tgz")
    assert tarball.name == "acme-zoo-1.2.0.tgz"
    (folder / "package.json").write_text('{"name": "fresh", "private": true}', encoding="utf-8")
    run("npm", "install", "--silent", "--offline", "--ignore-scripts", tarball, folder=folder)
    return folder


def test_what_npm_packs_is_imported_and_called(fresh: Path) -> None:
    (fresh / "program.mjs").write_text(PROGRAM, encoding="utf-8")
    assert json.loads(run("node", "program.mjs", folder=fresh)) == {
        "seen": [
            'POST https://zoo.test/v1/animals {"name":"Tara"}',
            "GET https://other.test/animals?limit=2 ",
            "GET https://other.test/keepers/Om%20Prakash ",
        ],
        "cage": 7,
        "names": ["Tara"],
        "refusal": ["NotFoundError", True],
    }


def test_what_npm_packs_is_all_there_and_no_more(fresh: Path) -> None:
    files = texts(fresh / "node_modules" / "acme-zoo")
    assert {Path(path).suffix for path in files} == {".js", ".ts", ".json", ".md"}
    assert {path for path in files if not path.startswith("dist/")} == {"README.md", "api.md", "package.json"}
    package = json.loads(files["package.json"])
    assert package["exports"]["./operations"]["types"].removeprefix("./") in files
    assert (package["name"], package["version"], package.get("dependencies")) == ("acme-zoo", "1.2.0", None)
    assert {path for path in files if "dhatu" in path} == set()


def test_the_readme_leads_to_what_is_there(zoo: Path) -> None:
    readme = (zoo / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)", readme)
    assert links
    assert [link for link in links if not (zoo / link).is_file()] == []
    assert "import { createClient, animalsList } from 'acme-zoo/operations';" in readme
    assert "`https://zoo.test/v1` by default" in readme
    assert [line for line in texts(zoo)["api.md"].splitlines() if line.startswith("- ")] == [
        "- `client.animals.list(...?)` or `animalsList`: `GET /animals`",
        "- `client.animals.add(...)` or `animalsAdd`: `POST /animals`",
        "- `client.keepers.get(name)` or `keepersGet`: `GET /keepers/{name}`",
    ]


def test_files_say_how_they_were_made_and_nothing_of_this_repository(zoo: Path) -> None:
    generated = texts(zoo / "src" / "generated")
    assert all("dhatu-codegen sdk" in text.splitlines()[0] for text in generated.values())
    assert not any("make generate" in text or "spec/" in text for text in generated.values())


def test_the_runtime_is_copied_as_it_is(zoo: Path) -> None:
    assert texts(zoo / "src" / "runtime") == texts(SDK / "src" / "runtime")


def test_programs_of_an_older_compiler_take_it_too(packages: Packages) -> None:
    assert run("node", OLDER, "--version").startswith("Version 5.")
    older = packages.folder / "older"
    older.mkdir()
    (older / "use.ts").write_text(USE, encoding="utf-8")
    lib = ["--lib", "es2022,dom,dom.iterable,dom.asynciterable", "--module", "nodenext"]
    run("node", OLDER, "--strict", "--exactOptionalPropertyTypes", "--noEmit", *lib, "use.ts", folder=older)


def test_the_wheel_of_codegen_brings_the_runtime_along(zoo: Path, tmp_path: Path) -> None:
    build = "from hatchling.build import build_wheel; import sys; print(build_wheel(sys.argv[1]))"
    built = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)],
        cwd=REPOSITORY / "codegen",
        capture_output=True,
        text=True,
        check=True,
    )
    site, out = tmp_path / "site", tmp_path / "out"
    zipfile.ZipFile(tmp_path / built.stdout.split()[-1]).extractall(site)
    done = subprocess.run(
        [sys.executable, "-c", SHIPPED, str(site), MANY, str(out)],
        env={"PYTHONPATH": str(site)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    own = {path: text for path, text in texts(zoo).items() if not path.startswith(("dist/", "."))}
    assert {path: text for path, text in texts(out).items() if not path.startswith(".")} == own


@pytest.mark.parametrize("name", ["http", "zlib", "otel", "node_modules"])
def test_a_name_that_is_another_s_is_refused(name: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["sdk", MANY, "--lang", "typescript", "--name", name, "--out", str(out)]
    result = CliRunner().invoke(cli.app, arguments)
    assert (result.exit_code, f"must not be called {name}" in result.output, out.exists()) == (1, True, False)


def test_generating_again_changes_nothing_and_edits_are_not_overwritten(tmp_path: Path) -> None:
    out = made(MANY, tmp_path / "acme")
    before = texts(out)
    made(MANY, out)
    assert texts(out) == before
    (out / "README.md").write_text("mine", encoding="utf-8")
    arguments = ["sdk", MANY, "--lang", "typescript", "--name", "acme-zoo", "--out", str(out)]
    result = CliRunner().invoke(cli.app, arguments)
    assert (result.exit_code, "README.md" in result.output) == (1, True)
