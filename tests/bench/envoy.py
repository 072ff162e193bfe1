"""Envoy's configuration for the comparison: one worker, JWT, a local rate limit, least request."""

from __future__ import annotations

import base64
import json
from pathlib import Path

_HTTP = "type.googleapis.com/envoy.extensions.filters.http"
_UNLIMITED = 1_000_000_000


def write_config(
    path: Path, *, port: int, upstream_port: int, secret: str, issuer: str, audience: str
) -> None:
    """Writes the bootstrap file (JSON is YAML, and Envoy reads both)."""
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3."
        "HttpConnectionManager",
        "stat_prefix": "ingress",
        "route_config": {"virtual_hosts": [_virtual_host()]},
        "http_filters": [_jwt(secret, issuer, audience), _local_limit(), _router()],
    }
    listener = {
        "name": "ingress",
        "address": _address(port),
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }
    cluster = {
        "name": "compression",
        "connect_timeout": "1s",
        "type": "STATIC",
        "lb_policy": "LEAST_REQUEST",
        "load_assignment": {
            "cluster_name": "compression",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(upstream_port)}}]}],
        },
    }
    path.write_text(
        json.dumps({"static_resources": {"listeners": [listener], "clusters": [cluster]}}), encoding="utf-8"
    )


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _virtual_host() -> dict[str, object]:
    return {
        "name": "all",
        "domains": ["*"],
        "routes": [
            {"match": {"path": "/api/v1/compress"}, "route": {"cluster": "compression", "timeout": "30s"}}
        ],
    }


def _jwt(secret: str, issuer: str, audience: str) -> dict[str, object]:
    key = base64.urlsafe_b64encode(secret.encode()).rstrip(b"=").decode()
    keys = {"keys": [{"kty": "oct", "alg": "HS256", "k": key}]}
    provider = {"issuer": issuer, "audiences": [audience], "local_jwks": {"inline_string": json.dumps(keys)}}
    return {
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": f"{_HTTP}.jwt_authn.v3.JwtAuthentication",
            "providers": {"dhatu": provider},
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "dhatu"}}],
        },
    }


def _local_limit() -> dict[str, object]:
    percent = {"numerator": 100, "denominator": "HUNDRED"}
    return {
        "name": "envoy.filters.http.local_ratelimit",
        "typed_config": {
            "@type": f"{_HTTP}.local_ratelimit.v3.LocalRateLimit",
            "stat_prefix": "limit",
            "token_bucket": {
                "max_tokens": _UNLIMITED,
                "tokens_per_fill": _UNLIMITED,
                "fill_interval": "1s",
            },
            "filter_enabled": {"runtime_key": "enabled", "default_value": percent},
            "filter_enforced": {"runtime_key": "enforced", "default_value": percent},
        },
    }


def _router() -> dict[str, object]:
    return {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{_HTTP}.router.v3.Router"}}
