"""Whole packages of many documents, compiled at once with the real runtime, and called under Node.js."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from codegen.project import REPOSITORY, Project
from codegen.python.conformance.decoder import Wire
from codegen.python.conformance.documents import document as wire
from codegen.sdk.sources import DOCUMENTS, api
from dhatu_codegen.ir.api import Api
from dhatu_codegen.targets.typescript import TypeScriptTarget
from node import SDK, run

HERE = Path(__file__).parent
PYTHON = HERE.parent / "python"
OF_SERVICES = ("extras", "inputs", "library", "mini", "shop", "zoo")
OF_OTHERS = {
    "contract": REPOSITORY / "tests" / "contract" / "api.yaml",
    "empty": HERE / "empty.yaml",
    "hard": DOCUMENTS / "hard.yaml",
    "many": DOCUMENTS / "many" / "openapi.yaml",
    "menagerie": HERE / "menagerie.yaml",
    "own": REPOSITORY / "spec" / "generated" / "openapi.yaml",
    "perils": HERE / "perils.yaml",
}
NAMES = "servers: [{url: https://acme.test/base/}]\nsdk: {client: AcmeAPI, environment_prefix: ACME}\n"


def of_service(name: str, folder: Path) -> Api:
    """The IR of a document of the Python target's tests, as the merge understands it."""
    folder.mkdir(parents=True)
    project = Project(folder)
    project.service(name, (PYTHON / f"{name}.yaml").read_text(encoding="utf-8"))
    project.platform(NAMES)
    return project.api()


def rendered(found: Api) -> dict[str, str]:
    """Path in the folder `generated` to text."""
    files = TypeScriptTarget("src").render(found)
    return {file.path.removeprefix("src/generated/"): file.text for file in files}


def lay_out(folder: Path) -> None:
    """The runtime, and all flags of the compiler."""
    settings = json.loads((SDK / "tsconfig.json").read_text(encoding="utf-8"))
    settings["compilerOptions"] |= {
        "types": [],
        "outDir": "out",
        "rootDir": ".",
        "incremental": False,
        "declaration": True,
    }
    del settings["compilerOptions"]["tsBuildInfoFile"]
    (folder / "tsconfig.json").write_text(json.dumps(settings | {"include": ["."]}), encoding="utf-8")
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    shutil.copytree(SDK / "src" / "runtime", folder / "runtime")


def add(folder: Path, name: str, found: Api) -> None:
    """A package beside the others; all share the runtime, one folder further up than it is theirs."""
    for path, text in rendered(found).items():
        file = folder / name / "generated" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(re.sub(r"(?<= from ')(?=(\.\./)+runtime/)", "../", text), encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Of `corpus.search`, a method of the client, or of `corpusSearch()`, a function that takes one."""

    document: str
    call: str
    args: Sequence[Any] = ()
    answers: Sequence[Mapping[str, Any]] = ()
    settings: Mapping[str, Any] | None = None
    then: str = ""
    """`items` goes through a list, `wait` follows a job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What came of a call."""

    sent: tuple[Wire, ...]
    value: Any
    error: str
    warned: tuple[str, ...]
    waited: tuple[float, ...]

    @property
    def wire(self) -> Wire:
        """The one request."""
        assert not self.error, self.error
        (sent,) = self.sent
        return sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Packages:
    """What was compiled."""

    folder: Path

    def call(self, *calls: Call) -> list[Called]:
        """All of them in one process."""
        cases = self.folder / "cases.json"
        told = [
            {name: getattr(one, name) for name in ("document", "call", "args", "answers", "settings", "then")}
            for one in calls
        ]
        cases.write_text(json.dumps(told, ensure_ascii=True), encoding="utf-8")
        found = json.loads(run("node", HERE / "caller.mjs", self.folder, cases, folder=self.folder))
        return [
            Called(
                sent=tuple(map(_wire, one["sent"])),
                value=_value(one.get("value")),
                error=one.get("error", ""),
                warned=tuple(one["warned"]),
                waited=tuple(one["waited"]),
            )
            for one in found
        ]


def compiled(folder: Path) -> Packages:
    """Every document there is, in one run of the compiler."""
    lay_out(folder)
    documents = {name: path.as_posix() for name, path in OF_OTHERS.items()}
    (folder / "sources").mkdir()
    (folder / "sources" / "wire.json").write_text(json.dumps(wire()), encoding="utf-8")
    documents["wire"] = (folder / "sources" / "wire.json").as_posix()
    for name, location in documents.items():
        add(folder, name, api(location))
    for name in OF_SERVICES:
        add(folder, name, of_service(name, folder / "sources" / name))
    for usage in HERE.glob("usage_*.ts"):
        shutil.copy(usage, folder)
    run("tsc", "-p", folder / "tsconfig.json", folder=folder)
    return Packages(folder=folder)


def content(data: bytes) -> dict[str, str]:
    """Bytes as an argument."""
    return {"$bytes": base64.b64encode(data).decode()}


UNDEFINED = {"$undefined": True}


def answer(
    data: bytes | Any, kind: str = "application/json", status: int = 200, **headers: str
) -> dict[str, Any]:
    """An answer with a body: bytes as they are, anything else as JSON."""
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return {
        "status": status,
        "headers": {"content-type": kind, **named},
        "body": base64.b64encode(body).decode(),
    }


def _value(value: Any) -> Any:
    if isinstance(value, dict) and "$bytes" in value:
        return base64.b64decode(value["$bytes"])
    return None if value == UNDEFINED else value


def _wire(sent: dict[str, Any]) -> Wire:
    """As a server sees it; header names and values came as bytes, one in each character."""
    url = urlsplit(sent["url"])
    headers = tuple((name, text.encode("latin-1").decode("utf-8")) for name, text in sent["headers"])
    return Wire(
        method=sent["method"],
        path=url.path,
        query=url.query,
        headers=headers,
        body=base64.b64decode(sent["body"]),
        url=sent["url"],
    )
