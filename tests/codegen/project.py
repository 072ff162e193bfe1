"""A small platform in a temporary folder, to be broken in one place at a time."""

from __future__ import annotations

import shutil
from pathlib import Path
from textwrap import dedent

from dhatu_codegen.ir.api import Api
from dhatu_codegen.ir.operation import Operation
from dhatu_codegen.pipeline import Build, build
from dhatu_codegen.targets.base import Target
from dhatu_codegen.targets.gateway import GatewayTarget

REPOSITORY = Path(__file__).parents[2]

PLATFORM = """\
info: {title: Test API, version: 1.0.0}
versions: {v1: {state: current}}
services:
"""

HEAD = """\
openapi: 3.1.1
info: {{title: {name}, version: 1.0.0, description: The {name} service.}}
security: []
"""

OPERATION = """\
      operationId: {id}
      tags: [{tag}]
      summary: A summary
      description: A description.
      responses:
        "204": {{description: Done.}}
        default: {{description: Failed.}}
"""


class Project:
    """A repository with nothing but a spec folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "spec" / "services").mkdir(parents=True)
        shutil.copy(REPOSITORY / "spec" / "x-dhatu.schema.json", root / "spec")
        self._services: list[str] = []

    def platform(self, extra: str = "") -> None:
        """Write platform.yaml for the services so far; `extra` is more YAML."""
        entries = "".join(f"  {name}: {{spec: services/{name}.yaml}}\n" for name in self._services)
        (self.root / "spec" / "platform.yaml").write_text(PLATFORM + entries + dedent(extra))

    def service(self, name: str, text: str) -> None:
        """Add a service whose document is this text, after the usual head."""
        (self.root / "spec" / "services" / f"{name}.yaml").write_text(HEAD.format(name=name) + dedent(text))
        if name not in self._services:
            self._services.append(name)
        self.platform()

    def simple(self, name: str, path: str, *, method: str = "get", id: str = "", more: str = "") -> None:
        """Add a service with one operation."""
        operation = OPERATION.format(id=id or name, tag=name)
        self.service(name, f"paths:\n  {path}:\n    {method}:\n{operation}{dedent(more)}")

    def build(self, targets: tuple[Target, ...] = (GatewayTarget(),)) -> Build:
        return build(self.root, targets)

    def api(self) -> Api:
        """The IR, of specs without errors."""
        built = self.build(targets=())
        assert built.diagnostics.errors == (), self.report()
        assert built.api is not None
        return built.api

    def operation(self, key: str) -> Operation:
        return next(operation for operation in self.api().operations if operation.key == key)

    def found(self) -> list[tuple[str, str]]:
        """(code, file:line:column) of everything that is wrong."""
        return [(item.code, str(item.source)) for item in self.build().diagnostics.all]

    def report(self) -> str:
        """Everything that is wrong, as the command prints it."""
        diagnostics = self.build().diagnostics
        return "\n".join(diagnostics.render(item) for item in diagnostics.all)
