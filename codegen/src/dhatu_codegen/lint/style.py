"""The rules that only `dhatu-codegen lint` runs: a document that breaks one still works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ..diagnostics import Diagnostics
from ..ir.schema import Json
from . import example_places, owasp, paging, patterns, responses, servers, spelling, structure, values
from .survey import Findings, Survey


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; its severity stands in the table of codes."""

    code: str
    name: str
    check: Callable[[Survey], Findings]


STYLE: Final[tuple[Rule, ...]] = (
    Rule("DH100", "path-trailing-slash", structure.trailing_slash),
    Rule("DH101", "path-query", structure.query_in_path),
    Rule("DH102", "component-unused", structure.unused_component),
    Rule("DH103", "enum-repeated-value", values.repeated_enum_value),
    Rule("DH104", "enum-type", values.enum_type),
    Rule("DH105", "required-undefined", values.required_undefined),
    Rule("DH106", "range-mixed", values.mixed_range),
    Rule("DH107", "servers-missing", servers.no_servers),
    Rule("DH108", "server-variables", servers.server_variables),
    Rule("DH109", "path-parameter-unused", structure.path_parameter),
    Rule("DH110", "reference-siblings", structure.reference_siblings),
    Rule("DH111", "operation-id-url-safe", structure.operation_id_url_safe),
    Rule("DH112", "operation-id-missing", structure.operation_id_missing),
    Rule("DH113", "tag-declared", structure.tag_declared),
    Rule("DH114", "tag-described", structure.tag_described),
    Rule("DH115", "operation-single-tag", structure.single_tag),
    Rule("DH116", "summary-headline", structure.summary_length),
    Rule("DH117", "info-license", structure.license_missing),
    Rule("DH118", "composition-repeated", structure.repeated_variant),
    Rule("DH119", "server-trailing-slash", servers.server_slash),
    Rule("DH120", "path-kebab-case", spelling.path_case),
    Rule("DH121", "property-case", spelling.property_case),
    Rule("DH122", "path-http-method", spelling.verb_in_path),
    Rule("DH123", "schema-name-case", spelling.schema_name),
    Rule("DH130", "owasp-credentials-in-url", owasp.credentials_in_url),
    Rule("DH131", "owasp-api-key-in-query", owasp.api_key_in_query),
    Rule("DH132", "owasp-basic-authentication", owasp.basic_authentication),
    Rule("DH133", "owasp-server-https", servers.server_https),
    Rule("DH134", "owasp-string-limit", owasp.string_limit),
    Rule("DH135", "owasp-array-limit", owasp.array_limit),
    Rule("DH136", "owasp-integer-limit", owasp.integer_limit),
    Rule("DH137", "owasp-open-request", owasp.open_request),
    Rule("DH138", "owasp-response-429", responses.too_many_requests),
    Rule("DH139", "owasp-retry-after", responses.wait_headers),
    Rule("DH140", "owasp-numeric-id", owasp.numeric_id),
    Rule("DH141", "owasp-oauth-flow", owasp.weak_flow),
    Rule("DH145", "error-problem-json", responses.problem_json),
    Rule("DH146", "response-success", responses.no_success),
    Rule("DH147", "request-body-method", responses.body_of_get),
    Rule("DH148", "response-empty-content", responses.content_of_empty),
    Rule("DH150", "example-exclusive", example_places.two_examples),
    Rule("DH151", "example-valid", example_places.refused_example),
    Rule("DH155", "page-maximum", paging.page_maximum),
    Rule("DH156", "page-cursor", paging.page_cursor),
    Rule("DH157", "list-bare", paging.bare_list),
    Rule("DH159", "pattern-runaway", patterns.runaway_pattern),
)

ALWAYS: Final[tuple[Rule, ...]] = (Rule("DH158", "pattern-linear", patterns.refused_pattern),)
"""What the gateway could not start with: `generate` runs these too."""


def lint_style(
    document: Mapping[str, Json], diagnostics: Diagnostics, rules: tuple[Rule, ...] = STYLE
) -> None:
    """Run these rules over a whole document."""
    survey = Survey(document)
    for rule in rules:
        for found in rule.check(survey):
            diagnostics.add(rule.code, found.message, found.source, related=found.related, hint=found.hint)
