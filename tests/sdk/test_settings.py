"""Where a client's settings come from, how it proves who calls, and what it never shows."""

from __future__ import annotations

import copy
import pickle
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from dhatu_client._errors import (
    APIStatusError,
    AuthenticationError,
    BreakerOpenError,
    CallTimeoutError,
    ConfigurationError,
    ConnectionFailedError,
    DecodingError,
    DhatuError,
)
from dhatu_client._problem import Problem
from sdk.support import Caller, Server, operation

Connect = Callable[..., Caller]

SECRET = "dhk_1_very-secret_c0ffee"


def ok() -> Server:
    return Server(httpx.Response(200, json={}))


class TestResolution:
    def test_arguments_come_before_the_environment(
        self, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SAMPLE_BASE_URL", "https://env.test")
        server = ok()
        connect(server, base_url="https://argument.test/").call(operation())
        assert str(server.request.url) == "https://argument.test/documents"

    def test_the_environment_comes_before_the_description(
        self, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SAMPLE_BASE_URL", "https://env.test/v1")
        monkeypatch.setenv("SAMPLE_API_KEY", SECRET)
        server = ok()
        connect(server).call(operation(security=(("apiKey",),)))
        assert str(server.request.url) == "https://env.test/v1/documents"
        assert server.request.headers["x-api-key"] == SECRET

    @pytest.mark.parametrize("passed", [{"api_key": "mine"}, {"token": "mine"}, {"api_key": ""}])
    def test_no_credential_of_the_environment_goes_beside_a_passed_one(
        self, connect: Connect, monkeypatch: pytest.MonkeyPatch, passed: dict[str, str]
    ) -> None:
        monkeypatch.setenv("SAMPLE_API_KEY", SECRET)
        monkeypatch.setenv("SAMPLE_TOKEN", SECRET)
        server = ok()
        connect(server, **passed).call(operation(security=(("bearer",), ("apiKey",))))
        assert SECRET not in str(server.request.headers)

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"base_url": "api.sample.test"}, "base_url= or SAMPLE_BASE_URL must be an address"),
            ({"base_url": "ftp://api.sample.test"}, "must be an address"),
            ({"base_url": "https://"}, "must be an address"),
            ({"base_url": "https://host:port"}, "must be an address"),
            ({"base_url": "https://host?x=1"}, "neither a query nor a fragment"),
            ({"timeout_s": 0}, "timeout_s must be"),
            ({"timeout_s": float("nan")}, "timeout_s must be"),
            ({"max_retries": -1}, "max_retries must be"),
            ({"api_key": SECRET + "\n"}, "api_key= holds a character"),
            ({"token": "ś"}, "token= holds a character"),
        ],
    )
    def test_bad_settings_are_named_and_secrets_are_not(
        self, connect: Connect, settings: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(ConfigurationError, match=message) as raised:
            connect(ok(), **settings)
        assert SECRET not in str(raised.value)

    def test_a_bad_variable_is_named(self, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SAMPLE_API_KEY", SECRET + "\n")
        with pytest.raises(ConfigurationError, match="SAMPLE_API_KEY holds a character"):
            connect(ok())

    def test_with_options_changes_a_copy(self, connect: Connect) -> None:
        server = Server(httpx.Response(503))
        caller = connect(server, max_retries=1)
        original = caller.client
        caller.client = original.with_options(max_retries=0, timeout_s=3.0)
        with pytest.raises(DhatuError):
            caller.call(operation())
        assert [request.headers["x-sample-timeout-ms"] for request in server.requests] == ["3000"]
        caller.client = original
        with pytest.raises(DhatuError):
            caller.call(operation())
        assert len(server.requests) == 3


class TestCredentials:
    @pytest.mark.parametrize(
        ("security", "expected"),
        [
            ((("bearer",), ("apiKey",)), {"authorization": "Bearer tok"}),
            ((("apiKey",), ("bearer",)), {"x-api-key": "key"}),
            (((), ("apiKey",)), {"x-api-key": "key"}),
            ((("apiKey", "bearer"),), {"x-api-key": "key", "authorization": "Bearer tok"}),
            ((("certificate", "apiKey"),), {"x-api-key": "key"}),
            ((("unheard-of",), ("apiKey",)), {"x-api-key": "key"}),
            ((("cookieKey",),), {"cookie": "session=key"}),
            ((), {}),
        ],
    )
    def test_the_first_alternative_that_can_be_met(
        self, connect: Connect, security: Any, expected: dict[str, str]
    ) -> None:
        server = ok()
        connect(server, api_key="key", token="tok").call(operation(security=security))
        sent = {name: server.request.headers.get(name) for name in ("authorization", "x-api-key", "cookie")}
        assert {name: value for name, value in sent.items() if value is not None} == expected

    def test_a_key_in_the_query(self, connect: Connect) -> None:
        server = ok()
        connect(server, api_key="a&b").call(operation(security=(("queryKey",),)))
        assert server.request.url.query == b"key=a%26b"

    def test_without_a_credential_the_server_is_asked_and_its_no_explained(self, connect: Connect) -> None:
        server = Server(httpx.Response(401, json={"title": "Unauthorized"}))
        with pytest.raises(AuthenticationError, match=r"check the api_key= or token="):
            connect(server).call(operation(security=(("apiKey",),)))
        assert len(server.requests) == 1


class TestSecrets:
    def test_the_client_does_not_show_them(self, connect: Connect) -> None:
        caller = connect(ok(), base_url="https://user:hunter2@host.test/x", api_key=SECRET, token=SECRET)
        shown = repr(caller.client) + repr(caller.client._settings)
        assert SECRET not in shown
        assert "hunter2" not in repr(caller.client)
        assert "base_url='https://host.test/x', api_key='***', token='***'" in shown

    @pytest.mark.parametrize(
        "response",
        [
            httpx.Response(401, json={"title": "Unauthorized"}),
            httpx.Response(500),
            httpx.Response(200, content=b"<"),
            httpx.ConnectError("refused"),
            httpx.ReadTimeout("slow"),
            httpx.RemoteProtocolError("garbage"),
        ],
    )
    def test_no_error_shows_them(self, connect: Connect, response: httpx.Response | Exception) -> None:
        caller = connect(Server(response), api_key=SECRET, token=SECRET, max_retries=0)
        with pytest.raises(DhatuError) as raised:
            caller.call(
                operation(security=(("queryKey", "bearer"),)), options={"extra_query": {"also": SECRET}}
            )
        assert SECRET not in "".join(traceback.format_exception(raised.value)) + repr(raised.value)


@pytest.mark.parametrize(
    "error",
    [
        APIStatusError(operation="a.b", status=418, problem=Problem(title="Teapot"), retry_after_s=2.0),
        AuthenticationError(operation="a.b", status=401, problem=Problem(title="No"), request_id="r"),
        BreakerOpenError("a.b", retry_after_s=1.0),
        ConnectionFailedError("refused", operation="a.b", attempts=3),
        CallTimeoutError("late", operation="a.b", attempts=1),
        DecodingError("odd", operation="a.b", status=200),
        ConfigurationError("missing"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_travel_between_processes(error: DhatuError) -> None:
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is type(error)
        assert (str(twin), vars(twin)) == (str(error), vars(error))


def test_a_deprecated_operation_warns_once(connect: Connect) -> None:
    caller = connect(ok())
    old = operation(deprecated="documents.get goes away on 2027-01-01; use documents.read")
    with pytest.warns(DeprecationWarning, match="use documents"):
        caller.call(old)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        caller.call(old)
