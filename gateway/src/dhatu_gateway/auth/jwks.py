"""The key that signs access tokens, and the public half that anybody may verify them with."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from dhatu_gateway.auth.errors import SigningKeyError

Algorithm: TypeAlias = Literal["HS256", "RS256", "ES256", "EdDSA"]
PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
MIN_SECRET_BYTES = 32  # RFC 7518 section 3.2: as long as the output of the hash
MIN_RSA_BITS = 2048  # RFC 7518 section 3.3


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """One key and the one algorithm it is used with: a token that names another is refused."""

    algorithm: Algorithm
    signing: bytes | PrivateKey
    verifying: bytes | PublicKey
    jwk: dict[str, str] | None
    """The public key as RFC 7517 writes it; None for a shared secret."""

    def __repr__(self) -> str:
        return f"SigningKey({self.algorithm}, kid={self.kid!r})"

    @property
    def kid(self) -> str | None:
        """Names the key in the header of a token; a shared secret has no name."""
        return self.jwk["kid"] if self.jwk is not None else None


def load_signing_key(secret: str, algorithm: Algorithm) -> SigningKey:
    """Read the secret of HS256, or the PEM private key of the other algorithms; raises `SigningKeyError`."""
    if algorithm == "HS256":
        shared = secret.encode()
        if len(shared) < MIN_SECRET_BYTES:
            raise SigningKeyError(
                f"HS256 needs a secret of at least {MIN_SECRET_BYTES} bytes; this one has {len(shared)}"
            )
        return SigningKey(algorithm=algorithm, signing=shared, verifying=shared, jwk=None)
    try:
        private = load_pem_private_key(secret.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise SigningKeyError(f"{algorithm} needs an unencrypted private key in PEM: {error}") from error
    if algorithm == "RS256" and isinstance(private, rsa.RSAPrivateKey):
        if private.key_size < MIN_RSA_BITS:
            raise SigningKeyError(
                f"RS256 needs an RSA key of at least {MIN_RSA_BITS} bits; this one has {private.key_size}"
            )
        public = private.public_key()
        return _asymmetric(algorithm, private, public, _rsa_members(public))
    if algorithm == "ES256" and isinstance(private, ec.EllipticCurvePrivateKey):
        if not isinstance(private.curve, ec.SECP256R1):
            raise SigningKeyError(
                f"ES256 needs a key on the curve P-256; this one is on {private.curve.name}"
            )
        point = private.public_key()
        return _asymmetric(algorithm, private, point, _ec_members(point))
    if algorithm == "EdDSA" and isinstance(private, ed25519.Ed25519PrivateKey):
        edwards = private.public_key()
        return _asymmetric(
            algorithm,
            private,
            edwards,
            {"crv": "Ed25519", "kty": "OKP", "x": _base64url(edwards.public_bytes_raw())},
        )
    raise SigningKeyError(f"this private key cannot sign with {algorithm}; it is another kind of key")


def _asymmetric(
    algorithm: Algorithm, private: PrivateKey, public: PublicKey, members: dict[str, str]
) -> SigningKey:
    # RFC 7638: the required members only, sorted, without blanks.
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    kid = _base64url(hashlib.sha256(canonical).digest())
    jwk = {**members, "use": "sig", "alg": algorithm, "kid": kid}
    return SigningKey(algorithm=algorithm, signing=private, verifying=public, jwk=jwk)


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
