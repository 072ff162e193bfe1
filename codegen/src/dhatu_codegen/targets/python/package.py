"""Renders the package through openapi-python-client, with templates and a list of operations of our own.

openapi-python-client leaves out what it does not understand: an operation with an unknown media type, a
schema whose title repeats another's. So it is not asked to understand: it renders, and what it renders is
every operation of the IR. Reading a large document took it several seconds, only to say what it would lose.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path
from typing import Any, Final

from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData

from ...ir.api import Api
from ..base import HEADER, GeneratedFile, TargetError
from .commands import COMMANDS
from .count import check_count
from .inputs import render_inputs
from .listing import LISTING, render_listing
from .methods import package_view
from .model_document import ModelDocument
from .models import render_models
from .source import FILTERS
from .view import Package

_TEMPLATES: Final = Path(__file__).parent / "templates"


def render_package(api: Api, sources: str) -> tuple[GeneratedFile, ...]:
    """Every file of the package `generated`; `sources` is the folder that the SDK's own package lies in.

    Raises `CountError` where an operation is missing, `ModelError` where a model is not what was asked for.
    """
    document = ModelDocument(api)
    package = package_view(api, document)
    mentioned = document.finish()
    models = render_models(mentioned, api.sdk.python_package)
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory, "generated")
        SdkProject(package, models, output).write()
        found = {
            path.relative_to(output).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(output.rglob("*.py"))
        }
    found["inputs.py"] = render_inputs(mentioned)
    found[LISTING] = render_listing(package)
    check_count(api, found)
    root = f"{sources}/{api.sdk.python_package}/generated"
    return tuple(GeneratedFile(path=f"{root}/{path}", text=text) for path, text in found.items())


class SdkProject(Project):
    """openapi-python-client's project, filled from the IR."""

    def __init__(self, package: Package, models: dict[str, str], output: Path) -> None:
        config = Config.from_sources(
            ConfigFile(post_hooks=[], package_name_override=package.api.sdk.python_package),
            MetaType.NONE,
            document_source=output,
            file_encoding="utf-8",
            overwrite=True,
            output_path=output,
        )
        super().__init__(
            openapi=_nothing_to_parse(package.api, config),
            config=config,
            custom_template_path=_TEMPLATES,
        )
        self._package = package
        self._models = models
        self.env.filters.update(FILTERS)

    def write(self) -> None:
        """Write the package. Raises `TargetError` where openapi-python-client did not finish."""
        with contextlib.redirect_stdout(io.StringIO()):  # it prints where it writes
            errors = self.build()
        if errors:
            reasons = "; ".join(f"{error.header} {error.detail or ''}".strip() for error in errors)
            raise TargetError(f"openapi-python-client did not render the package: {reasons}")

    def _create_package(self) -> None:
        self._render("package_init.py.jinja", "__init__.py")

    def _build_models(self) -> None:
        (self.package_dir / "models").mkdir()
        for path, text in self._models.items():
            (self.package_dir / "models" / path).write_text(text, encoding="utf-8")

    def _build_api(self) -> None:
        self._render("operations.py.jinja", "operations.py")
        self._render("bound.py.jinja", "bound.py")
        self._render("commands.py.jinja", COMMANDS)
        self._render("client.py.jinja", "client.py", methods=self._package.client_methods)
        if self._package.resources:
            (self.package_dir / "resources").mkdir()
            self._render("resources_init.py.jinja", "resources/__init__.py")
        for resource in self._package.resources:
            self._render("resource.py.jinja", f"resources/{resource.name}.py", resource=resource)

    def _render(self, template: str, path: str, **values: object) -> None:
        text = self.env.get_template(template).render(
            values, header=HEADER, api=self._package.api, package=self._package
        )
        (self.package_dir / path).write_text(f"{text.rstrip()}\n", encoding="utf-8")


def _nothing_to_parse(api: Api, config: Config) -> GeneratorData:
    """What openapi-python-client makes of a document of this name without operations."""
    empty: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": api.title, "version": api.version},
        "paths": {},
    }
    data = GeneratorData.from_dict(empty, config=config)
    if not isinstance(data, GeneratorData):
        raise TargetError(f"openapi-python-client refuses a document without operations: {data.detail}")
    return data
