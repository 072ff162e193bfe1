"""How much and how slowly a client may send before it is refused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLimits:
    """Per connection."""

    max_target_bytes: int = 8_192
    """Path and query together; beyond it 414."""
    max_header_bytes: int = 32_768
    """All names and values together; beyond it 431."""
    max_headers: int = 100
    """Beyond it 431."""
    max_framing_bytes: int = 16_384
    """Chunk extensions and trailers of a body, beyond what chunks of one byte would need; beyond it 413."""
    header_timeout_s: float = 10.0
    """From the first byte of a request, or the start of the connection, to the end of its headers."""
    body_grace_s: float = 20.0
    """How long a body may take whatever its size, without the time in which the gateway does not read."""
    min_body_bytes_per_s: float = 500.0
    """Every so many bytes of a body earn it another second."""
    keep_alive_s: float = 75.0
    """How long a connection may stay idle; above the 60 s after which load balancers usually close theirs."""
    linger_s: float = 2.0
    """How long the rest of a refused body is read and dropped, so that the client can read the refusal."""
    write_stall_s: float = 60.0
    """How long a client may read nothing of what is ready for it."""
    high_water_bytes: int = 65_536
    """Bytes of a body held for a slow reader before reading from the client pauses."""
    tick_s: float = 1.0
    """How often a connection looks at its clock: timeouts are late by at most this."""
