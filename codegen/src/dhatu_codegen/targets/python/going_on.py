"""Answers that lead on: a page to the next one, a job to its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain, count
from typing import Final

from ...ir.operation import Job, Pagination
from ...ir.schema import Object
from ..following import Listed, first_page, followed, listed
from ..literals import Call, Verbatim
from ..schemas import Schemas
from .annotations import Annotations, Twin, alternatives, twin_union
from .answers import annotated
from .docstrings import docstring
from .view import BoundClass, Method, Signature

PAGE_MEMBERS: Final = frozenset({"has_next_page", "next_page", "pages"})
"""What the runtime's pages offer, so that no member of the model may."""
JOB_MEMBERS: Final = frozenset({"wait"})
_PAGE: Final = {"style": "cursor", "argument": "", "cursor": "", "total": "", "first": 1}
_JOB: Final = {"failed": (), "id": "id", "state": "state", "error": "", "poll_s": 1.0}
_PAGE_NOTE: Final = "Go through what it returns for the items of all pages."
_JOB_NOTE: Final = "`wait()` of what it returns follows the job to its end."


class GoingOn:
    """Gives the methods that begin a list or a job their classes, each once, in the order of the spec."""

    def __init__(self, schemas: Schemas, annotations: Annotations, methods: Mapping[str, Method]) -> None:
        """`methods` by the key of their operation."""
        self._schemas = schemas
        self._annotations = annotations
        self._methods = methods
        self._classes: dict[tuple[str, str, str], BoundClass] = {}
        self._taken: set[str] = set()

    @property
    def classes(self) -> tuple[BoundClass, ...]:
        return tuple(self._classes.values())

    def method(self, method: Method) -> Method:
        """The method as it is, or with the answer that leads on."""
        operation = method.operation
        if operation.pagination is not None:
            found = listed(operation, self._schemas, PAGE_MEMBERS)
            model = _model_of(method)
            if isinstance(found, Listed) and model:
                return self._page(method, operation.pagination, found, model)
        elif operation.job is not None:
            status = self._methods.get(operation.job.status)
            begun = followed(operation, status.operation if status else None, self._schemas, JOB_MEMBERS)
            model, final = _model_of(method), _model_of(status) if status else ""
            if status is not None and isinstance(begun, Object) and model and final:
                return self._job(method, operation.job, status, (model, final))
        return method

    def _page(self, method: Method, pagination: Pagination, found: Listed, model: str) -> Method:
        hint = f"{model} {pagination.items} item"  # as the models call it where nobody asks
        item = annotated(self._annotations.answer(found.items, hint)) or "Any"
        bound = self._class(method, "Page", model, item)
        parameter = _argument_of(method, pagination.parameter)
        spec = _call(
            "PageSpec",
            _PAGE,
            type=bound.name,
            items=pagination.items,
            style=pagination.style,
            argument=parameter,
            cursor=pagination.cursor,
            total=pagination.total,
            first=first_page(method.operation, pagination),
        )
        lazily = Twin(
            asynchronous=f"AsyncPaginator[{bound.twin.asynchronous}, {item}]",
            synchronous=bound.twin.synchronous,
        )
        return replace(
            _returning(method, f"models.{model}", lazily),
            result=bound.twin,
            paged=True,
            goes_on=("page", spec),
            doc=docstring(method.operation, method.arguments, _PAGE_NOTE),
        )

    def _job(self, method: Method, job: Job, status: Method, models: tuple[str, str]) -> Method:
        model, final = models
        bound = self._class(method, "Job", model, f"models.{final}")
        spec = _call(
            "JobSpec",
            _JOB,
            type=bound.name,
            status=Verbatim(text=f"lambda: {status.constant}"),
            argument=_argument_of(status, job.parameter),
            done=job.done,
            failed=job.failed,
            id=job.id,
            state=job.state,
            error=job.error,
            poll_s=job.poll_s,
        )
        changed = _returning(method, f"models.{model}", bound.twin)
        return replace(
            changed,
            result=changed.signature.returns,
            goes_on=("job", spec),
            doc=docstring(method.operation, method.arguments, _JOB_NOTE),
        )

    def _class(self, method: Method, base: str, model: str, of: str) -> BoundClass:
        known = self._classes.get((base, model, of))
        if known is None:
            names = chain((model,), (f"{model}{number}" for number in count(2)))
            name = next(name for name in names if not self._taken & {name, f"Sync{name}"})
            self._taken |= {name, f"Sync{name}"}
            known = BoundClass(name=name, base=base, model=model, of=of, first=method.operation.key)
            self._classes[base, model, of] = known
        return known


def _model_of(method: Method) -> str:
    """The one model among what a method returns; empty where there are none or several."""
    kinds = [kind for kind in alternatives(method.result.asynchronous) if kind.startswith("models.")]
    return kinds[0].removeprefix("models.") if len(kinds) == 1 else ""


def _returning(method: Method, old: str, new: Twin) -> Method:
    def changed(signature: Signature) -> Signature:
        kinds = (alternatives(signature.returns.asynchronous), alternatives(signature.returns.synchronous))
        twins = [
            new if one == old else Twin(asynchronous=one, synchronous=other)
            for one, other in zip(*kinds, strict=True)
        ]
        return replace(signature, returns=twin_union(*twins))

    return replace(
        method, signature=changed(method.signature), overloads=tuple(map(changed, method.overloads))
    )


def _argument_of(method: Method, wire: str) -> str:
    """The argument that becomes a parameter, or a member of the body."""
    return next(_arguments_of(method, wire), "")


def _arguments_of(method: Method, wire: str) -> Iterator[str]:
    for parameter, argument in method.parameters:
        if parameter.name.wire == wire:
            yield argument.name
    for body in method.bodies:
        for field in body.fields:
            if field.name == wire:
                yield field.argument


def _call(name: str, defaults: Mapping[str, object], /, **fields: object) -> Call:
    """A call without the fields that have their default anyway."""
    kept = ((key, value) for key, value in fields.items() if key not in defaults or defaults[key] != value)
    return Call(name=name, fields=tuple(kept))  # type: ignore[arg-type]  # every value above is a literal
