"""What no client library would send, over raw sockets, to the gateway as it is deployed."""

from __future__ import annotations

import json
import socket
import urllib.parse

import httpx
import pytest

READ_TIMEOUT_S = 20.0


def exchange(base_url: str, raw: bytes) -> bytes:
    """Sends bytes and reads until the gateway closes the connection."""
    address = urllib.parse.urlsplit(base_url)
    with socket.create_connection((address.hostname, address.port), timeout=READ_TIMEOUT_S) as connection:
        connection.sendall(raw)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received


def head(target: str, *lines: str, method: str = "GET") -> bytes:
    return "\r\n".join(
        (f"{method} {target} HTTP/1.1", "Host: gateway", "Connection: close", *lines, "", "")
    ).encode()


PATHS = ["/api/v1/corpus/documents/a%2fb", "/api/v1/../v1/health", "/api/v1/%2e%2e/health", "/api//v1/health"]
PATHS += ["/api/v1/corpus/documents/a%5cb", "/api/v1/corpus/documents/%00", "/api/v1/%252e%252e/health"]

MALFORMED = {
    **{f"path {path}": head(path) for path in PATHS},
    "two lengths": head("/api/v1/analyze", "Content-Length: 2", "Content-Length: 3", method="POST") + b"{}",
    "length and chunked": head(
        "/api/v1/analyze", "Content-Length: 2", "Transfer-Encoding: chunked", method="POST"
    )
    + b"0\r\n\r\n",
    "negative length": head("/api/v1/analyze", "Content-Length: -1", method="POST"),
    "space before colon": head("/api/v1/health", "X-Odd : 1"),
    "no request at all": b"hello\r\n\r\n",
    "a broken chunk": head("/api/v1/analyze", "Transfer-Encoding: chunked", method="POST") + b"zz\r\n",
    "too many headers": head("/api/v1/health", *(f"X-{number}: 1" for number in range(2000))),
    "a huge header": head("/api/v1/health", "X-Huge: " + "a" * 1_000_000),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_gets_a_problem_or_a_clean_close(base_url: str, name: str) -> None:
    try:
        answer = exchange(base_url, MALFORMED[name])
    except ConnectionResetError:
        answer = b""
    assert b"Traceback" not in answer
    if answer:
        status_line, _, rest = answer.partition(b"\r\n")
        assert status_line.split()[1].startswith(b"4"), status_line
        problem = json.loads(rest.partition(b"\r\n\r\n")[2])
        assert problem["status"] == int(status_line.split()[1])
        assert problem["detail"]
    assert httpx.get(f"{base_url}/api/v1/health/live").status_code == 200


BODIES = {
    "not JSON": (b'{"text": ', 400),
    "not UTF-8": (b'{"text": "\xff"}', 400),
    "the wrong type": (b'{"text": 7}', 400),
    "an unknown field": (b'{"text": "x", "colour": "red"}', 400),
    "nothing": (b"", 400),
    "deep nesting": (b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_gets_a_problem_that_says_what_and_where(base_url: str, api_key: str, name: str) -> None:
    body, status = BODIES[name]
    headers = {"x-api-key": api_key, "content-type": "application/json"}
    answer = httpx.post(f"{base_url}/api/v1/analyze", headers=headers, content=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"] or answer.json()["detail"]


def test_an_unknown_parameter_is_named(base_url: str, api_key: str) -> None:
    answer = httpx.get(
        f"{base_url}/api/v1/corpus/search", params={"q": "a", "colour": "red"}, headers={"x-api-key": api_key}
    )
    assert answer.status_code == 400
    assert [error["name"] for error in answer.json()["errors"]] == ["colour"]


def test_a_body_over_the_limit_is_refused(base_url: str, api_key: str) -> None:
    headers = {"x-api-key": api_key, "content-type": "application/json"}
    body = b'{"text": "' + b"a" * (5 << 20) + b'"}'
    answer = httpx.post(f"{base_url}/api/v1/patterns/detect", headers=headers, content=body)
    assert answer.status_code == 413
