"""How tokens are obtained, out of OAuth2 flows and of operations that say so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from codegen.project import Project
from dhatu_codegen.ir.security import TokenGrant
from dhatu_codegen.targets.python.descriptors import api_call

SCHEMA = "            schema:\n              oneOf"

FLOWS = """
paths: {}
components:
  securitySchemes:
    oauth:
      type: oauth2
      flows:
        authorizationCode:
          authorizationUrl: https://auth.test/authorize
          tokenUrl: https://auth.test/token
          refreshUrl: https://auth.test/refresh
          scopes: {}
        clientCredentials: {tokenUrl: https://auth.test/token, scopes: {read: Read.}}
        implicit: {authorizationUrl: https://auth.test/authorize, scopes: {}}
"""

OIDC = """\
    oidc:
      type: openIdConnect
      openIdConnectUrl: https://auth.test/.well-known/openid-configuration
"""

OPERATION = """
paths:
  /v1/login:
    post:
      operationId: login
      tags: [auth]
      summary: Sign in
      description: Trades a password.
      security: []
      x-dhatu: {sdk: {tokens: {scheme: token, grants: [password], names: {username: user, scope: rights}}}}
      requestBody:
        required: true
        content:
          application/json:
            schema:
              oneOf: [{$ref: "#/components/schemas/Login"}]
            examples: {one: {value: {user: panini, password: x, rights: [read]}}}
      responses:
        "200":
          description: The token.
          content:
            application/json:
              schema:
                description: Tokens.
                type: object
                properties: {access_token: {type: string, description: It.}}
              examples: {one: {value: {access_token: x}}}
        default: {description: Failed.}
components:
  schemas:
    Login:
      description: What signs in.
      type: object
      properties:
        user: {type: string, description: Who.}
        password: {type: string, description: Proof.}
        rights: {type: array, items: {type: string}, description: What for.}
  securitySchemes:
    token: {type: http, scheme: bearer}
    key: {type: apiKey, in: header, name: X-Key}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_flow_is_a_grant_and_a_session_is_renewed_where_it_says(project: Project) -> None:
    project.service("alpha", FLOWS)
    assert project.api().grants == (
        TokenGrant(scheme="oauth", kind="client_credentials", address="https://auth.test/token"),
        TokenGrant(scheme="oauth", kind="refresh_token", address="https://auth.test/refresh"),
    )


def test_an_operation_is_a_grant_in_its_own_words(project: Project) -> None:
    project.service("alpha", OPERATION)
    assert project.api().grants == (
        TokenGrant(
            scheme="token",
            kind="password",
            address="v1/login",
            json=True,
            says_kind=False,
            lists_scopes=True,
            names=(("username", "user"), ("scope", "rights")),
        ),
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("scheme: token, grants", "scheme: key, grants", "'key', which is no scheme of bearer tokens"),
        ("scheme: token, grants", "scheme: tokens, grants", "'tokens', which is no scheme of bearer tokens"),
        ("username: user,", "username: name,", "'name', which its body does not have"),
        ("grants: [password]", "grants: [refresh_token]", "'refresh_token', which its body does not have"),
        ("names: {", "names: {access_token: jwt, ", "'jwt', which its answer does not have"),
        (
            f"application/json:\n{SCHEMA}",
            f"text/plain:\n{SCHEMA}",
            "an operation that posts neither JSON nor a form",
        ),
    ],
)
def test_what_it_does_not_have_is_an_error(project: Project, old: str, new: str, message: str) -> None:
    assert old in OPERATION
    project.service("alpha", OPERATION.replace(old, new, 1))
    found = [item.message for item in project.build(targets=()).diagnostics.all if item.code == "DH045"]
    assert found == [f"x-dhatu.sdk of auth.login: tokens names {message}"]


def test_an_unknown_grant_is_refused_where_it_stands(project: Project) -> None:
    project.service("alpha", OPERATION.replace("grants: [password]", "grants: [pasword]"))
    assert ("DH011", "spec/services/alpha.yaml:13:56") in project.found()


def test_the_sdk_is_told(project: Project) -> None:
    project.service("alpha", FLOWS.replace("    oauth:", OIDC + "    oauth:", 1))
    schemes: Any = dict(api_call(project.api()).fields)["schemes"]
    told: dict[str, Any] = {dict(scheme.fields)["key"]: dict(scheme.fields) for scheme in schemes}
    assert told["oidc"]["kind"] == "bearer"
    assert told["oidc"]["discovery_url"] == "https://auth.test/.well-known/openid-configuration"
    assert [dict(grant.fields) for grant in told["oauth"]["grants"]] == [
        {"kind": "client_credentials", "url": "https://auth.test/token"},
        {"kind": "refresh_token", "url": "https://auth.test/refresh"},
    ]
