"""The public keys of a provider (RFC 7517): found by name, and each used with its own algorithms alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from dhatu_gateway.auth.errors import InvalidCredentialError, ProviderError
from dhatu_gateway.auth.jwks import MIN_RSA_BITS, PublicKey
from dhatu_gateway.auth.jwt import INVALID
from dhatu_gateway.auth.providers.config import Provider
from dhatu_gateway.auth.providers.discovery import Discovery
from dhatu_gateway.auth.providers.kept import Keeping, Kept

if TYPE_CHECKING:
    from dhatu_gateway.auth.providers.fetch import Fetcher  # holds httpx

KEEPING = Keeping(fresh_s=300.0)
"""As Envoy's `cache_duration` of remote keys."""
MAX_KEYS = 64
MAX_RSA_BITS = 8_192
MAX_RSA_EXPONENT = 2**32
"""Keys beyond take the time of a thousand others for each token."""
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
CURVES: Mapping[str, str] = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderKey:
    """A key, and what it may verify."""

    kid: str | None
    algorithms: frozenset[str]
    public: PublicKey = field(repr=False)


class ProviderKeys(Kept[tuple[ProviderKey, ...]]):
    """The keys of one provider."""

    def __init__(
        self,
        provider: Provider,
        discovery: Discovery,
        fetcher: Fetcher,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._provider = provider
        self._discovery = discovery
        self._fetcher = fetcher
        super().__init__(f"the keys of provider {provider.name}", self._read, KEEPING, clock)

    async def find(self, kid: str | None, algorithm: str) -> tuple[ProviderKey, ...]:
        """The keys that may have signed a token; raises `InvalidCredentialError` where there are none.

        A name that nobody knows may be that of a new key, so the provider is asked once more, but not again
        within 30 s: anybody can make names up. Raises `ProviderError` where it cannot be asked.
        """
        found = choose(await self.get(), kid, algorithm)
        if not found and kid is not None:
            found = choose(await self.renew(), kid, algorithm)
            failure = self.failure
            if not found and failure is not None:
                raise failure
        if not found:
            raise InvalidCredentialError(INVALID)
        return found

    async def _read(self) -> tuple[ProviderKey, ...]:
        metadata = await self._discovery.get()
        try:
            url = await self._discovery.endpoint("jwks_uri", metadata.jwks_uri)
            return read_keys(await self._fetcher.get_object(url), self._provider.algorithms)
        except ProviderError:
            # They may have moved.
            self._discovery.doubt()
            raise


def choose(keys: tuple[ProviderKey, ...], kid: str | None, algorithm: str) -> tuple[ProviderKey, ...]:
    """The keys of a name that verify an algorithm; without a name, the only key that does."""
    able = tuple(key for key in keys if algorithm in key.algorithms)
    if kid is None:
        # OpenID Connect Core 1.0 section 10.1: the name may be left out where there is but one.
        return able if len(able) == 1 else ()
    return tuple(key for key in able if key.kid == kid)


def read_keys(document: Mapping[str, Any], algorithms: tuple[str, ...]) -> tuple[ProviderKey, ...]:
    """Take what can verify one of these algorithms; raises `ProviderError` where there is nothing."""
    entries: object = document.get("keys")
    if not isinstance(entries, list):
        raise ProviderError("the provider's keys are no JWK Set: there is no list of keys")
    listed = cast(list[object], entries)
    if len(listed) > MAX_KEYS:
        raise ProviderError(f"the provider has {len(listed)} keys, more than {MAX_KEYS}")
    keys = tuple(key for key in (_read_key(entry, algorithms) for entry in listed) if key is not None)
    if not keys:
        raise ProviderError(f"the provider has no key for {', '.join(algorithms)}")
    return keys


def _read_key(entry: object, allowed: tuple[str, ...]) -> ProviderKey | None:
    """The key, or None for one that is of no use here: others may be for encryption, or of other kinds."""
    if not isinstance(entry, dict):
        return None
    jwk = cast(dict[str, Any], entry)
    kid, operations = jwk.get("kid"), jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    # Whoever reads the provider's keys can sign with one whose private half is among them.
    if jwk.keys() & PRIVATE_MEMBERS or ("kid" in jwk and not isinstance(kid, str)):
        return None
    public = _public(jwk)
    able = _algorithms(public) if public is not None else ()
    usable = frozenset(allowed).intersection(able)
    if "alg" in jwk:
        usable &= {jwk["alg"]} if isinstance(jwk["alg"], str) else set()
    if public is None or not usable:
        return None
    return ProviderKey(kid=kid, algorithms=usable, public=public)


def _public(jwk: dict[str, Any]) -> PublicKey | None:
    # Any algorithm of the kind reads its keys; which one may be used is found out from the key.
    algorithm = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}.get(str(jwk.get("kty")))
    if algorithm == "ES256":
        algorithm = {"P-384": "ES384", "P-521": "ES512"}.get(str(jwk.get("crv")), algorithm)
    if algorithm is None:
        return None
    try:
        key: object = jwt.get_algorithm_by_name(algorithm).from_jwk(jwk)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        return None
    if isinstance(key, rsa.RSAPublicKey):
        sound = MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS and key.public_numbers().e < MAX_RSA_EXPONENT
        return key if sound else None
    return key if isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey) else None


def _algorithms(public: PublicKey) -> tuple[str, ...]:
    if isinstance(public, rsa.RSAPublicKey):
        return RSA_ALGORITHMS
    if isinstance(public, ec.EllipticCurvePublicKey):
        return (CURVES[public.curve.name],) if public.curve.name in CURVES else ()
    return ("EdDSA",)
