"""The wheel as somebody installs it: alone, with what it declares, which is what it uses and nothing else."""

from __future__ import annotations

import ast
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution, packages_distributions
from pathlib import Path

import pytest
from codegen.project import REPOSITORY
from dhatu_codegen import cli
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from sdk.transport.peers import HEAD, Website
from typer.testing import CliRunner

DOCUMENT = """
openapi: 3.1.0
info: {title: Acme, version: 1.2.0}
servers: [{url: "https://acme.test"}]
paths:
  /words:
    get:
      operationId: list
      tags: [words]
      responses:
        "200":
          description: All.
          content: {application/json: {schema: {$ref: "#/components/schemas/Words"}}}
components:
  schemas:
    Words: {type: object, required: [words], properties: {words: {type: array, items: {type: string}}}}
"""
PROGRAM = """
import asyncio, sys
import {package} as sdk

with sdk.Sync{client}(base_url=sys.argv[1], max_retries=0) as client:
    print(client.{call})

async def main():
    async with sdk.{client}(base_url=sys.argv[1], max_retries=0) as client:
        print(await client.{call})
    try:
        sdk.{client}(base_url=sys.argv[1], http_client="aiohttp")
    except sdk.ConfigurationError as error:
        print(error)

asyncio.run(main())
"""

_BY_OTHERS = {
    "pydantic_core",  # a part of pydantic, which asks for exactly its version
    "pytest",  # imports the plugin, and is imported by nothing else
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sdk:
    """An SDK in source, and a call that it can make."""

    folder: Path
    package: str
    client: str
    call: str
    answer: bytes

    def sources(self) -> Iterator[ast.Module]:
        for path in (self.folder / "src" / self.package).rglob("*.py"):
            yield ast.parse(path.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A wheel and what it needs, in an environment of its own."""

    python: Path
    metadata: Distribution


@pytest.fixture(scope="module", params=["the platform's", "of another API"])
def sdk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sdk:
    if request.param == "the platform's":
        page = b'{"total": 0, "documents": [], "next_cursor": null}'
        call = 'corpus.search("sandhi")'
        folder = REPOSITORY / "sdk-python"
        return Sdk(folder=folder, package="dhatu_client", client="DhatuAPI", call=call, answer=page)
    folder = tmp_path_factory.mktemp("acme")
    (folder / "openapi.yaml").write_text(DOCUMENT, encoding="utf-8")
    arguments = ["sdk", str(folder / "openapi.yaml"), "--name", "acme", "--out", str(folder / "out")]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, result.output
    answer = b'{"words": ["dharma"]}'
    return Sdk(folder=folder / "out", package="acme", client="AcmeAPI", call="words.list()", answer=answer)


@pytest.fixture(scope="module")
def installed(sdk: Sdk, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """What pip would do, from what is installed here: a fresh environment with the wheel's needs, no more."""
    folder = tmp_path_factory.mktemp("environment")
    build = "from hatchling.build import build_wheel; import sys; print(build_wheel(sys.argv[1]))"
    built = subprocess.run(
        [sys.executable, "-c", build, str(folder)], cwd=sdk.folder, capture_output=True, text=True, check=True
    )
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    zipfile.ZipFile(folder / built.stdout.split()[-1]).extractall(site)
    (own,) = site.glob("*.dist-info")
    metadata = Distribution.at(own)
    for name in needs(metadata.requires or []):
        for file in distribution(name).files or []:
            if ".." not in file.parts and file.suffix != ".pyc":
                target = site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(file.locate())
    return Installed(python=folder / "venv" / "bin" / "python", metadata=metadata)


def needs(requirements: list[str], extra: str = "") -> set[str]:
    """The distributions that these ask for, and what those ask for in turn."""
    found: set[str] = set()
    for requirement in map(Requirement, requirements):
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            name = canonicalize_name(requirement.name)
            found.add(name)
            for wanted in ("", *requirement.extras):
                found |= needs(distribution(name).requires or [], wanted)
    return found


def test_a_wheel_works_alone(sdk: Sdk, installed: Installed) -> None:
    page = HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(sdk.answer), sdk.answer)
    site = Website(pages={"/search": page, "/words": page})
    program = PROGRAM.format(package=sdk.package, client=sdk.client, call=sdk.call)
    try:
        done = subprocess.run(
            [installed.python, "-I", "-W", "error", "-c", program, site.url],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        site.close()
    assert done.returncode == 0, done.stderr
    first, second, missing = done.stdout.splitlines()
    assert first.replace("Sync", "") == second
    assert missing.endswith(f'needs aiohttp: pip install "{installed.metadata.name}[aiohttp]"')


def test_what_is_declared_is_what_is_imported(sdk: Sdk, installed: Installed) -> None:
    declared = {canonicalize_name(Requirement(text).name) for text in installed.metadata.requires or []}
    owners = packages_distributions()
    names = {name for tree in sdk.sources() for name in imports(tree)}
    imported = {
        name: {canonicalize_name(owner) for owner in owners[name]}
        for name in names - sys.stdlib_module_names - _BY_OTHERS - {sdk.package}
    }
    assert {name for name, of in imported.items() if not of & declared} == set()
    assert {name for name in declared if not any(name in of for of in imported.values())} == set()


def test_an_extra_is_imported_by_need_alone(sdk: Sdk) -> None:
    """Importing the package does not even look for one."""
    program = f"import sys; sys.modules.update(aiohttp=None, click=None, rich=None); import {sdk.package}"
    env = {"PYTHONPATH": str(sdk.folder / "src")}
    assert subprocess.run([sys.executable, "-c", program], env=env, check=False).returncode == 0


def imports(tree: ast.Module) -> Iterator[str]:
    """The first names of the modules that are imported from elsewhere, by need or at once."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]
