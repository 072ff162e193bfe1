"""Renders the package through openapi-python-client, with templates and a list of operations of our own.

openapi-python-client leaves out what it does not understand: an operation with an unknown media type, a
schema whose title repeats another's. So it reads the document and reports; what is rendered is every
operation of the IR.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import tempfile
from pathlib import Path
from typing import Any, Final

from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError

from ...document import plain
from ...ir.api import Api
from ...ir.schema import Json
from ..base import HEADER, GeneratedFile
from .count import check_count
from .listing import LISTING, render_listing
from .methods import package_view
from .model_document import ModelDocument
from .models import render_models
from .source import FILTERS
from .view import Package

_TEMPLATES: Final = Path(__file__).parent / "templates"
_OBJECT: Final = re.compile(r" ?<[\w.]+ object at 0x[0-9a-f]+>")
"""What it prints for texts of the document, which it distrusts."""
_LOG: Final = logging.getLogger(__name__)


def render_package(api: Api, sources: str) -> tuple[GeneratedFile, ...]:
    """Every file of the package `generated`; `sources` is the folder that the SDK's own package lies in.

    Raises `CountError` where an operation is missing, `ModelError` where a model is not what was asked for.
    """
    document = ModelDocument(api)
    package = package_view(api, document)
    models = render_models(document.finish(), api.sdk.python_package)
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory, "generated")
        for note in SdkProject(package, models, output).write():
            _LOG.info("openapi-python-client: %s", note)
        found = {
            path.relative_to(output).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(output.rglob("*.py"))
        }
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
        data, self._refusals = _read(package.api, config)
        super().__init__(openapi=data, config=config, custom_template_path=_TEMPLATES)
        self._package = package
        self._models = models
        self.env.filters.update(FILTERS)

    def write(self) -> tuple[str, ...]:
        """Write the package; what openapi-python-client would have left out comes back as notes."""
        with contextlib.redirect_stdout(io.StringIO()):  # it prints where it writes
            errors = [*self._refusals, *self.build()]
        notes = (" ".join(f"{error.header} {error.detail or ''}".split()) for error in errors)
        return tuple(_OBJECT.sub("", note) for note in notes)

    def _create_package(self) -> None:
        self._render("package_init.py.jinja", "__init__.py")

    def _build_models(self) -> None:
        (self.package_dir / "models").mkdir()
        for path, text in self._models.items():
            (self.package_dir / "models" / path).write_text(text, encoding="utf-8")

    def _build_api(self) -> None:
        self._render("operations.py.jinja", "operations.py")
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


def _read(api: Api, config: Config) -> tuple[GeneratorData, list[GeneratorError]]:
    """What openapi-python-client makes of the document; of an empty one, where it makes nothing of ours."""
    document = _without_titles(plain(dict(api.document)))
    assert isinstance(document, dict)
    data = GeneratorData.from_dict(document, config=config)
    if isinstance(data, GeneratorData):
        return data, []
    empty: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": api.title, "version": api.version},
        "paths": {},
    }
    nothing = GeneratorData.from_dict(empty, config=config)
    assert isinstance(nothing, GeneratorData), "openapi-python-client refuses an empty document"
    return nothing, [data]


def _without_titles(value: Json, key: str = "") -> Json:
    """A copy without the titles of schemas, which would be taken for their names; `info` must have one."""
    if isinstance(value, list):
        return [_without_titles(element) for element in value]
    if not isinstance(value, dict):
        return value
    keeps = key in ("info", "properties") or not isinstance(value.get("title"), str)
    return {name: _without_titles(member, name) for name, member in value.items() if keeps or name != "title"}
