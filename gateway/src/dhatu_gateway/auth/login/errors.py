"""What can go wrong with a login.

LoginError                  shown to the person: in `login_error` where a page waits, else as a problem
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from dhatu_gateway.auth.errors import AuthError

Failure: TypeAlias = Literal["access_denied", "login_failed", "unavailable"]


class LoginError(AuthError):
    """A login that ends without tokens.

    `said` is what the provider gave as the reason; it is for the log alone.
    """

    def __init__(self, message: str, failure: Failure = "login_failed", *, said: object = None) -> None:
        super().__init__(message)
        self.failure: Failure = failure
        self.said = said
