"""Where credentials are kept, and the keys that sign tokens."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dhatu_gateway.auth.errors import SigningKeyError
from dhatu_gateway.auth.jwks import ALGORITHMS, Algorithm, load_signing_key
from dhatu_gateway.auth.key_ring import KeySource, read_key_file
from dhatu_gateway.auth.store.opening import Location, RedisLocation
from dhatu_gateway.settings.reader import Reader, SettingsError, redis_url

DEMO_SECRET = "dhatu-demo-secret-that-everybody-knows"
"""Signs tokens where GATEWAY_DEMO=1 and JWT_SECRET_KEY is not set."""


def read_database(environment: Mapping[str, str]) -> Location:
    """Return where keys, users and tokens are kept; all that the commands about them need to know."""
    reader = Reader(environment)
    location = read_location(reader)
    if reader.problems:
        raise SettingsError(tuple(reader.problems))
    return location


def read_location(reader: Reader) -> Location:
    password = reader.value("REDIS_PASSWORD", "", str) or None
    return reader.value("GATEWAY_DATABASE", "dhatu.sqlite3", lambda text: _location(text, password))


def _location(text: str, password: str | None) -> Location:
    if "://" not in text:
        return Path(text)
    return RedisLocation(url=redis_url(text), password=password)


def read_jwt_keys(reader: Reader, demo: bool) -> tuple[KeySource, ...]:
    if not reader.is_set("JWT_KEYS_FILE"):
        algorithm: Algorithm = reader.value("JWT_ALGORITHM", "HS256", _algorithm)
        secret = reader.value("JWT_SECRET_KEY", DEMO_SECRET, lambda text: _secret(text, algorithm, demo))
        return (KeySource(text=secret, algorithm=algorithm),)
    for variable in ("JWT_SECRET_KEY", "JWT_ALGORITHM"):
        if reader.is_set(variable):
            reader.problems.append(
                f"{variable}: must not be set together with JWT_KEYS_FILE, which says it all"
            )
    return reader.value("JWT_KEYS_FILE", "", _key_file)


def _key_file(text: str) -> tuple[KeySource, ...]:
    try:
        return read_key_file(Path(text))
    except SigningKeyError as error:
        raise ValueError(str(error)) from error


def _algorithm(text: str) -> Algorithm:
    for algorithm in ALGORITHMS:
        if text == algorithm:
            return algorithm
    raise ValueError(f"must be one of {', '.join(ALGORITHMS)}, not {text!r}")


def _secret(text: str, algorithm: Algorithm, demo: bool) -> str:
    if text == DEMO_SECRET:
        if not demo:
            raise ValueError(
                "must be set to a secret of your own, such as `openssl rand -base64 48` gives; "
                "the built-in one is for demonstrations and needs GATEWAY_DEMO=1"
            )
        if algorithm != "HS256":
            raise ValueError(f"must be set to a private key in PEM, since JWT_ALGORITHM is {algorithm}")
    try:
        load_signing_key(text, algorithm)
    except SigningKeyError as error:
        raise ValueError(str(error)) from error
    return text
