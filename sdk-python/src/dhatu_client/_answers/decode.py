"""What an answer means: its response is found by status and media type, and its body read accordingly."""

from __future__ import annotations

import importlib
import json
import threading
from functools import cache, lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from .._call import ApiSpec, Operation, ResponseSpec
from .._errors import DecodingError
from .._lazy import PACKAGE
from .._media import essence, is_json, matches, parameter_of, same_parameters
from .._wire import Answer

if TYPE_CHECKING:
    import pydantic


@lru_cache(maxsize=1024)
def find_response(operation: Operation[Any, Any], status: int, content_type: str) -> ResponseSpec | None:
    """The response that describes such an answer: by its status, else by its range; there by its media type.

    A success under a status that nobody described reads like one that somebody did, before `default` counts.
    """
    listed = [spec for spec in operation.responses if spec.status == str(status)]
    ranged = [spec for spec in operation.responses if spec.status.upper() == f"{status // 100}XX"]
    default = [spec for spec in operation.responses if spec.status == "default"]
    for specs in (listed, ranged, _successes(operation) if status < 300 else [], default):
        if specs:
            return _by_media_type(specs, content_type)
    return None


def decode(api: ApiSpec, operation: Operation[Any, Any], answer: Answer, *, strict: bool = False) -> object:
    """The value of an answer that has arrived whole: a model, text, or None for an empty one.

    Raises `DecodingError` where the answer is not what the API's description says.
    """
    content_type = answer.headers.get("content-type", "")
    spec = find_response(operation, answer.status, content_type)
    if spec is None and not operation.responses:
        return None
    if spec is None:
        raise _error(
            operation, answer, f"an answer in {essence(content_type) or 'no media type'} was not expected"
        )
    match spec.kind:
        case "empty":
            return None
        case "text":
            return text_of(content_type, answer.content)
        case _:
            return parse_item(api, operation, answer, spec, answer.content, strict=strict)


def parse_item(
    api: ApiSpec,
    operation: Operation[Any, Any],
    answer: Answer,
    spec: ResponseSpec,
    payload: bytes,
    *,
    strict: bool = False,
) -> Any:
    """A JSON body, or one item of a series, as the type of its response.

    Raises `DecodingError`.
    """
    if spec.kind == "sse" and spec.type == "str":
        return payload.decode("utf-8", "replace")
    if spec.kind == "sse" and not spec.type:
        return _json_or_text(payload)
    try:
        if not spec.type:
            return json.loads(payload)
        from .._models import read_json  # imports pydantic

        return read_json(adapter(api.models, spec.type), payload, strict=strict)
    except ValueError as error:
        raise _error(operation, answer, _reason(spec, error)) from error


def build_types(api: ApiSpec, operation: Operation[Any, Any]) -> None:
    """Make now what decoding would make when it needs it: importing pydantic and the models takes long."""
    for spec in operation.responses:
        if spec.type and spec.type != "str":
            adapter(api.models, spec.type)
    if operation.page is not None or operation.job is not None:
        importlib.import_module(api.bound, PACKAGE)


@cache
def adapter(models: str, expression: str) -> pydantic.TypeAdapter[Any]:
    """What validates a type expression over the names of a module; made on first use, and kept."""
    import pydantic

    # The expression is generated code, as trusted as the module around it.
    kind: Any = eval(expression, {}, _Names(importlib.import_module(models, PACKAGE)))
    model: Any = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    with _building:
        if hasattr(model, "model_rebuild"):
            # An adapter that builds a deferred model forgets that its errors hide their input.
            model.model_rebuild()
            return pydantic.TypeAdapter(kind)
        return pydantic.TypeAdapter(kind, config=pydantic.ConfigDict(hide_input_in_errors=True))


_building = threading.Lock()
"""pydantic builds a model that others share in place, which two threads must not do at once."""


class _Names(dict[str, Any]):
    """The names of a module, looked up one by one, since the module may load them lazily."""

    def __init__(self, module: ModuleType) -> None:
        super().__init__(Any=Any)
        self._module = module

    def __missing__(self, name: str) -> Any:
        try:
            return getattr(self._module, name)
        except AttributeError:
            raise KeyError(name) from None  # a builtin such as list, then


def _successes(operation: Operation[Any, Any]) -> list[ResponseSpec]:
    return [spec for spec in operation.responses if spec.status.startswith("2")]


def _by_media_type(specs: list[ResponseSpec], content_type: str) -> ResponseSpec | None:
    """The one for a media type; an answer that names none is empty if it may be, else what it should be."""
    media_type = essence(content_type)
    named = [spec for spec in specs if media_type and essence(spec.media_type) == media_type]
    if named:
        # Some APIs tell versions apart by a parameter such as `v=2` alone.
        return next((spec for spec in named if same_parameters(spec.media_type, content_type)), named[0])
    for spec in specs:
        if spec.media_type and media_type and matches(spec.media_type, media_type):
            return spec
    if is_json(media_type) and (alike := next((spec for spec in specs if spec.kind == "json"), None)):
        return alike  # servers are loose about which JSON it is
    empty = next((spec for spec in specs if spec.kind == "empty"), None)
    return empty or (specs[0] if specs and not media_type else None)


def _json_or_text(payload: bytes) -> Any:
    """The data of an event that nothing describes."""
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")


def text_of(content_type: str, content: bytes) -> str:
    """Text in the charset that its media type names, UTF-8 where it names none that is known."""
    charset = parameter_of(content_type, "charset") or "utf-8"
    try:
        return content.decode(charset, "replace")
    except LookupError:
        return content.decode("utf-8", "replace")


def _reason(spec: ResponseSpec, error: ValueError) -> str:
    """Where the body is not what it should be; never what it holds."""
    import pydantic

    wanted = f"the answer is not {'an' if spec.type[:1] in 'AEIOU' else 'a'} {spec.type}" if spec.type else ""
    if not isinstance(error, pydantic.ValidationError):
        return "the answer is not JSON"
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = "/".join(str(part) for part in first["loc"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{wanted}: {f'at /{place}: ' if place else ''}{first['msg']}{more}"


def _error(operation: Operation[Any, Any], answer: Answer, message: str) -> DecodingError:
    return DecodingError(
        f"{message} (status {answer.status}); the client may be older than the server",
        operation=operation.key,
        status=answer.status,
        request_id=answer.request_id,
    )
