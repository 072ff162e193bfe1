"""Token requests and their answers (RFC 6749), without I/O; what a server says never shows a secret."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Generator, Iterable, Mapping
from typing import Any, NamedTuple, NoReturn, TypeAlias, TypeVar, cast
from urllib.parse import quote_plus, urlencode, urlsplit

from .._call import GrantSpec
from .._encoding.content import BytesBody
from .._errors import ConfigurationError, TokenError
from .._problem import read_problem
from .._wire import Answer, Endpoint, Failure, Outcome, Request, Send, TransportFailed
from .credentials import checked_secret
from .grants import ClientAuth
from .tokens import Token

T = TypeVar("T")
Steps: TypeAlias = Generator[Send, Outcome, T]
"""Yields requests, is sent how they ended, and returns what came of them.

Raises `TokenError` where there is no use in trying again, else `PassingFailure` around one.
"""

_CONNECT_S = 5.0
_TIMEOUT_S = 30.0
"""For one token request."""
_FORM = "application/x-www-form-urlencoded"
_MAX_TEXT = 300
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_UNREAD = frozenset({425, 429})
"""With these the server says that it did nothing."""


class Client(NamedTuple):
    """A client, and how it proves itself (RFC 6749, section 2.3.1)."""

    id: str
    secret: str
    """Empty for a public client."""
    auth: ClientAuth

    def __repr__(self) -> str:
        return f"Client(id={self.id!r}, secret='***', auth={self.auth!r})"


class Trade(NamedTuple):
    """What is traded for a token, and where."""

    grant: GrantSpec
    fields: Mapping[str, str]
    """`refresh_token`, `username` and the like, by their names in RFC 6749."""
    scopes: tuple[str, ...]
    extra: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Trade(grant={self.grant!r}, fields={sorted(self.fields)})"

    def name(self, standard: str) -> str:
        """What the API calls a member of RFC 6749."""
        return dict(self.grant.names).get(standard, standard)

    def members(self) -> dict[str, str | list[str]]:
        """Of the request, but for what proves the client."""
        members: dict[str, str | list[str]] = dict(self.extra)
        if self.grant.says_kind:
            members[self.name("grant_type")] = self.grant.kind
        members |= {self.name(name): text for name, text in self.fields.items()}
        if self.scopes:
            members[self.name("scope")] = (
                list(self.scopes) if self.grant.lists_scopes else " ".join(self.scopes)
            )
        return members


class PassingFailure(TransportFailed):
    """No token this time: for the call that needs one a failed attempt, of which nothing was sent."""

    def __init__(self, error: TokenError, *, acted: bool) -> None:
        super().__init__(Failure(kind="connect", cause=error))
        self.acted = acted
        """Whether the token endpoint may have acted all the same."""


class Metadata(NamedTuple):
    """What discovery says (OpenID Connect Discovery 1.0, section 3)."""

    token_url: str
    auth: ClientAuth


def exchange(trade: Trade, client: Client | None, user_agent: str) -> Steps[Token]:
    """Ask for a token."""
    members = trade.members()
    headers = [("accept", "application/json"), ("user-agent", user_agent)]
    if client is not None and client.secret and client.auth == "basic":
        pair = f"{quote_plus(client.id)}:{quote_plus(client.secret)}"
        headers.append(("authorization", f"Basic {b64encode(pair.encode()).decode()}"))
    elif client is not None:
        members["client_id"] = client.id
        members |= {"client_secret": client.secret} if client.secret else {}
    headers.append(("content-type", "application/json" if trade.grant.json else _FORM))
    body = json.dumps(members) if trade.grant.json else urlencode(members, doseq=True)
    outcome = yield _step("POST", trade.grant.url, tuple(headers), BytesBody(body.encode()))
    secrets = [text for name, text in trade.fields.items() if name != "username"]
    secrets += [*trade.extra.values(), client.secret if client else ""]
    return _token(trade, _answered(trade.grant.url, outcome, secrets))


def discover(url: str, user_agent: str) -> Steps[Metadata]:
    """Read where tokens come from; a client proves itself by HTTP basic unless only a form is taken."""
    outcome = yield _step("GET", url, (("accept", "application/json"), ("user-agent", user_agent)), None)
    members = _answered(url, outcome, ())
    token_url = members.get("token_endpoint")
    if not isinstance(token_url, str) or not is_private(token_url):
        raise TokenError(f"{host_of(url)} names no token endpoint that is reached by https")
    methods = members.get("token_endpoint_auth_methods_supported")
    taken = cast("list[object]", methods) if isinstance(methods, list) else ["client_secret_basic"]
    only_post = "client_secret_basic" not in taken and "client_secret_post" in taken
    return Metadata(token_url, "post" if only_post else "basic")


def is_private(url: str) -> bool:
    """Whether what is sent there stays between the two: by https, or within this machine.

    >>> is_private("https://auth.test/token"), is_private("http://127.0.0.1:8080/token"), is_private("http://a.b/")
    (True, True, False)
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme == "http":
        return host in ("localhost", "::1") or _is_loopback(host)
    return parts.scheme == "https" and bool(host)


