"""The gateway's tables: that they are what the gateway's own types say, and that no policy is lost."""

from __future__ import annotations

import dataclasses
import json
import sys
import types
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httptools
import jsonschema_rs
import pytest
from codegen.project import Project
from dhatu_codegen.ir.api import Api
from dhatu_codegen.ir.policy import (
    REQUEST_PARTS,
    Cache,
    Cors,
    Fallback,
    Idempotency,
    Networks,
    Policy,
    RateLimit,
    Validate,
    WebSocket,
)
from dhatu_codegen.ir.upstream import Breaker, Hedge, Tries
from dhatu_codegen.targets import TARGETS
from dhatu_codegen.targets.base import Target
from dhatu_codegen.targets.gateway import GatewayTarget
from dhatu_codegen.targets.gateway.methods import PARSED
from dhatu_gateway.core import types as gateway_types
from dhatu_gateway.core.upstream import policy as gateway_policy

SPEC = """\
paths:
  /api/v1/b/{id}:
    post:
      operationId: change
      tags: [things]
      summary: S
      description: D
      security:
        - {oauth: ["b:write", "a:read"]}
        - {}
      parameters:
        - {name: id, in: path, required: true, description: I, example: a, schema: {type: string}}
        - {name: Accept, in: header, description: Ignored by OpenAPI., schema: {type: string}}
      requestBody:
        content:
          Application/JSON; charset=utf-8:
            schema: {$ref: "#/components/schemas/Thing"}
            example: {a~/b: 1}
          application/jsonl: {schema: {$ref: "#/components/schemas/Thing"}}
          application/octet-stream: {}
      responses: {"401": {description: W}, "403": {description: N}, default: {description: A}}
  /a:
    get:
      operationId: read
      tags: [things]
      summary: S
      description: D
      responses: {default: {description: A}}
components:
  schemas:
    Thing: {type: object, additionalProperties: false, properties: {a~/b: {type: integer}}}
    Unused: {type: object}
  securitySchemes:
    oauth:
      type: oauth2
      flows:
        clientCredentials:
          tokenUrl: https://e.org
          scopes: {"a:read": 'Read "a".', "b:write": ""}
    key: {type: apiKey, in: query, name: k}
    basic: {type: http, scheme: Basic}
    openid: {type: openIdConnect, openIdConnectUrl: "https://e.org"}
    mtls: {type: mutualTLS}
"""


def files(api: Api) -> dict[str, str]:
    return {file.path.rsplit("/", 1)[-1]: file.text for file in GatewayTarget().render(api)}


def tables(text: str) -> dict[str, Any]:
    """`PLATFORM` and `ROUTES`, made with the gateway's real types."""
    names: dict[str, Any] = {"__package__": "dhatu_gateway.generated"}
    exec(compile(text, "routes.py", "exec"), names)
    return names


@pytest.fixture
def api(project: Project) -> Api:
    project.service("things", SPEC)
    return project.api()


def test_the_table_holds_what_the_document_says(api: Api) -> None:
    routes = {route.operation: route for route in tables(files(api)["routes.py"])["ROUTES"]}
    assert list(routes) == ["things.read", "things.change"]  # by path
    change = routes["things.change"]
    assert change == gateway_types.Route(
        operation="things.change",
        service="things",
        version="v1",
        method="POST",
        path="/api/v1/b/{id}",
        parameters=(
            gateway_types.Parameter(
                name="id",
                location="path",
                required=True,
                style="simple",
                explode=False,
                content_type="",
                schema="/paths/~1api~1v1~1b~1{id}/post/parameters/0/schema",
            ),
        ),
        body=change.body,
        answers=change.answers,
        security=((gateway_types.Credential(scheme="oauth", scopes=("b:write", "a:read")),), ()),
        roles=(),
        timeout_s=60.0,
        max_body_bytes=1_048_576,
        retry="never",
        tries=gateway_policy.Tries(),
        hedge=None,
        breaker=None,
        rate_limits=(),
        validate=gateway_types.Validate(
            path="enforce",
            query="enforce",
            headers="enforce",
            cookies="enforce",
            body="enforce",
            response="log",
            undeclared="keep",
        ),
        deprecated=False,
        sunset="",
        cors=None,
        networks=None,
    )
    assert [(item.media_type, item.kind, bool(item.schema)) for item in change.body.media_types] == [
        ("application/json", "json", True),
        ("application/jsonl", "stream", True),
        ("application/octet-stream", "stream", False),
    ]


