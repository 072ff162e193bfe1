"""What the templates see: modules, classes and methods in TypeScript's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from ...ir.api import Api
from ...ir.operation import Operation
from ..taken import Taken
from .identifiers import member_name, variable_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One argument of an operation, or a flag that the runtime understands."""

    key: tuple[str, str]
    """Where it goes (a parameter's location, body, file, content, flag), and its name there."""
    name: str
    """Key in the object of arguments."""
    type: str
    required: bool
    doc: tuple[str, ...]
    """Lines of its comment."""
    example: str = ""
    """An expression that could be passed."""
    scalar: bool = False
    """Whether no value is an object, which could be taken for that of the other arguments."""


def _variable(slot: Slot) -> str:
    spelled = variable_name(slot.name)
    hiding = spelled in _OWN or spelled == spelled.upper()  # as descriptors are called
    return f"{spelled}_" if hiding else spelled


_OWN: Final = frozenset({"arranged", "args", "client", "o", "options", "params", "s", "t"})
"""What functions and methods name besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a method takes, then options, and what it returns."""

    positional: tuple[Slot, ...]
    params: str
    """Type of the object with the other arguments; empty where there are none."""
    params_required: bool
    returns: str

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the positional arguments inside of the function."""
        taken = Taken()
        return tuple(taken.give(_variable(slot)) for slot in self.positional)


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """An exported type of an object of arguments."""

    name: str
    of: str
    """The function that takes it."""
    alternatives: tuple[tuple[Slot, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One operation."""

    operation: Operation
    name: str
    """As a member of its resource."""
    function: str
    """As a function of its module."""
    exported: str
    """As a function among those of all resources: `corpusSearch`."""
    constant: str
    """Name of its descriptor."""
    descriptor: str
    """The source of that."""
    signatures: tuple[Signature, ...]
    params: tuple[Params, ...]
    slots: tuple[str, ...]
    """Names of the positional arguments; `text|content` for one that is the first where it is text, else the
    second."""
    unsent: str
    """A flag among the arguments that is not sent."""
    stream: str
    """The argument that asks for events; empty where there is no choice."""
    doc: tuple[str, ...]
    result: str
    """Type of the promise of any call."""
    value: str
    """Type of what it holds."""
    goes_on: Literal["", "page", "job"]
    imports: frozenset[str]
    """What of the runtime its module has to import."""

    @property
    def call(self) -> str:
        """The arguments of the runtime's `call` after the descriptor."""
        if len(self.signatures) > 1:
            return self._arranged()
        signature = next(iter(self.signatures))
        names = zip(signature.positional, signature.variables, strict=True)
        given = [
            variable if slot.name == variable else f"{member_name(slot.name)}: {variable}"
            for slot, variable in names
        ]
        given += ["...params"] if signature.params else []
        given += [f"{self.unsent}: undefined"] if self.unsent else []
        arguments = f"{{ {', '.join(given)} }}" if given else "{}"
        stream = f", params{'' if signature.params_required else '?'}.{self.stream}" if self.stream else ""
        return f"{arguments}, options{stream}"

    def _arranged(self) -> str:
        slots = ", ".join(f"'{name}'" for name in self.slots)
        flags = f", '{self.stream}', {'true' if self.unsent else 'false'}" if self.stream else ""
        alone = self._alone()
        counts = f", [{', '.join(map(str, alone))}]" if alone or flags else ""
        return f"...arranged(args, [{slots}]{counts}{flags})"

    def _alone(self) -> list[int]:
        """After how many arguments by position nothing but the options can come."""
        followed = {len(signature.positional) for signature in self.signatures if signature.params}
        return sorted({len(signature.positional) for signature in self.signatures} - followed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A group of methods: `client.corpus`."""

    name: str
    module: str
    class_name: str
    doc: str
    methods: tuple[Method, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """Everything that is rendered."""

    api: Api
    resources: tuple[Resource, ...]
    client_methods: tuple[Method, ...]

    @property
    def methods(self) -> tuple[Method, ...]:
        """All of them, in the order of their descriptors."""
        return (*self.client_methods, *(method for resource in self.resources for method in resource.methods))
