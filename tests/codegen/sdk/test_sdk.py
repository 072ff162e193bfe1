"""From a document to a package that is installed, imported, checked and called."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from codegen.sdk.sources import DOCUMENTS, Site, write
from dhatu_codegen import cli
from dhatu_codegen.diagnostics import Diagnostics
from dhatu_codegen.emit import to_json
from dhatu_codegen.reading.load import load_document
from dhatu_codegen.reading.locations import Boundary
from dhatu_codegen.sdk.folder import MANIFEST
from typer.testing import CliRunner

MANY = (DOCUMENTS / "many" / "openapi.yaml").as_posix()
HARD = (DOCUMENTS / "hard.yaml").as_posix()

PROGRAM = """\
import asyncio, json, sys
import httpx
import acme

seen = []

def answer(request):
    seen.append(f"{request.method} {request.url} {request.content.decode()}")
    if request.method == "POST":
        keeper = {"name": "Om", "animals": []}
        return httpx.Response(201, json={"name": "Tara", "home": {"cage": 7}, "keeper": keeper})
    if "keepers" in request.url.path:
        return httpx.Response(404, json={"title": "Nobody"})
    return httpx.Response(200, json=[{"name": "Tara"}])

client = acme.SyncAcmeAPI(http_client=httpx.Client(transport=httpx.MockTransport(answer)))
added = client.animals.add(name="Tara")
assert isinstance(added, acme.models.Animal) and isinstance(added.keeper, acme.models.Keeper)

async def listed():
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    async with acme.AcmeAPI(http_client=http, base_url="https://other.test") as client:
        return [animal.name for animal in await client.animals.list(limit=2)]

names = asyncio.run(listed())
assert acme.BalancePolicy().algorithm == "p2c_ewma"  # one of the names that are imported by need
try:
    client.keepers.get("Om Prakash")
except acme.AcmeError as error:
    refusal = type(error).__name__
print(json.dumps({
    "seen": seen, "names": names, "cage": added.home.cage, "refusal": refusal, "file": acme.__file__,
    "foreign": [name for name in sys.modules if name.startswith("dhatu")],
}))
"""
"""What somebody does who has installed the package."""
BY_HAND = """
from acme._cli.app import run
from acme.generated.commands import PROGRAM
from acme.testing import fake_api

print(run(PROGRAM, ["--help"]))
with fake_api() as api:
    api.animals.list.returns([{"name": "Tara", "home": None}])
    api.keepers.get.refuses(404, "Nobody")
    print(run(PROGRAM, ["animals", "list", "--limit", "2", "--json"]), api.animals.list.call.arguments)
    print(run(PROGRAM, ["keepers", "get", "Om Prakash"]), api.keepers.get.call.arguments)
"""


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, ["sdk", *arguments])
    return result.exit_code, result.output


def generated(document: str, out: Path, *more: str) -> dict[str, str]:
    code, output = run(document, "--lang", "python", "--name", "acme", "--out", str(out), *more)
    assert code == 0, output
    return {
        path.relative_to(out).as_posix(): path.read_text(encoding="utf-8")
        for path in out.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("zoo") / "acme"
    generated(MANY, out)
    return out


@pytest.fixture(scope="module")
def hard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hard") / "acme"
    generated(HARD, out)
    return out


def test_the_package_is_built_installed_and_called_with_nothing_but_itself(zoo: Path, tmp_path: Path) -> None:
    build = "from hatchling.build import build_wheel; import sys; print(build_wheel(sys.argv[1]))"
    built = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=zoo, capture_output=True, text=True, check=True
    )
    wheel = tmp_path / built.stdout.split()[-1]
    assert wheel.name == "acme-1.2.0-py3-none-any.whl"
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        cwd=tmp_path,
        env={"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == ""
    assert json.loads(ran.stdout) == {
        "seen": [
            'POST https://zoo.test/v1/animals {"name":"Tara"}',
            "GET https://other.test/animals?limit=2 ",
            "GET https://zoo.test/v1/keepers/Om%20Prakash ",
        ],
        "names": ["Tara"],
        "cage": 7,
        "refusal": "NotFoundError",
        "file": str(site / "acme" / "__init__.py"),
        "foreign": [],
    }


def test_the_package_has_a_command_and_a_test_helper_of_its_own(zoo: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", BY_HAND],
        cwd=zoo / "src",
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == "acme: keepers.get: 404 Not Found: Nobody\n"
    assert ran.stdout.startswith("Usage: acme [OPTIONS] COMMAND [ARGS]...")
    assert ran.stdout.endswith(
        """[
  {
    "name": "Tara",
    "home": null
  }
]
0 {'limit': 2}
1 {'name': 'Om Prakash'}
"""
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy found out about the libraries, which takes it ten seconds."""
    return tmp_path_factory.mktemp("mypy")


@pytest.mark.parametrize("package", ["zoo", "hard"])
def test_the_package_is_typed_throughout(package: str, request: pytest.FixtureRequest, cache: Path) -> None:
    folder: Path = request.getfixturevalue(package)
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}", "-p", "acme"],
        cwd=folder / "src",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, "no issues found" in checked.stdout) == (0, True), checked.stdout