def test_answers_hold_the_header_fields_that_a_service_has_to_say(project: Project) -> None:
    fields = """{description: A, headers: {
        Location: {required: true, schema: {type: string, format: uri-reference}},
        X-Facts: {content: {application/json: {schema: {type: object}}}},
        X-Names: {explode: true, schema: {type: object}},
        X-Safe: {required: true, schema: {type: string}}}}"""
    project.service(
        "things", SPEC.replace("responses: {default: {description: A}}", f"responses: {{default: {fields}}}")
    )
    api = dataclasses.replace(project.api(), security_headers=(("x-safe", "1"),))
    made = files(api)
    read = next(route for route in tables(made["routes.py"])["ROUTES"] if route.operation == "things.read")
    (answer,) = read.answers
    assert [(item.name, item.location, item.required, item.style) for item in answer.headers] == [
        ("Location", "header", True, "simple"),
        ("X-Facts", "header", False, "simple"),
        ("X-Names", "header", False, "simple"),
    ]  # X-Safe is the gateway's own
    assert [(item.explode, item.content_type) for item in answer.headers] == [
        (False, ""),
        (False, "application/json"),
        (True, ""),
    ]
    registry = jsonschema_rs.Registry([("urn:api", json.loads(made["openapi.json"]))])
    for item in answer.headers:
        schema = {"$ref": f"urn:api#{quote(item.schema)}"}
        assert not jsonschema_rs.Draft202012Validator(schema, registry=registry).is_valid(1)


def test_the_platform_names_schemes_and_scopes(api: Api) -> None:
    platform = tables(files(api)["routes.py"])["PLATFORM"]
    assert [(item.key, item.kind, item.location, item.parameter) for item in platform.security_schemes] == [
        ("oauth", "oauth2", "header", "Authorization"),
        ("key", "api_key", "query", "k"),
        ("basic", "basic", "header", "Authorization"),
        ("openid", "open_id", "header", "Authorization"),
        ("mtls", "mutual_tls", "header", ""),
    ]
    assert platform.scopes == (("a:read", 'Read "a".'), ("b:write", "things.change"))


def test_every_schema_pointer_leads_to_a_schema_of_the_shipped_document(api: Api) -> None:
    document = json.loads(files(api)["openapi.json"])
    assert next(iter(document)) != "x-generated"
    registry = jsonschema_rs.Registry([("urn:api", document)])
    routes = tables(files(api)["routes.py"])["ROUTES"]
    pointers = [item.schema for route in routes for item in route.parameters]
    pointers += [
        item.schema for route in routes if route.body for item in route.body.media_types if item.schema
    ]
    assert len(pointers) == 3
    for pointer in pointers:
        jsonschema_rs.Draft202012Validator({"$ref": f"urn:api#{quote(pointer)}"}, registry=registry)
    body = next(pointer for pointer in pointers if "requestBody" in pointer)
    validator = jsonschema_rs.Draft202012Validator({"$ref": f"urn:api#{quote(body)}"}, registry=registry)
    assert validator.is_valid({"a~/b": 1})
    assert not validator.is_valid({"a~/b": "x"})


