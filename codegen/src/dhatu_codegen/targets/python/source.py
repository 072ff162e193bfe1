"""Filters of the templates: what takes more than a template to write."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final, Literal, TypeAlias

from ...ir.api import Api
from ..literals import filled_lines, source
from .annotations import Twin, broken, quoted
from .commands import program_call
from .descriptors import api_call, operation_call
from .imports import RENAMED_WHERE_HIDDEN, import_lines
from .view import Method, Package, Resource, Signature, Slot, form_of

Color: TypeAlias = Literal["asynchronous", "synchronous"]

_WIDTH: Final = 110
_BUILTINS: Final = frozenset({"bool", "dict", "float", "int", "list", "object", "str", "tuple"})
_HIDEABLE: Final = _BUILTINS | RENAMED_WHERE_HIDDEN.keys()
"""What annotations name and a member of the same name would hide inside its class."""
# A text, which is left alone, or a name that does not follow a dot.
_TEXT_OR_NAME = re.compile(r'"(?:[^"\\]|\\.)*"|(?<![\w."])[A-Za-z_]\w*')


def hidden(members: Iterable[Method | Resource]) -> frozenset[str]:
    """The names that the members of one class hide from its annotations."""
    return _HIDEABLE & {member.name for member in members}


def visible(annotation: str, names: frozenset[str]) -> str:
    """An annotation inside a class whose members hide names.

    >>> visible('list[Literal["list"]]', frozenset({"list"}))
    'builtins.list[Literal["list"]]'
    """

    def spelled(found: re.Match[str]) -> str:
        if found[0] not in names:
            return found[0]
        return f"builtins.{found[0]}" if found[0] in _BUILTINS else RENAMED_WHERE_HIDDEN[found[0]]

    return _TEXT_OR_NAME.sub(spelled, annotation)


def slot(found: Slot, color: Color, names: frozenset[str]) -> str:
    """A parameter of a signature: `limit: int | Omit = OMIT`; a long union is broken at its bars."""
    annotation = visible(getattr(found.annotation, color), names)
    default = f" = {found.default}" if found.default else ""
    if len(annotation) + len(found.name) + len(default) + 12 > _WIDTH:
        annotation = broken(annotation, 8)
    return f"{found.name}: {annotation}{default}"


def returns(annotation: Twin, color: Color, names: frozenset[str]) -> str:
    """What a method returns."""
    text = visible(getattr(annotation, color), names)
    return broken(text, 4) if len(text) + 14 > _WIDTH else text


def descriptor(method: Method) -> str:
    """`CORPUS_SEARCH: Final[Operation[...]] = Operation(...)`."""
    kinds = [*dict.fromkeys((method.result.asynchronous, method.result.synchronous))]
    head = f"{method.constant}: Final[Operation[{', '.join(kinds)}]] = "
    if len(head) > _WIDTH - len("Operation("):
        inner = f"Operation[{', '.join(kinds)}]"
        if len(inner) > _WIDTH - 4:
            lines = "".join(f"        {kind},\n" for kind in kinds)
            inner = f"Operation[\n{lines}    ]"
        head = f"{method.constant}: Final[\n    {inner}\n] = "
    return head + source(operation_call(method), used=len(head.rpartition("\n")[2]), filled=True)


def docstring(lines: Iterable[str], indent: int) -> str:
    """A docstring, its closing quotes on a line of their own where it has several."""
    first, *rest = lines
    if not rest:
        return f'"""{first}"""'
    return "\n".join([f'"""{first}', *(f"{' ' * indent}{line}" if line else "" for line in (*rest, '"""'))])


def head(method: Method, found: Signature, color: Color, names: frozenset[str]) -> str:
    """`async def search(self, q: str, ...) -> models.SearchPage:`, on one line where it fits."""
    define = "async def" if color == "asynchronous" and not method.paged else "def"
    result = returns(found.returns, color, names)
    slots = [
        "self",
        *(slot(one, color, names) for one in found.positional),
        *(["*"] if found.keyword else []),
    ]
    slots += [*(slot(one, color, names) for one in found.keyword), "**options: Unpack[CallOptions]"]
    flat = f"{define} {method.name}({', '.join(slots)}) -> {result}:"
    if "\n" not in flat and 4 + len(flat) + len(" ...") <= _WIDTH:
        return flat
    inner = f"        {', '.join(slots)}"
    if "\n" not in inner and len(inner) <= _WIDTH:
        return f"{define} {method.name}(\n{inner}\n    ) -> {result}:"
    lines = "".join(f"        {line}\n" for line in filled_lines([f"{one}," for one in slots], _WIDTH - 8))
    return f"{define} {method.name}(\n{lines}    ) -> {result}:"


def handed(method: Method, color: Color, client: str) -> str:
    """The call of the runtime: descriptor, arguments, options, and whether events are wanted."""
    call = f"return {'await ' if color == 'asynchronous' else ''}{client}.call"
    first: list[str] = []
    if method.paged and color == "asynchronous":
        call, first = "return AsyncPaginator", [client]
    pairs = [f"{quoted(name)}: {name}" for name in method.sent]
    stream = [f"stream={method.stream} is True"] if method.stream else []
    parts = [*first, f"ops.{method.constant}", f"{{{', '.join(pairs)}}}", "options", *stream]
    flat = ", ".join(parts)
    if 8 + len(call) + len(flat) + 2 <= _WIDTH:
        return f"{call}({flat})"
    inner = " " * 12
    if len(inner) + len(flat) <= _WIDTH:
        return f"{call}(\n{inner}{flat}\n        )"
    members = "".join(f"{inner}    {pair},\n" for pair in pairs)
    written = len(first) + 1
    if len(inner) + len(parts[written]) + 1 > _WIDTH:
        parts[written] = f"{{\n{members}{inner}}}"
    lines = "".join(f"{inner}{part},\n" for part in parts)
    return f"{call}(\n{lines}        )"


def unreported(method: Method) -> str:
    """What keeps a checker from reporting a deprecated operation where nobody calls it."""
    return "  # pyright: ignore[reportDeprecated]" if method.deprecated else ""


def api_spec(api: Api) -> str:
    """`ApiSpec(...)`."""
    return source(api_call(api), used=len("_API: Final = "), filled=True)


def program(package: Package) -> str:
    """`ProgramEntry(...)`."""
    return source(program_call(package), filled=True, used=len("PROGRAM: Final = "))


FILTERS: Final[dict[str, Callable[..., object]]] = {
    "api_spec": api_spec,
    "descriptor": descriptor,
    "docstring": docstring,
    "form_of": form_of,
    "head": head,
    "hidden": hidden,
    "imports": import_lines,
    "handed": handed,
    "program": program,
    "unreported": unreported,
    "quoted": quoted,
}
"""By their names in the templates."""
