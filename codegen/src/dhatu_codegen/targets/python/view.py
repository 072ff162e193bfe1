"""What the templates see: modules, classes and methods in Python's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...ir.api import Api
from ...ir.operation import Operation, Parameter
from ..literals import Call
from .annotations import Twin
from .answers import Answer
from .arguments import Argument, Body


def form_of(owner: str) -> str:
    """What the classes begin with that hold the operations of another one in other forms.

    >>> form_of("CorpusResource"), form_of("SyncDhatuAPI")
    ('Corpus', 'SyncDhatuAPI')
    """
    return owner.removesuffix("Resource")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One parameter of a signature."""

    name: str
    annotation: Twin
    default: str
    """Source of the default; empty for a required one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The parameters of a method after `self`, and what it returns."""

    positional: tuple[Slot, ...]
    keyword: tuple[Slot, ...]
    returns: Twin


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One operation."""

    operation: Operation
    name: str
    constant: str
    """Name of its descriptor."""
    signature: Signature
    overloads: tuple[Signature, ...]
    """Empty where one signature says everything."""
    arguments: tuple[Argument, ...]
    """All of them, in the order of the signature."""
    sent: tuple[str, ...]
    """The arguments that the runtime is handed."""
    stream: str
    """The argument that asks for events; empty where there is no choice."""
    doc: tuple[str, ...]
    """Lines of the docstring."""
    deprecated: str
    parameters: tuple[tuple[Parameter, Argument], ...]
    bodies: tuple[Body, ...]
    answers: tuple[Answer, ...]
    result: Twin
    """What any call may return."""
    paged: bool = False
    """Whether the async method returns something to go through, and is no coroutine."""
    goes_on: tuple[Literal["page", "job"], Call] | None = None
    """How the answer leads to the next one, for the descriptor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A group of methods: `client.corpus`."""

    name: str
    class_name: str
    doc: str
    methods: tuple[Method, ...]

    @property
    def docs_name(self) -> str:
        """The class that both colours inherit their docstrings from."""
        return f"{form_of(self.class_name)}Docs"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundClass:
    """A model that knows the call that it came from."""

    name: str
    base: str
    """Page or Job."""
    model: str
    of: str
    """Annotation of the items, or of the job at its end."""
    first: str
    """Key of the first operation that answers with it."""

    @property
    def twin(self) -> Twin:
        """In the words of a module that imports its own."""
        return Twin(asynchronous=f"bound.{self.name}", synchronous=f"bound.Sync{self.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookModel:
    """What one method of a webhook brings."""

    name: str
    method: str
    type: str
    """In the words of a module that imports the models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """Everything that is rendered."""

    api: Api
    resources: tuple[Resource, ...]
    client_methods: tuple[Method, ...]
    webhooks: tuple[WebhookModel, ...]
    bound: tuple[BoundClass, ...]

    @property
    def doc(self) -> str:
        """What the clients say of themselves."""
        return f"{self.api.title}, version {self.api.version}.".replace("\\", "").replace('"', "'")

    @property
    def resource_modules(self) -> dict[str, str]:
        """Class to module, of every resource and of its twin."""
        return {
            f"{prefix}{resource.class_name}": f".resources.{resource.name}"
            for resource in self.resources
            for prefix in ("", "Sync")
        }

    @property
    def methods(self) -> tuple[Method, ...]:
        """All of them, in the order of their descriptors."""
        return (*self.client_methods, *(method for resource in self.resources for method in resource.methods))