def test_models_hold_what_the_system_operations_reach_and_no_more(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.service("system", SPEC)
    text = files(project.api())["models.py"]
    module = types.ModuleType("generated_models")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # pydantic resolves annotations there
    exec(compile(text, "models.py", "exec"), module.__dict__)
    assert not hasattr(module, "Unused")
    thing = module.Thing
    assert thing.model_validate({"a~/b": 3}).model_dump(by_alias=True) == {"a~/b": 3}
    with pytest.raises(ValueError, match="Extra inputs"):
        thing.model_validate({"c": 3})


def test_without_system_operations_there_are_no_models(api: Api) -> None:
    assert "class" not in files(api)["models.py"]


def test_nothing_in_the_output_depends_on_when_it_was_made(api: Api) -> None:
    assert files(api) == files(api)


VALIDATE = Validate(
    path="enforce",
    query="enforce",
    headers="enforce",
    cookies="enforce",
    body="enforce",
    response="log",
    undeclared="keep",
)


def changed(part: str, mode: Any) -> Validate:
    return dataclasses.replace(VALIDATE, **{part: mode})


CHANGES: dict[str, Any] = {
    "timeout_s": 7.5,
    "max_body_bytes": 77,
    "retry": "keyed",
    "tries": Tries(attempts=7, per_try_timeout_s=7.0),
    "hedge": Hedge(after_s=7.0, percentile=None),
    "rate_limit": (
        RateLimit(
            name="seven",
            algorithm="gcra",
            limit=7,
            window_s=7.0,
            per="",
            burst=7,
            cost=7,
            lease=7,
            by="header",
            header="X-Seven",
            across="api",
            roles=("seventh",),
            except_roles=("eighth",),
            shadow=True,
            charge_refused=True,
            on_store_failure="open",
        ),
    ),
    "idempotency": Idempotency(keep_s=7.0, required=True),
    "breaker": Breaker(
        failure_rate=0.7, window_s=7.0, min_calls=7, consecutive=7, open_s=7.0, half_open_calls=7
    ),
    "cache": Cache(ttl_s=7.0, stale_if_error_s=7.0, vary=("x",), shared=True),
    "fallback": Fallback(status=207, body=7),
    "priority": "low",
    **{f"validate.{part}": changed(part, "log") for part in REQUEST_PARTS},
    "validate.response": dataclasses.replace(VALIDATE, response="enforce"),
    "validate.undeclared": dataclasses.replace(VALIDATE, undeclared="strip"),
    "roles": ("seventh",),
    "networks": Networks(allow=("10.7.0.0/16",), deny=()),
    "websocket": WebSocket(idle_s=7.0),
    "cors": Cors(allow_origins=("https://seventh.example",)),
}


def policies() -> Iterator[str]:
    """Every policy that an operation can ask for; `validate` has two parts with fates of their own."""
    for field in dataclasses.fields(Policy):
        if field.name == "validate":
            yield from (f"validate.{part.name}" for part in dataclasses.fields(Validate))
        else:
            yield field.name


def test_every_policy_has_a_change_to_be_tried() -> None:
    assert set(policies()) == set(CHANGES)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@pytest.mark.parametrize("policy", list(policies()))
def test_a_target_handles_a_policy_or_says_that_it_does_not(api: Api, target: Target, policy: str) -> None:
    operation = next(item for item in api.operations if item.name.wire == "read")
    changed_policy = dataclasses.replace(operation.policy, **{policy.partition(".")[0]: CHANGES[policy]})
    others = tuple(item for item in api.operations if item is not operation)
    changed = dataclasses.replace(
        api, operations=(*others, dataclasses.replace(operation, policy=changed_policy))
    )
    same = dataclasses.replace(api, operations=(*others, operation))

    handled = target.render(changed) != target.render(same)
    unsupported = {item.policy for item in target.unsupported}

    left_alone = {policy, policy.partition(".")[0]} & (unsupported | target.irrelevant)
    assert handled != bool(left_alone)
    if policy in unsupported:
        (asked,) = [item.asked_for for item in target.unsupported if item.policy == policy]
        assert asked(changed_policy)
        assert not asked(operation.policy)


@pytest.mark.parametrize("method", [*sorted(PARSED), "FETCH"])
def test_the_parser_knows_the_methods_that_it_is_said_to_know(method: str) -> None:
    parser = httptools.HttpRequestParser(object())
    try:
        parser.feed_data(f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    except httptools.HttpParserInvalidMethodError:
        assert method not in PARSED
    else:
        assert method in PARSED
