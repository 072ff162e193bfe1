"""Keys of access tokens: what signs them, and the public half that anybody may verify them with."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from dhatu_gateway.auth.errors import SigningKeyError

Algorithm: TypeAlias = Literal["HS256", "RS256", "ES256", "EdDSA"]
PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
MIN_SECRET_BYTES = 32  # RFC 7518 section 3.2: as long as the output of the hash
MIN_RSA_BITS = 2048  # RFC 7518 section 3.3


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationKey:
    """One key and the one algorithm it is used with: a token that names another is refused."""

    algorithm: Algorithm
    verifying: bytes | PublicKey = field(repr=False)
    jwk: dict[str, str] | None
    """The public key as RFC 7517 writes it; None for a shared secret."""

    @property
    def kid(self) -> str | None:
        """Names the key in the header of a token; a shared secret has no name."""
        return self.jwk["kid"] if self.jwk is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """What signs, and what verifies that."""

    signing: bytes | PrivateKey = field(repr=False)
    verification: VerificationKey


def load_signing_key(secret: str, algorithm: Algorithm) -> SigningKey:
    """Read the secret of HS256, or the PEM private key of the other algorithms; raises `SigningKeyError`."""
    if algorithm == "HS256":
        return SigningKey(signing=_shared(secret), verification=load_verification_key(secret, algorithm))
    try:
        private = load_pem_private_key(secret.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SigningKeyError(f"{algorithm} needs an unencrypted private key in PEM: {error}") from error
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise _another_kind(algorithm)
    return SigningKey(signing=private, verification=_public(private.public_key(), algorithm))


def load_verification_key(text: str, algorithm: Algorithm) -> VerificationKey:
    """Read the secret of HS256, or a PEM public or private key; raises `SigningKeyError`."""
    if algorithm == "HS256":
        return VerificationKey(algorithm=algorithm, verifying=_shared(text), jwk=None)
    if "PRIVATE KEY" in text:
        return load_signing_key(text, algorithm).verification
    try:
        public = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SigningKeyError(f"{algorithm} needs a public or private key in PEM: {error}") from error
    return _public(public, algorithm)


def _shared(secret: str) -> bytes:
    shared = secret.encode()
    if len(shared) < MIN_SECRET_BYTES:
        raise SigningKeyError(
            f"HS256 needs a secret of at least {MIN_SECRET_BYTES} bytes; this one has {len(shared)}"
        )
    return shared


def _public(public: object, algorithm: Algorithm) -> VerificationKey:
    if algorithm == "RS256" and isinstance(public, rsa.RSAPublicKey):
        if public.key_size < MIN_RSA_BITS:
            raise SigningKeyError(
                f"RS256 needs an RSA key of at least {MIN_RSA_BITS} bits; this one has {public.key_size}"
            )
        return _asymmetric(algorithm, public, _rsa_members(public))
    if algorithm == "ES256" and isinstance(public, ec.EllipticCurvePublicKey):
        if not isinstance(public.curve, ec.SECP256R1):
            raise SigningKeyError(f"ES256 needs a key on the curve P-256; this one is on {public.curve.name}")
        return _asymmetric(algorithm, public, _ec_members(public))
    if algorithm == "EdDSA" and isinstance(public, ed25519.Ed25519PublicKey):
        members = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(public.public_bytes_raw())}
        return _asymmetric(algorithm, public, members)
    raise _another_kind(algorithm)


def _another_kind(algorithm: Algorithm) -> SigningKeyError:
    return SigningKeyError(f"this key cannot be used with {algorithm}; it is another kind of key")


def _asymmetric(algorithm: Algorithm, public: PublicKey, members: dict[str, str]) -> VerificationKey:
    # RFC 7638: the required members only, sorted, without blanks.
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    kid = _base64url(hashlib.sha256(canonical).digest())
    jwk = {**members, "use": "sig", "alg": algorithm, "kid": kid}
    return VerificationKey(algorithm=algorithm, verifying=public, jwk=jwk)


def _rsa_members(public: rsa.RSAPublicKey) -> dict[str, str]:
    numbers = public.public_numbers()
    return {"e": _base64url_integer(numbers.e), "kty": "RSA", "n": _base64url_integer(numbers.n)}


def _ec_members(public: ec.EllipticCurvePublicKey) -> dict[str, str]:
    numbers = public.public_numbers()
    # RFC 7518 section 6.2.1.2: always as long as the field, 32 bytes for P-256.
    return {
        "crv": "P-256",
        "kty": "EC",
        "x": _base64url(numbers.x.to_bytes(32, "big")),
        "y": _base64url(numbers.y.to_bytes(32, "big")),
    }


def _base64url_integer(value: int) -> str:
    return _base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
