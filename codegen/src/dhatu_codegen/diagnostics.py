"""What is wrong with the specs, where, and what to do about it.

Every stage adds to one `Diagnostics`, so that a run reports all problems at once, ordered by place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from .ir.source import SourceRef
from .lint_codes import LINT_CODES

Severity: TypeAlias = Literal["error", "warning", "note"]
"""error: nothing is written. warning: to be mended. note: worth knowing, and in order as it is."""

SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "note")
"""Gravest first."""

CODES: dict[str, tuple[Severity, str]] = {
    "DH001": ("error", "a file cannot be read"),
    "DH002": ("error", "broken YAML or JSON"),
    "DH003": ("error", "the same key twice in one object"),
    "DH004": ("error", "YAML that has no meaning in JSON"),
    "DH010": ("error", "unknown key in x-dhatu or platform.yaml"),
    "DH011": ("error", "invalid value in x-dhatu or platform.yaml"),
    "DH012": ("error", "x-dhatu where nothing reads it"),
    "DH013": ("warning", "a policy that a target does not honour"),
    "DH014": ("error", "rules for browsers that none obeys, or that let in anybody"),
    "DH015": ("error", "a network of addresses that is none"),
    "DH016": ("error", "a WebSocket that no client could open"),
    "DH020": ("error", "not a valid OpenAPI document"),
    "DH021": ("error", "an OpenAPI version that is not read"),
    "DH022": ("error", "a reference that leads nowhere"),
    "DH023": ("error", "a reference that leaves its document"),
    "DH024": ("warning", "a part of a service's document that the merge leaves out"),
    "DH025": ("error", "a schema keyword that the intermediate representation cannot hold"),
    "DH026": ("warning", "a keyword of OpenAPI 3.0 that has no meaning in 3.1"),
    "DH030": ("error", "the same path and method in two services"),
    "DH031": ("error", "the same operationId twice"),
    "DH032": ("error", "components of the same name that differ"),
    "DH033": ("error", "two operations with the same SDK name"),
    "DH034": ("error", "routes that overlap, neither more specific"),
    "DH035": ("error", "tags or webhooks of the same name that differ"),
    "DH036": ("warning", "a component or tag with another name in the merged document"),
    "DH037": ("warning", "root extensions of services that differ"),
    "DH038": ("error", "services that write schemas in different dialects"),
    "DH039": ("error", "a reference to a part of a path that several services own"),
    "DH040": ("warning", "an operation without summary or description"),
    "DH041": ("warning", "a parameter or body without examples"),
    "DH042": ("error", "an example that its own schema refuses"),
    "DH043": ("error", "a security scheme or scope that is not declared"),
    "DH044": ("warning", "an operation without error responses"),
    "DH045": ("error", "x-dhatu.sdk names something that the operation does not have"),
    "DH046": ("warning", "an operation that does not say who may call it"),
    "DH047": ("error", "a rate limit that cannot be counted"),
    "DH048": ("error", "roles that do not fit together"),
    "DH049": ("error", "a scope that no role grants"),
    "DH050": ("error", "a document that lies out of bounds or cannot be fetched"),
    "DH051": ("error", "a path item that is not where its reference leads"),
    "DH052": ("note", "an operation whose name is taken, and which gets another"),
    "DH053": ("warning", "a variable of a path that no parameter describes"),
    "DH054": ("warning", "a parameter that no request can carry"),
    "DH055": ("error", "operations that were lost or took each other's name"),
    "DH056": ("warning", "a document that does not say where its API is"),
    "DH057": ("warning", "a value in x-dhatu that an SDK cannot mean"),
    "DH058": ("error", "a fallback that is not among the answers of its operation"),
    "DH059": ("error", "a way to a service that contradicts itself"),
    "DH060": ("warning", "something beside $ref, which OpenAPI 3.0 ignores"),
    "DH061": ("note", "documentation beside $ref, which OpenAPI 3.0 ignores"),
    "DH062": ("note", "a place where OpenAPI's text and its use part ways, and how it was read"),
    "DH063": ("warning", "a leftover of an earlier version of OpenAPI, or a keyword without effect"),
    "DH064": ("warning", "a part of OpenAPI 3.2 that is not carried"),
    "DH065": ("error", "a part of OpenAPI 3.2 without which calls would be wrong"),
    "DH066": ("error", "not a valid overlay"),
    "DH067": ("error", "a target of an overlay that selects nothing"),
    "DH068": ("error", "not a JSONPath query"),
    "DH069": ("error", "an action of an overlay that cannot be carried out"),
    "DH080": ("note", "a header that the SDK sends itself"),
    "DH081": ("warning", "a parameter's style that OpenAPI gives no meaning"),
    "DH082": ("warning", "two parameters that are one header"),
    "DH083": ("warning", "a header of a part, which the SDK does not send"),
    "DH084": ("warning", "credentials that cannot be sent together"),
    "DH085": ("warning", "a security scheme that the SDK does not carry out"),
    "DH086": ("warning", "a server whose address is not known"),
    "DH087": ("warning", "a path with a fragment"),
    "DH088": ("warning", "content of an answer that has none"),
    "DH089": ("warning", "a list or a job that the SDK does not go on from"),
    "DH070": ("error", "a generated file that was edited by hand"),
    "DH071": ("warning", "a file that codegen did not write, where only generated files belong"),
    "DH072": ("error", "a file that codegen did not write, in the place of a generated one"),
    "DH073": ("error", "a manifest of generated files that cannot be read"),
    "DH090": ("note", "a schema keyword that the models of an SDK leave to the server"),
    "DH091": ("note", "a WebSocket, for which the SDKs have no method"),
    "DH200": ("error", "an operation was removed that had not been deprecated"),
    "DH201": ("error", "a parameter that is required from now on"),
    "DH202": ("error", "a parameter, header or part that is written in another way"),
    "DH203": ("error", "a request body that is required from now on, or no longer taken"),
    "DH204": ("error", "a media type that requests can no longer have"),
    "DH205": ("error", "a request schema that accepts less"),
    "DH206": ("warning", "a request schema that may accept less"),
    "DH207": ("error", "a successful response is gone"),
    "DH208": ("warning", "a response that was no success is gone"),
    "DH209": ("error", "a media type that answers no longer have"),
    "DH210": ("error", "a response schema that allows more"),
    "DH211": ("warning", "a response schema that may allow more"),
    "DH212": ("warning", "a closed list of values in a response that became longer"),
    "DH213": ("error", "a response header that callers could rely on"),
    "DH214": ("warning", "an optional response header is gone"),
    "DH215": ("error", "a webhook or callback that is no longer sent"),
    "DH216": ("warning", "another default"),
    "DH217": ("warning", "readOnly or writeOnly changed"),
    "DH218": ("warning", "a parameter is gone"),
    "DH219": ("note", "an addition, or a change that breaks nobody"),
    "DH230": ("error", "an operation that was open to anybody needs credentials"),
    "DH231": ("error", "credentials that no longer suffice"),
    "DH232": ("error", "a scope that was not needed before"),
    "DH233": ("error", "a security scheme that works in another way"),
    "DH234": ("error", "a role that no longer suffices"),
    "DH235": ("error", "a smaller limit of request bodies"),
    "DH236": ("warning", "a tighter limit, timeout or policy"),
    "DH237": ("error", "a server under another base path"),
    "DH238": ("warning", "a server is gone, or its variables changed"),
    "DH239": ("error", "a new route that takes the calls of another"),
    "DH240": ("error", "an SDK method of another name"),
    "DH241": ("error", "a type of the SDKs that is gone or renamed"),
    "DH242": ("error", "an SDK argument of another name"),
    "DH243": ("error", "positional SDK arguments in another order"),
    "DH244": ("error", "a discriminator that tells variants apart in another way"),
    "DH245": ("error", "answers that are paged in another way"),
    "DH246": ("warning", "an operationId that changed, the SDK method being the same"),
    "DH247": ("warning", "a property of a type that is gone"),
    "DH248": ("error", "an SDK package or client of another name"),
    "DH249": ("error", "tokens that an SDK no longer obtains by itself"),
    "DH250": ("note", "a deprecated operation without a sunset date"),
    "DH251": ("error", "a sunset that comes earlier than was promised, or not at all"),
    "DH252": ("error", "a deprecated operation was removed before its sunset"),
    "DH253": ("warning", "a version that does not say how much changed"),
    "DH254": ("note", "a break that was accepted"),
    "DH255": ("error", "an accepted break without what, why or until when"),
    "DH256": ("error", "an accepted break that has expired"),
    "DH257": ("warning", "an accepted break that is not there"),
    **LINT_CODES,
}
"""Every code: its severity, and the kind of problem it stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Another place that belongs to a problem."""

    message: str
    source: SourceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One problem at one place."""

    code: str
    message: str
    source: SourceRef
    severity: Severity
    """As in CODES, or as platform.yaml sets it."""
    related: tuple[Related, ...] = ()
    hint: str = ""

    @property
    def order(self) -> tuple[str, int, int, str, str]:
        return (self.source.file, self.source.line, self.source.column, self.code, self.message)


