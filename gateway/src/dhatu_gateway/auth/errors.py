"""What can go wrong with a credential.

AuthError
    InvalidCredentialError      what was sent proves nothing; answered with 401
        CertificateError        the same of the certificate of a connection, which ends with the answer
    SigningKeyError             the configured secret or key cannot sign tokens; the gateway refuses to boot
    StoreError                  the credential store failed or was written by a newer gateway
    ProviderFileError           OIDC_PROVIDERS_FILE is wrong; the gateway refuses to boot
    ProviderError               a provider is out or answers what it must not; answered with 503
"""

from __future__ import annotations


class AuthError(Exception):
    """Root of this package's errors."""


class InvalidCredentialError(AuthError):
    """A credential that is malformed, unknown, expired or revoked.

    The message is shown to the caller, so it never says more than the caller's own credential does.
    """


class CertificateError(InvalidCredentialError):
    """A client certificate that stands for nobody; another one needs another connection."""


class SigningKeyError(AuthError):
    """The configured secret or private key does not fit the algorithm."""


class StoreError(AuthError):
    """The credential store cannot be read or written."""


class ProviderFileError(AuthError):
    """The file of providers cannot be read, or says what it must not."""


class ProviderError(AuthError):
    """A provider of identities cannot be asked, or answers what it must not."""
