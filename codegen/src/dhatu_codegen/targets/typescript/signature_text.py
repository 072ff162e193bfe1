"""Functions and methods as text: a signature each, and one line that hands everything to the runtime."""

from __future__ import annotations

from collections.abc import Iterator

from .comments import comment
from .layout import laid_out
from .source import WIDTH
from .view import Method, Signature


def function_text(method: Method) -> str:
    """`export function search(client: Caller, ...): ... { ... }`."""
    return "".join(_lines(method, f"export function {method.function}", ["client: Caller"], "client", ""))


def method_text(method: Method, client: str) -> str:
    """The method of a class whose client is `client`."""
    return "".join(_lines(method, method.name, [], client, "  "))


def _lines(method: Method, name: str, first: list[str], client: str, margin: str) -> Iterator[str]:
    constant = f"o.{method.constant}" if margin else method.constant
    yield comment(method.doc, len(margin))
    if len(method.signatures) == 1:
        (signature,) = method.signatures
        head = _head(name, [*first, *_parameters(signature)], signature.returns, margin, " {")
        call = _laid_out(f"{client}.call({constant}, {method.call})", margin)
        yield f"{head}\n{margin}  return {call};\n{margin}}}\n"
        return
    for signature in method.signatures:
        yield f"{_head(name, [*first, *_parameters(signature)], signature.returns, margin, ';')}\n"
    head = _head(name, [*first, "...args: readonly unknown[]"], "never", margin, " {")
    call = _laid_out(f"{client}.call({constant}, {method.call})", margin)
    yield f"{head}\n{margin}  return {call} as never; // the signatures say which\n{margin}}}\n"


def _laid_out(call: str, margin: str) -> str:
    return laid_out(call, len(margin) + len("  return "), len(margin) + 2)


def _parameters(signature: Signature) -> Iterator[str]:
    for slot, variable in zip(signature.positional, signature.variables, strict=True):
        optional = not slot.required and not signature.params_required
        kind = slot.type if slot.required or optional else f"{slot.type} | undefined"
        yield f"{variable}{'?' if optional else ''}: {kind}"
    if signature.params:
        yield f"params{'' if signature.params_required else '?'}: {signature.params}"
    yield "options?: CallOptions"


def _head(name: str, parameters: list[str], returns: str, margin: str, end: str) -> str:
    flat = f"{margin}{name}({', '.join(parameters)}): {returns}{end}"
    if len(flat) <= WIDTH:
        return flat
    inner = "".join(f"{margin}  {parameter},\n" for parameter in parameters)
    return f"{margin}{name}(\n{inner}{margin}): {returns}{end}"
