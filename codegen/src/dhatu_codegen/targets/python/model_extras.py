"""The type of members that a model does not name, as a member that checkers read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

_INDENT: Final = " " * 4
_IGNORED: Final = "# pyright: ignore[reportIncompatibleVariableOverride]"
"""pydantic declares it wider, and as one that can be assigned, but reads what a model makes of it."""


def with_typed_extras(text: str) -> str:
    """`__pydantic_extra__: dict[str, T]` for what stands in `__annotations__`, where no checker looks."""
    lines = text.splitlines(keepends=True)
    for node in reversed([*_extras(ast.parse(text))]):
        assert isinstance(node.value, ast.Dict), ast.unparse(node)
        kind = ast.unparse(_Plain().visit(node.value.values[0]))
        written = f"__pydantic_extra__: {kind} = Field(init=False)  {_IGNORED}"
        lines[node.lineno - 1 : node.end_lineno] = [f"{_INDENT}{written}\n"]
    return "".join(lines)


def _extras(module: ast.Module) -> Iterator[ast.Assign]:
    for outer in module.body:
        for node in outer.body if isinstance(outer, ast.ClassDef) else ():
            match node:
                case ast.Assign(targets=[ast.Name(id="__annotations__")]):
                    yield node
                case _:
                    pass


class _Plain(ast.NodeTransformer):
    """Types as they are written where nothing evaluates them: without quotes, with bars."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if not isinstance(node.value, str):
            return node
        quoted: ast.expr = self.visit(ast.parse(node.value, mode="eval").body)
        return quoted

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(id="dict") if node.id == "Dict" else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        match node:
            case ast.Subscript(value=ast.Name(id="Literal")):
                return node
            case ast.Subscript(value=ast.Name(id="Union"), slice=ast.Tuple(elts=[first, *rest])):
                union: ast.expr = self.visit(first)
                for other in rest:
                    union = ast.BinOp(left=union, op=ast.BitOr(), right=self.visit(other))
                return union
            case ast.Subscript(value=ast.Name(id="Optional"), slice=inner):
                return ast.BinOp(left=self.visit(inner), op=ast.BitOr(), right=ast.Constant(value=None))
            case _:
                self.generic_visit(node)
                return node
