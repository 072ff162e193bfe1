"""Which headers cross the gateway, in both directions, besides what concerns one connection only."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dhatu_gateway.core.exchange import TRAILERS_KEY, Exchange, Header, Principal
from dhatu_gateway.core.headers import REQUEST_DROPPED, connection_options
from dhatu_gateway.core.types import Platform

MAX_REMEMBERED = 4_096

# Written by the gateway; what a client claims about itself here is worth nothing.
_REPLACED = frozenset(
    {
        # where the request comes from
        b"cf-connecting-ip",
        b"fastly-client-ip",
        b"forwarded",
        b"forwarded-for",
        b"front-end-https",
        b"true-client-ip",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-forwarded",
        b"x-real-ip",
        b"x-request-id",
        # what it asks for, in a way that some frameworks prefer to the path and the method
        b"x-host",
        b"x-http-method",
        b"x-http-method-override",
        b"x-method-override",
        b"x-original-host",
        b"x-original-uri",
        b"x-original-url",
        b"x-rewrite-url",
        # who calls, as other gateways tell it
        b"client-cert",  # RFC 9440
        b"client-cert-chain",
        b"remote-user",
        b"x-authenticated-user",
        b"x-arr-clientcert",
        b"x-authenticated-userid",
        b"x-client-cert",
        b"x-remote-user",
        b"x-user",
        b"x-user-id",
        b"x-webauth-user",
        # HTTP_PROXY of a CGI environment (CVE-2016-5385)
        b"proxy",
    }
)
_REPLACED_PREFIXES = (
    b"ssl-client-",
    b"x-amzn-mtls-",
    b"x-auth-request-",
    b"x-consumer-",
    b"x-credential-",
    b"x-envoy-",
    b"x-forwarded-",
    b"x-ssl-client-",
)
# What a Connection field cannot drop (RFC 9110 section 7.6.1): without these a service would read the body
# in another way than the gateway has.
_NEVER_NAMED = frozenset({b"content-encoding", b"content-type"})
_PROTO_HTTP: Header = (b"x-forwarded-proto", b"http")
_PROTO_HTTPS: Header = (b"x-forwarded-proto", b"https")
_CROSS_ORIGIN = b"access-control-"
# Of an answer; each is the gateway's to say.
_ANSWERED_BY_GATEWAY = frozenset(
    {
        b"date",
        b"deprecation",
        b"ratelimit",
        b"ratelimit-policy",
        b"server",
        b"sunset",
        b"x-aspnet-version",
        b"x-aspnetmvc-version",
        b"x-powered-by",
        b"x-request-id",
    }
)


# Never a trailer (RFC 9110 section 6.5.1): what frames or routes a message, modifies or authenticates a
# request, steers an answer, or says how content is read. Who merges them would take them for the head's.
_NEVER_TRAILERS = (
    REQUEST_DROPPED
    | _NEVER_NAMED
    | frozenset(
        {
            b"accept-ranges",
            b"age",
            b"allow",
            b"authorization",
            b"cache-control",
            b"content-location",
            b"content-range",
            b"cookie",
            b"expires",
            b"link",
            b"location",
            b"max-forwards",
            b"origin",
            b"pragma",
            b"range",
            b"refresh",
            b"retry-after",
            b"set-cookie",
            b"strict-transport-security",
            b"vary",
            b"via",
            b"warning",
            b"www-authenticate",
        }
    )
)
_NEVER_TRAILERS_PREFIXES = (b"if-", b"content-security-", b"sec-", b"cross-origin-")


def said_by_gateway(name: bytes) -> bool:
    """Whether a field of an answer is the gateway's to say, whatever a service says; `name` in lower case.

    The security headers of the platform are too, but depend on it.
    """
    return name in _ANSWERED_BY_GATEWAY or name.startswith(_CROSS_ORIGIN)


class _Decisions(dict[bytes, bool]):
    """Remembers per name whether a header is kept: a request has ten headers, but the names repeat."""

    def __init__(self, dropped: Iterable[bytes], prefixes: tuple[bytes, ...], kept: Iterable[bytes]) -> None:
        super().__init__()
        self._dropped = frozenset(dropped)
        self._prefixes = prefixes
        self._kept = frozenset(kept)

    def __missing__(self, name: bytes) -> bool:
        # Servers that turn `-` into `_` cannot tell x_dhatu_principal from x-dhatu-principal.
        kept = name not in self._dropped and not name.startswith(self._prefixes) and b"_" not in name
        kept = kept or name in self._kept
        if len(self) < MAX_REMEMBERED:
            self[name] = kept
        return kept


class ForwardedHeaders:
    """What a service sees of a request's headers, and a client of an answer's."""

    def __init__(
        self, platform: Platform, identify: Callable[[Principal, float], bytes] | None = None
    ) -> None:
        """`identify` signs who calls, for the service; it is called with monotonic time."""
        prefix = platform.header_prefix.lower().encode("ascii")
        credentials = {scheme.parameter.lower().encode("ascii") for scheme in platform.security_schemes}
        # All of the platform's own headers are dropped, so that nobody can claim to be a principal; the only
        # one that the service may want from the client is the number of the attempt.
        dropped = REQUEST_DROPPED | _REPLACED | {b"authorization"} | (credentials - {b"cookie"})
        self._request = _Decisions(
            dropped, (prefix, *_REPLACED_PREFIXES) if prefix else _REPLACED_PREFIXES, (prefix + b"attempt",)
        )
        own = {name.lower().encode("ascii") for name, _ in platform.security_headers}
        self._response = _Decisions(_ANSWERED_BY_GATEWAY | own, (_CROSS_ORIGIN,), ())
        own_prefixes = (prefix,) if prefix else ()
        self._request_trailers = _Decisions(
            dropped | _NEVER_TRAILERS | _ANSWERED_BY_GATEWAY | credentials,
            (*own_prefixes, *_REPLACED_PREFIXES, *_NEVER_TRAILERS_PREFIXES, _CROSS_ORIGIN),
            (),
        )
        self._response_trailers = _Decisions(
            _NEVER_TRAILERS | _ANSWERED_BY_GATEWAY | own,
            (*own_prefixes, *_NEVER_TRAILERS_PREFIXES, _CROSS_ORIGIN),
            (),
        )
        self._timeout = prefix + b"timeout-ms"
        self._principal = prefix + b"principal"
        self._identity = prefix + b"identity"
        self._identify = identify

    def to_service(self, exchange: Exchange, now_s: float) -> list[Header]:
        """Return the headers of the request to the service."""
        kept = self._request
        headers = [header for header in exchange.headers if kept[header[0]]]
        fields = exchange.fields
        connection = fields.get(b"connection")
        if connection is not None:
            named = connection_options(connection) - _NEVER_NAMED
            headers = [header for header in headers if header[0] not in named]
        left_ms = max(1, int((exchange.deadline_at_s - now_s) * 1000))
        headers += (
            (b"x-request-id", exchange.request_id.encode("ascii")),
            (b"x-forwarded-for", exchange.client_address.encode("ascii")),
            _PROTO_HTTPS if exchange.scope["scheme"] == "https" else _PROTO_HTTP,
            (b"x-forwarded-host", fields.get(b"host", b"")),
            (self._timeout, b"%d" % left_ms),
        )
        principal = exchange.principal
        if principal is not None:
            if principal.id.isascii() and principal.id.isprintable():
                headers.append((self._principal, principal.id.encode("ascii")))
            if self._identify is not None:
                headers.append((self._identity, self._identify(principal, now_s)))
        return headers

    def trailers_to_service(self, exchange: Exchange) -> list[Header]:
        """Return what of the request's trailers goes on, once they are there."""
        kept = self._request_trailers
        named = connection_options(exchange.fields.get(b"connection", b""))
        trailers: list[Header] = exchange.scope.get(TRAILERS_KEY, [])
        return [trailer for trailer in trailers if kept[trailer[0]] and trailer[0] not in named]

    def announced_to_service(self, exchange: Exchange) -> list[Header]:
        """Return what announces them in the head of the request."""
        announced = exchange.fields.get(b"trailer")
        return [] if announced is None else _announcement(announced, self._request_trailers)

    def trailers_to_client(self, trailers: list[Header]) -> list[Header]:
        """Return what of an answer's trailers goes on; those that its Connection field names are gone."""
        kept = self._response_trailers
        return [trailer for trailer in trailers if kept[trailer[0]]]

    def announced_to_client(self, headers: list[Header]) -> list[Header]:
        """Return the head of an answer, with only those trailers announced that may come."""
        announced = b",".join([value for name, value in headers if name == b"trailer"])
        if not announced:
            return headers
        others = [header for header in headers if header[0] != b"trailer"]
        return [*others, *_announcement(announced, self._response_trailers)]

    def to_client(self, headers: list[Header], exchange: Exchange) -> list[Header]:
        """Return the headers of the answer to the client."""
        kept = self._response
        answer = [header for header in headers if kept[header[0]]]
        answer += exchange.response_headers
        return answer


def _announcement(value: bytes, kept: _Decisions) -> list[Header]:
    names = [name for part in value.split(b",") if (name := part.strip().lower()) and kept[name]]
    return [(b"trailer", b", ".join(names))] if names else []
