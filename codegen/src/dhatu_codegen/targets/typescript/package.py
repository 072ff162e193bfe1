"""Every file of the generated half of the JavaScript SDK."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ...ir.api import Api
from ..base import HEADER, GeneratedFile
from .comments import comment, on_one_line
from .components import Components
from .count import check_count
from .descriptors import GRANTS, api_source, declaration, grants_source
from .identifiers import member_name
from .layout import laid_out
from .listing import LISTING, render_listing
from .mentions import mentioned
from .methods import package_view
from .shapes import render_shapes
from .signature_text import function_text, method_text
from .source import WIDTH, indented, quoted
from .types import render_types
from .view import Method, Package, Params, Slot

_TEMPLATES: Final = Path(__file__).parent / "templates"
_RUNTIME: Final = "runtime/describe.js"
_ROOT: Final = "client"
"""The module of the operations that hang on the client itself."""
_TYPES: Final = frozenset(
    {
        *("APIPromise", "BinaryResponse", "Content", "EventStream", "Job", "Page", "PagePromise", "Series"),
    }
)
"""Of the runtime, as signatures name them."""


def render_package(api: Api, sources: str) -> tuple[GeneratedFile, ...]:
    """Every file; `sources` is the folder that `generated` and `runtime` lie in.

    Raises `CountError` where an operation is missing.
    """
    components = Components(api)
    package = package_view(api, components)
    found = {
        "api.ts": _api(api),
        "types.ts": render_types(components),
        "shapes.ts": render_shapes(components),
        "client.ts": _Modules(package).client(),
        "index.ts": _index(package),
        "operations/index.ts": _operations_index(package),
        LISTING: render_listing(package),
    }
    if api.grants:
        found[f"{GRANTS}.ts"] = _grants(api)
    modules = _Modules(package)
    for name, doc, methods in _groups(package):
        found[f"operations/{name}.ts"] = modules.operations(name, doc, methods)
    for resource in package.resources:
        found[f"resources/{resource.module}.ts"] = modules.resource(resource.module)
    check_count(api, found)
    return tuple(
        GeneratedFile(path=f"{sources}/generated/{path}", text=f"{text.rstrip()}\n")
        for path, text in sorted(found.items())
    )


def _groups(package: Package) -> list[tuple[str, str, tuple[Method, ...]]]:
    """(module, what it holds, methods) of every module of operations."""
    own = [(_ROOT, "The operations of the API itself.", package.client_methods)]
    return [
        *(own if package.client_methods else []),
        *((resource.module, resource.doc, resource.methods) for resource in package.resources),
    ]


class _Modules:
    """Renders modules from templates."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._homes = {
            method.operation.key: (module, method.constant)
            for module, _, methods in _groups(package)
            for method in methods
        }
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,  # the output is TypeScript
        )
        self._environment.filters.update(_filters())

    def operations(self, name: str, doc: str, methods: tuple[Method, ...]) -> str:
        needed = {"Caller", "CallOptions", "Operation"}.union(*(method.imports for method in methods))
        found = mentioned(text for method in methods for text in _texts(method))
        lines = [_imported(needed | found & _TYPES | _arranged(methods), "../../")]
        lines += ["import * as s from '../shapes.js';"] if "s" in found else []
        lines += ["import type * as t from '../types.js';"] if "t" in found else []
        elsewhere: dict[str, set[str]] = {}
        for method in methods:
            if method.operation.job is not None and method.goes_on:
                home, constant = self._homes[method.operation.job.status]
                if home != name:
                    elsewhere.setdefault(home, set()).add(constant)
        for home, constants in sorted(elsewhere.items()):
            lines.append(f"import {{ {', '.join(sorted(constants))} }} from './{home}.js';")
        return self._render("operations.ts.jinja", doc=doc, methods=methods, imports="\n".join(lines))

    def resource(self, module: str) -> str:
        resource = next(one for one in self._package.resources if one.module == module)
        imports = _imports_of_class(resource.methods, {"Caller"}, module, "../")
        return self._render("resource.ts.jinja", resource=resource, imports=imports)

    def client(self) -> str:
        package = self._package
        imports = _imports_of_class(package.client_methods, {"APIClient", "ClientOptions"}, _ROOT, "./")
        lines = [
            "import { API } from './api.js';",
            imports if package.client_methods else _imported({"APIClient", "ClientOptions"}, "../"),
        ]
        lines += [
            f"import {{ {resource.class_name} }} from './resources/{resource.module}.js';"
            for resource in package.resources
        ]
        api = package.api
        options = "{ apiKey: 'your_api_key' }" if api.servers else "{ baseURL: 'https://...' }"
        doc = on_one_line(", version ".join(filter(None, (api.title or api.sdk.client, api.version)))) + "."
        return self._render(
            "client.ts.jinja", package=package, imports="\n".join(lines), doc=doc, options=options
        )

    def _render(self, template: str, **values: object) -> str:
        return self._environment.get_template(template).render(values, header=HEADER)


def _filters() -> dict[str, Any]:
    """What templates write by."""
    return {
        "declared": _declared,
        "described": _described,
        "function": function_text,
        "method": method_text,
    }


