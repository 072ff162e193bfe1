"""What the operations about credentials answer alike."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from fastapi import Response

from dhatu_gateway.auth.errors import InvalidCredentialError, StoreError
from dhatu_gateway.auth.tokens import TokenPair
from dhatu_gateway.core.problem import ProblemError
from dhatu_gateway.generated import models

CHALLENGE = (b"www-authenticate", b'Bearer realm="dhatu"')
STORE_OUT = "Credentials cannot be reached at the moment; try again."


@contextmanager
def refusing() -> Generator[None]:
    """Turn what is wrong with a credential, or with the store, into a problem."""
    try:
        yield
    except InvalidCredentialError as error:
        raise ProblemError("unauthorized", str(error), headers=[CHALLENGE]) from error
    except StoreError as error:
        raise ProblemError("unavailable", STORE_OUT) from error


def token_pair(pair: TokenPair, response: Response) -> models.TokenPair:
    """Tokens as the document describes them; nobody may keep the answer (RFC 6749 section 5.1)."""
    response.headers["cache-control"] = "no-store"
    return models.TokenPair(
        access_token=pair.access_token,
        refresh_token=pair.refresh_token,
        token_type="Bearer",
        expires_in=pair.expires_in_s,
        scope=" ".join(sorted(pair.scopes)),
    )
