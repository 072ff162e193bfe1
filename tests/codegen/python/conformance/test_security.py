"""What is sent to prove who calls, and where operations are served."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from codegen.python.conformance.decoder import Wire
from codegen.python.conformance.package import Caller

BASIC = "Basic " + b64encode("ā:p:w".encode()).decode()
SECRETS = ("x-key", "x-app", "authorization", "cookie")


def _shown(wire: Wire) -> dict[str, str]:
    """Everything that proves something."""
    headers = {name: text for name in SECRETS if (text := wire.header(name)) is not None}
    return headers | ({"query": wire.query} if wire.query else {})


@pytest.mark.parametrize(
    ("method", "settings", "expected"),
    [
        ("nobody", {"api_key": "k", "token": "t"}, {}),
        ("header_key", {"api_key": "k"}, {"x-key": "k"}),
        ("header_key", {"credentials": {"headerKey": "own"}, "api_key": "k"}, {"x-key": "own"}),
        ("header_key", {"token": "t"}, {}),
        ("query_key", {"api_key": "k&=/"}, {"query": "api%20key=k%26%3D%2F"}),
        ("cookie_key", {"api_key": "k;"}, {"cookie": "session=k%3B"}),
        ("bearer", {"token": "t"}, {"authorization": "Bearer t"}),
        ("oauth", {"token": "t"}, {"authorization": "Bearer t"}),
        ("oidc", {"token": "t"}, {"authorization": "Bearer t"}),
        ("oidc", {"token": "t", "credentials": {"oidc": "own"}}, {"authorization": "Bearer own"}),
        ("basic", {"username": "ā", "password": "p:w"}, {"authorization": BASIC}),
        ("basic", {"credentials": {"basicAuth": ("ā", "p:w")}}, {"authorization": BASIC}),
        ("token", {"credentials": {"tokenAuth": "abc"}}, {"authorization": "Token abc"}),
        ("mtls", {"token": "t"}, {}),
        ("either", {"token": "t"}, {"authorization": "Bearer t"}),
        ("either", {"api_key": "k"}, {"x-key": "k"}),
        ("either", {"api_key": "k", "username": "ā", "password": "p:w"}, {"authorization": BASIC}),
        ("optional", {}, {}),
        ("optional", {"api_key": "k"}, {"x-key": "k"}),
        ("together", {"api_key": "k", "credentials": {"appKey": "a"}}, {"x-key": "k", "x-app": "a"}),
        ("together", {"credentials": {"appKey": "a", "headerKey": "k"}}, {"x-key": "k", "x-app": "a"}),
        ("together", {"api_key": "k"}, {}),  # one key is not two
        ("key_and_bearer", {"api_key": "k", "token": "t"}, {"x-key": "k", "authorization": "Bearer t"}),
        ("certificate_and_key", {"api_key": "k"}, {"query": "api%20key=k"}),
    ],
)
def test_the_right_proof_is_sent(
    caller: Caller, method: str, settings: Any, expected: dict[str, str]
) -> None:
    assert _shown(caller.sent(f"security.{method}", settings)) == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"credentials": {"nobodysKey": "k"}}, "names the scheme 'nobodysKey'; the API has headerKey"),
        ({"credentials": {"basicAuth": "secret"}}, r"\['basicAuth'\] must be a tuple of name and password"),
        ({"credentials": {"headerKey": ("a", "secret")}}, r"\['headerKey'\] must be a str"),
        ({"credentials": {"headerKey": "secret\n"}}, r"\['headerKey'\] holds a character"),
        ({"password": "secret"}, "the name is missing"),
        ({"username": "a:b", "password": "secret"}, "must not hold a colon"),
    ],
)
def test_a_credential_that_cannot_be_used_is_refused(caller: Caller, settings: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        caller.module.SyncWireAPI(**settings)
    assert "secret" not in str(raised.value)


def test_credentials_come_from_the_environment_and_are_never_shown(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIRE_USERNAME", "ā")
    monkeypatch.setenv("WIRE_PASSWORD", "p:w")
    assert _shown(caller.sent("security.basic")) == {"authorization": BASIC}
    assert _shown(caller.sent("security.basic", {"token": "t"})) == {}
    client = caller.module.SyncWireAPI(username="u", password="secret", credentials={"headerKey": "secret"})
    assert "secret" not in repr(client)
    assert "password='***', credentials='***'" in repr(client)


@pytest.mark.parametrize(
    ("method", "settings", "address"),
    [
        ("root", {}, "https://eu.wire.test:8443/base/servers/root"),
        ("path_level", {}, "https://files.wire.test/up/servers/path"),
        ("operation_level", {}, "https://eu.wire.test:8443/relative/servers/operation"),
        ("root", {"base_url": "http://127.0.0.1:9/x"}, "http://127.0.0.1:9/x/servers/root"),
        ("path_level", {"base_url": "http://127.0.0.1:9/x"}, "http://127.0.0.1:9/x/servers/path"),
    ],
)
def test_an_operation_goes_to_its_server(caller: Caller, method: str, settings: Any, address: str) -> None:
    assert caller.sent(f"servers.{method}", settings).url == address