class Diagnostics:
    """Collects problems, and prints them beside the lines they are about."""

    def __init__(self) -> None:
        self._found: dict[Diagnostic, None] = {}
        self._lines: dict[str, Sequence[str]] = {}
        self._severities: dict[str, Severity | None] = {}

    def switch(self, code: str, severity: Severity | None) -> None:
        """Let a code count for more or less from here on; None for not at all."""
        self._severities[code] = severity

    def remember(self, file: str, text: str) -> None:
        """Keep the text of a file, so that its lines can be shown."""
        self._lines[file] = text.splitlines()

    def add(
        self, code: str, message: str, source: SourceRef, *, related: Iterable[Related] = (), hint: str = ""
    ) -> None:
        """Add a problem; one that was added before counts once."""
        severity = self._severities.get(code, CODES[code][0])
        if severity is not None:
            found = Diagnostic(
                code=code,
                message=message,
                source=source,
                severity=severity,
                related=tuple(related),
                hint=hint,
            )
            self._found[found] = None

    def take(self, other: Diagnostics) -> None:
        """Add everything that another one found, and the lines that it knows."""
        self._found |= other._found
        self._lines |= other._lines

    @property
    def all(self) -> tuple[Diagnostic, ...]:
        """Everything found, ordered by file, line and column."""
        return tuple(sorted(self._found, key=lambda diagnostic: diagnostic.order))

    @property
    def files(self) -> tuple[str, ...]:
        """Every file whose text was read."""
        return tuple(self._lines)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(found for found in self.all if found.severity == "error")

    @property
    def summary(self) -> str:
        """How many of each severity: `1 error, 2 warnings`; empty where there is nothing."""
        counts = Counter(found.severity for found in self.all)
        return ", ".join(
            f"{counts[severity]} {severity}{'s' if counts[severity] > 1 else ''}"
            for severity in SEVERITIES
            if counts[severity]
        )

    def render(self, diagnostic: Diagnostic) -> str:
        """The problem as people read it: place, code, message, line and caret, related places, a hint."""
        head = f"{diagnostic.source} {diagnostic.severity}[{diagnostic.code}] {diagnostic.message}"
        lines = [head, *self._excerpt(diagnostic.source)]
        lines += [f"    {related.source} {related.message}" for related in diagnostic.related]
        if diagnostic.hint:
            lines.append(f"    hint: {diagnostic.hint}")
        return "\n".join(lines)

    def _excerpt(self, source: SourceRef) -> list[str]:
        lines = self._lines.get(source.file, ())
        if not 1 <= source.line <= len(lines):
            return []
        text = lines[source.line - 1].rstrip()
        gutter = f"{source.line:>5} | "
        before = "".join("\t" if char == "\t" else " " for char in text[: source.column - 1])
        return [gutter + text, " " * (len(gutter) - 2) + "| " + before + "^"]
