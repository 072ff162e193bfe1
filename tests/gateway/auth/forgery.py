"""Tokens written by hand: good ones, so that a test breaks exactly one thing in them."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from dhatu_gateway.auth.jwks import PrivateKey
from dhatu_gateway.auth.jwt import TokenPolicy
from dhatu_gateway.core.exchange import Principal

SECRET = "a secret of at least thirty-two bytes"
NOW_S = 1_800_000_000.0
POLICY = TokenPolicy(access_lifetime_s=600, leeway_s=5.0)
ADA = Principal(id="user:ada", kind="user", scopes=frozenset({"corpus:read"}), roles=frozenset({"analyst"}))
CLAIMS: dict[str, Any] = {
    "iss": "dhatu-gateway",
    "aud": "dhatu-api",
    "sub": "user:ada",
    "iat": int(NOW_S),
    "nbf": int(NOW_S),
    "exp": int(NOW_S) + 600,
    "jti": "1",
}

RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def pem(key: PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(key: PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def forged(claims: dict[str, Any], **headers: object) -> bytes:
    """Sign claims with the secret of these tests."""
    return jwt.encode(claims, SECRET, algorithm="HS256", headers={"typ": "at+jwt", **headers}).encode()


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def segment(value: object) -> str:
    return base64url(json.dumps(value).encode())


def signed(header: str, claims: str, secret: bytes = SECRET.encode()) -> bytes:
    """Sign two texts as they are, JSON or not, with HMAC-SHA256."""
    message = f"{base64url(header.encode())}.{base64url(claims.encode())}".encode()
    signature = jwt.get_algorithm_by_name("HS256").sign(message, secret)
    return message + b"." + base64url(signature).encode()
