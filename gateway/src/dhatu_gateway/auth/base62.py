"""Text of digits and letters only: a credential is one word to a double click and needs no escaping."""

from __future__ import annotations

import secrets
import zlib

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECKSUM_LENGTH = 6


def random_text(length: int) -> str:
    """Random characters from the system's generator: `length * log2(62)`, about 5.95 bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def checksum(text: str) -> str:
    """CRC-32 of ASCII text in six base-62 digits (62**6 > 2**32), the most significant first.

    It tells a mistyped credential from a wrong one without asking the store; it is no protection.

    >>> checksum("123456789")
    '3jZRME'
    """
    value = zlib.crc32(text.encode("ascii"))
    digits = ""
    for _ in range(CHECKSUM_LENGTH):
        value, digit = divmod(value, 62)
        digits = ALPHABET[digit] + digits
    return digits