def _is_loopback(host: str) -> bool:
    parts = host.split(".")
    return len(parts) == 4 and parts[0] == "127" and all(part.isdecimal() for part in parts)


def _step(method: str, url: str, headers: tuple[tuple[str, str], ...], body: BytesBody | None) -> Send:
    return Send(
        request=Request(method=method, target="", headers=headers, body=body, confined=True),
        endpoint=Endpoint(url),
        headers=(),
        connect_s=_CONNECT_S,
        time_left_s=_TIMEOUT_S,
        idle_s=_TIMEOUT_S,
        keep_open=_never,
    )


def _never(status: int, media_type: str) -> bool:
    return False


def _answered(url: str, outcome: Outcome, secrets: Iterable[str]) -> dict[str, Any]:
    """The members of a success."""
    host = host_of(url)
    if isinstance(outcome, Failure):
        error = TokenError(f"{host} could not be asked ({type(outcome.cause).__name__})")
        error.__cause__ = outcome.cause
        raise PassingFailure(error, acted=not outcome.unsent)
    if outcome.status >= 300:
        _refuse(host, outcome, secrets)
    members = _members(outcome)
    if members is None:
        raise TokenError(f"{host} did not answer with a JSON object", status=outcome.status)
    return members


def _refuse(host: str, answer: Answer, secrets: Iterable[str]) -> NoReturn:
    """Raise what an error answer means (RFC 6749, section 5.2, or RFC 9457)."""
    status = answer.status
    if status < 400:
        raise TokenError(
            f"{host} answered {status}, a redirect, which is not followed with credentials", status=status
        )
    members = _members(answer) or {}
    error, description = members.get("error"), members.get("error_description")
    if not isinstance(error, str):
        error, description = "", read_problem(status, answer.content).summary()
    refusal = TokenError(
        f"{host} answered {status}",
        error=_shown(error, secrets),
        description=_shown(description if isinstance(description, str) else "", secrets),
        status=status,
    )
    if status in _PASSING:
        raise PassingFailure(refusal, acted=status not in _UNREAD)
    raise refusal


def _token(trade: Trade, members: dict[str, Any]) -> Token:
    """The token in a success (RFC 6749, section 5.1)."""
    host = host_of(trade.grant.url)
    value = members.get(trade.name("access_token"))
    if not isinstance(value, str) or not value:
        raise TokenError(f"{host} answered without {trade.name('access_token')}")
    try:
        checked_secret(value, "the access token")
    except ConfigurationError as error:
        raise TokenError(f"{host} answered with one that no header can carry") from error
    kind = members.get(trade.name("token_type"))
    if isinstance(kind, str) and kind.lower() != "bearer":
        raise TokenError(f"{host} answered with one that is not a bearer token")
    refresh_token = members.get(trade.name("refresh_token"))
    return Token(
        value,
        _seconds(members.get(trade.name("expires_in"))),
        refresh_token if isinstance(refresh_token, str) else "",
    )


def _seconds(given: object) -> float | None:
    """A lifetime; some servers send it as text."""
    try:
        lifetime_s = float(cast("Any", given))
    except (TypeError, ValueError):
        return None
    return lifetime_s if 0 <= lifetime_s < float("inf") and not isinstance(given, bool) else None


def _members(answer: Answer) -> dict[str, Any] | None:
    try:
        members: object = json.loads(answer.content)
    except ValueError:
        return None
    return cast("dict[str, Any]", members) if isinstance(members, dict) else None


def host_of(url: str) -> str:
    """For messages: no userinfo, no path, no query."""
    return urlsplit(url).netloc.rpartition("@")[2] or "the token endpoint"


def _shown(text: str, secrets: Iterable[str]) -> str:
    """What a server said, without the secrets that it may repeat."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"