def _imports_of_class(methods: tuple[Method, ...], needed: set[str], module: str, up: str) -> str:
    """What a class of methods imports: the runtime, the descriptors and the types."""
    found = mentioned(kind for method in methods for kind in _signatures(method))
    names = {"CallOptions", *needed} | found & _TYPES | _arranged(methods)
    lines = [_imported(names, f"{up}../" if up == "../" else "../")]
    lines.append(f"import * as o from '{up}operations/{module}.js';")
    params = sorted({params.name for method in methods for params in method.params})
    if params:
        lines.append(_import_line("import type", params, f"{up}operations/{module}.js"))
    lines += [f"import type * as t from '{up}types.js';"] if "t" in found else []
    return "\n".join(lines)


def _signatures(method: Method) -> Iterable[str]:
    for signature in method.signatures:
        yield signature.returns
        yield from (slot.type for slot in signature.positional)


def _texts(method: Method) -> Iterable[str]:
    yield from (method.descriptor, method.value, *([method.result] if method.goes_on == "page" else []))
    yield from _signatures(method)
    yield from (slot.type for params in method.params for group in params.alternatives for slot in group)


def _arranged(methods: tuple[Method, ...]) -> set[str]:
    return {"arranged"} if any(len(method.signatures) > 1 for method in methods) else set()


def _imported(names: Iterable[str], up: str) -> str:
    """The import of values and types of the runtime."""
    listed = sorted(names, key=lambda name: (name.lower(), name))
    values = [name for name in listed if _is_value(name)]
    if not values:
        return _import_line("import type", listed, f"{up}{_RUNTIME}")
    shown = [name if name in values else f"type {name}" for name in listed]
    return _import_line("import", shown, f"{up}{_RUNTIME}")


def _import_line(kind: str, names: list[str], module: str) -> str:
    flat = f"{kind} {{ {', '.join(names)} }} from {quoted(module)};"
    if len(flat) <= WIDTH:
        return flat
    return f"{kind} {{\n{''.join(f'  {name},' + chr(10) for name in names)}}} from {quoted(module)};"


def _is_value(name: str) -> bool:
    return name[:1].islower() or name == "APIClient"


def _declared(params: Params) -> str:
    """`export interface X { ... }`, or a type where there are alternatives."""
    said = f"/** What `{params.of}` may be given besides. */\n"
    groups = [_members(group) for group in params.alternatives]
    if len(groups) == 1:
        return f"{said}export interface {params.name} {groups[0]}"
    alternatives = "\n  | ".join(indented(group, 4) for group in groups)
    return f"{said}export type {params.name} =\n  | {alternatives};"


def _members(group: tuple[Slot, ...]) -> str:
    if not group:
        return "{}"
    lines = "".join(
        f"{comment(slot.doc, 2)}  {member_name(slot.name)}{'' if slot.required else '?'}: "
        f"{indented(slot.type)}{'' if slot.required else ' | undefined'};\n"
        for slot in group
    )
    return f"{{\n{lines}}}"


def _described(method: Method) -> str:
    kind = (
        f"Operation<{method.value}, {method.result}>"
        if method.goes_on == "page"
        else f"Operation<{method.value}>"
    )
    said = f"/** Describes {{@link {method.function}}}. */\n"
    return f"{said}{declaration(method.constant, kind, method.descriptor)}"


def _api(api: Api) -> str:
    head = "export const API: ApiSpec = "
    source = laid_out(api_source(api), len(head))
    return f"// {HEADER}\nimport type {{ ApiSpec }} from '../runtime/describe.js';\n\n{head}{source};\n"


def _grants(api: Api) -> str:
    head = "export const GRANTS: Readonly<Record<string, readonly GrantSpec[]>> = "
    source = laid_out(grants_source(api), len(head))
    said = "/** How tokens are obtained, by the key of their scheme. Loaded where a client obtains some. */\n"
    return (
        f"// {HEADER}\nimport type {{ GrantSpec }} from '../runtime/describe.js';\n\n{said}{head}{source};\n"
    )


def _index(package: Package) -> str:
    lines = [f"// {HEADER}", f"export {{ {package.api.sdk.client} }} from './client.js';"]
    for module, _, methods in _groups(package):
        params = sorted({params.name for method in methods for params in method.params})
        if params:
            lines.append(_import_line("export type", params, f"./operations/{module}.js"))
    lines += [
        f"export type {{ {resource.class_name} }} from './resources/{resource.module}.js';"
        for resource in package.resources
    ]
    lines.append("export type * as types from './types.js';")
    return "\n".join(lines)


def _operations_index(package: Package) -> str:
    lines = [
        f"// {HEADER}",
        "/** Every operation as a function of its own: a bundler keeps only those that are called. */",
        "import { APIClient, type ClientOptions } from '../../runtime/describe.js';",
        "import { API } from '../api.js';",
        "",
    ]
    for module, _, methods in _groups(package):
        names = [
            method.function
            if method.function == method.exported
            else f"{method.function} as {method.exported}"
            for method in methods
        ]
        lines.append(_import_line("export", names, f"./{module}.js"))
    lines += [
        "",
        "/**",
        " * The client that the functions take: connections, policies and credentials, but no operations.",
        " *",
        " * Throws `ConfigurationError`.",
        " */",
        "export function createClient(options?: ClientOptions): APIClient {",
        "  return new APIClient(API, options);",
        "}",
    ]
    return "\n".join(lines)