def test_the_package_is_typed_for_pyright_too(hard: Path, tmp_path: Path) -> None:
    settings = {
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "include": [str(hard / "src")],
        "reportMissingTypeStubs": False,  # pybreaker publishes none
        "reportUnnecessaryTypeIgnoreComment": False,  # mypy reports unused ignores
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    checked = subprocess.run(
        [sys.executable, "-m", "basedpyright", "-p", str(tmp_path), "--pythonpath", sys.executable],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, "0 errors" in checked.stdout) == (0, True), checked.stdout


def test_api_md_has_a_line_for_every_operation(zoo: Path, hard: Path) -> None:
    assert (zoo / "api.md").read_text(encoding="utf-8").splitlines()[-8:] == [
        "## animals",
        "",
        "- `client.animals.list(...)`: `GET /animals`",
        "- `client.animals.add(name=, ...)`: `POST /animals`",
        "",
        "## keepers",
        "",
        "- `client.keepers.get(name)`: `GET /keepers/{name}`",
    ]
    listed = re.findall("^- `client", (hard / "api.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(listed) == 7


def test_webhooks_and_callbacks_are_models(hard: Path) -> None:
    program = (
        "from acme import models; print(models.QuotaLow.model_validate_json('{\"left\": 3}').left,"
        'models.File.model_validate_json(\'{"id": "a"}\').id)'
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=hard / "src", capture_output=True, text=True, check=False
    )
    assert (ran.stderr, ran.stdout) == ("", "3 a\n")
    assert (hard / "api.md").read_text(encoding="utf-8").splitlines()[-3:] == [
        "- `POST file.made`: `models.File`",
        "- `PUT quota.low`: `models.QuotaLow`",
        "- `POST file.scanned`: `models.FileScanned`",
    ]


def test_the_readme_says_which_servers_there_are(hard: Path) -> None:
    text = (hard / "README.md").read_text(encoding="utf-8")
    assert "`https://eu.hard.test/v2` by default" in text
    assert "`{region}` is `eu`, or one of `eu`, `us`" in text
    assert "`https://sandbox.hard.test`" in text


def test_the_readme_tells_of_log_command_and_test_helper(zoo: Path) -> None:
    text = (zoo / "README.md").read_text(encoding="utf-8")
    told = ("`ACME_LOG=debug`", "acme --help", "`acme.testing`", "pip install 'acme[cli]'", "acme.otel.Open")
    assert [words for words in told if words not in text] == []


def test_the_runtime_is_copied_as_it_is(zoo: Path) -> None:
    runtime = Path(__file__).parents[3] / "sdk-python" / "src" / "dhatu_client"

    def modules(package: Path) -> dict[str, bytes]:
        return {
            path.relative_to(package).as_posix(): path.read_bytes()
            for path in package.rglob("*.py")
            if "generated" not in path.parts and path != package / "__init__.py"
        }

    copied = modules(zoo / "src" / "acme")
    assert copied == modules(runtime)
    assert {"_flow/life.py", "_balance/__init__.py", "_cli/__init__.py", "testing.py"} <= copied.keys()


def test_the_extras_and_the_command_come_along(zoo: Path) -> None:
    runtime = Path(__file__).parents[3] / "sdk-python" / "pyproject.toml"
    own, original = (
        tomllib.loads(path.read_text(encoding="utf-8"))["project"]
        for path in (zoo / "pyproject.toml", runtime)
    )
    assert own["optional-dependencies"] == original["optional-dependencies"]
    assert own["scripts"] == {"acme": "acme._cli:main"}


def test_files_say_how_they_were_made_and_nothing_of_this_repository(zoo: Path) -> None:
    texts = {
        path: path.read_text(encoding="utf-8") for path in (zoo / "src" / "acme" / "generated").rglob("*.py")
    }
    assert all("dhatu-codegen sdk" in text.splitlines()[0] for text in texts.values())
    assert not any("make generate" in text or "spec/" in text for text in texts.values())


def test_json_an_address_and_many_files_give_the_same_package(zoo: Path, site: Site, tmp_path: Path) -> None:
    expected = {
        path.relative_to(zoo).as_posix(): path.read_text(encoding="utf-8")
        for path in zoo.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    for path in (DOCUMENTS / "many").rglob("*.*"):
        if path.is_file():
            relative = path.relative_to(DOCUMENTS / "many").as_posix()
            text = path.read_text(encoding="utf-8")
            document = load_document(Boundary(start=path.as_posix()), Diagnostics())
            assert document is not None
            site.put(f"/{relative}", to_json(document, "x") if relative == "openapi.yaml" else text)
    assert generated(f"{site.address}/openapi.yaml", tmp_path / "acme") == expected


def test_generating_again_changes_nothing_and_edits_are_not_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "acme"
    before = generated(HARD, out)
    assert generated(HARD, out) == before
    assert MANIFEST in before
    (out / "README.md").write_text("mine", encoding="utf-8")
    code, output = run(MANY, "--name", "acme", "--out", str(out))
    assert (code, "README.md" in output, "nothing was written" in output) == (1, True, True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--lang", "cobol"), 2, "cobol is unknown; there are python and typescript"),
        (("--name", "httpx"), 1, "a package must not be called httpx"),
        (("--name", "json"), 1, "a package must not be called json"),
        (("--name", "3d"), 1, "a package must not be called 3_d"),
    ],
)
def test_what_is_not_there_is_said_clearly(
    arguments: tuple[str, ...], code: int, said: str, tmp_path: Path
) -> None:
    out = tmp_path / "acme"
    result, output = run(
        MANY, *(() if "--name" in arguments else ("--name", "acme")), "--out", str(out), *arguments
    )
    assert (result, said in output) == (code, True), output
    assert not out.exists()


def test_an_error_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, output = run(write(tmp_path, api="openapi: [\n"), "--name", "acme", "--out", str(out))
    assert (code, "DH002" in output, out.exists()) == (1, True, False)
