"""The Python SDK of the dhātu API: `DhatuAPI`, its twin `SyncDhatuAPI`, and what they return and raise."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._auth.tokens import Token
from ._call import OMIT, AnswerHead, CallOptions, Omit, Progress
from ._encoding.content import Content, SyncContent
from ._errors import (
    APIStatusError,
    ArgumentError,
    AuthenticationError,
    BadRequestError,
    BreakerOpenError,
    CallTimeoutError,
    ChecksumError,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    ConnectionLostError,
    ConnectTimeoutError,
    ContentTooLargeError,
    DeadlineExceededError,
    DecodingError,
    DhatuError,
    DiscoveryError,
    JobFailedError,
    JobTimeoutError,
    NotFoundError,
    PaginationError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    StreamError,
    TokenError,
    TransportError,
    UnprocessableEntityError,
    UnsupportedMediaTypeError,
)
from ._flow.endpoints import EndpointProvider
from ._policies.breaker import BreakerPolicy
from ._policies.budget import BudgetPolicy
from ._policies.hedge import HedgePolicy
from ._policies.retry import RetryPolicy
from ._problem import FieldError, Problem
from ._resilience import Resilience
from ._wire import Endpoint
from .generated.client import DhatuAPI, SyncDhatuAPI

if TYPE_CHECKING:
    from ._answers.binary import BinaryResponse, SaveOptions, SyncBinaryResponse
    from ._answers.raw import RawResponse, StreamingResponse, SyncStreamingResponse
    from ._answers.streams import EventStream, StreamEvent, SyncEventStream
    from ._auth.grants import APIKeyGrant, ClientCredentials, PasswordGrant, RefreshToken
    from ._balance.consul import ConsulEndpoints
    from ._balance.dns import DnsEndpoints
    from ._balance.policy import BalancePolicy, EjectionPolicy
    from ._balance.static import StaticEndpoints
    from ._pages import AsyncPaginator
    from ._watch.events import (
        AttemptFinished,
        AttemptStarted,
        BreakerChanged,
        CallFinished,
        CallStarted,
        EndpointEjected,
        EndpointRestored,
        Event,
        Hedged,
        Paced,
        RetryScheduled,
    )
    from .generated import bound as bound
    from .generated import inputs as inputs
    from .generated import models as models

__all__ = [
    "OMIT",
    "APIKeyGrant",
    "APIStatusError",
    "AnswerHead",
    "ArgumentError",
    "AsyncPaginator",
    "AttemptFinished",
    "AttemptStarted",
    "AuthenticationError",
    "BadRequestError",
    "BalancePolicy",
    "BinaryResponse",
    "BreakerChanged",
    "BreakerOpenError",
    "BreakerPolicy",
    "BudgetPolicy",
    "CallFinished",
    "CallOptions",
    "CallStarted",
    "CallTimeoutError",
    "ChecksumError",
    "ClientCredentials",
    "ConfigurationError",
    "ConflictError",
    "ConnectTimeoutError",
    "ConnectionFailedError",
    "ConnectionLostError",
    "ConsulEndpoints",
    "Content",
    "ContentTooLargeError",
    "DeadlineExceededError",
    "DecodingError",
    "DhatuAPI",
    "DhatuError",
    "DiscoveryError",
    "DnsEndpoints",
    "EjectionPolicy",
    "Endpoint",
    "EndpointEjected",
    "EndpointProvider",
    "EndpointRestored",
    "Event",
    "EventStream",
    "FieldError",
    "HedgePolicy",
    "Hedged",
    "JobFailedError",
    "JobTimeoutError",
    "NotFoundError",
    "Omit",
    "Paced",
    "PaginationError",
    "PasswordGrant",
    "PermissionDeniedError",
    "Problem",
    "Progress",
    "RateLimitedError",
    "RawResponse",
    "RefreshToken",
    "Resilience",
    "RetryPolicy",
    "RetryScheduled",
    "SaveOptions",
    "ServerError",
    "StaticEndpoints",
    "StreamError",
    "StreamEvent",
    "StreamingResponse",
    "SyncBinaryResponse",
    "SyncContent",
    "SyncDhatuAPI",
    "SyncEventStream",
    "SyncStreamingResponse",
    "Token",
    "TokenError",
    "TransportError",
    "UnprocessableEntityError",
    "UnsupportedMediaTypeError",
    "bound",
    "inputs",
    "models",
]

if not TYPE_CHECKING:  # a checker that saw this would believe in every name
    _LATER = {  # imported when they are asked for, since few programs do
        "APIKeyGrant": "_auth.grants",
        "ClientCredentials": "_auth.grants",
        "PasswordGrant": "_auth.grants",
        "RefreshToken": "_auth.grants",
        "ConsulEndpoints": "_balance.consul",
        "DnsEndpoints": "_balance.dns",
        "BalancePolicy": "_balance.policy",
        "EjectionPolicy": "_balance.policy",
        "StaticEndpoints": "_balance.static",
        "BinaryResponse": "_answers.binary",
        "SaveOptions": "_answers.binary",
        "SyncBinaryResponse": "_answers.binary",
        "AttemptFinished": "_watch.events",
        "AttemptStarted": "_watch.events",
        "BreakerChanged": "_watch.events",
        "CallFinished": "_watch.events",
        "CallStarted": "_watch.events",
        "EndpointEjected": "_watch.events",
        "EndpointRestored": "_watch.events",
        "Event": "_watch.events",
        "Hedged": "_watch.events",
        "Paced": "_watch.events",
        "RetryScheduled": "_watch.events",
        "AsyncPaginator": "_pages",
        "RawResponse": "_answers.raw",
        "StreamingResponse": "_answers.raw",
        "SyncStreamingResponse": "_answers.raw",
        "EventStream": "_answers.streams",
        "StreamEvent": "_answers.streams",
        "SyncEventStream": "_answers.streams",
    }

    def __getattr__(name: str) -> Any:
        if name in _LATER:
            return getattr(importlib.import_module(f".{_LATER[name]}", __name__), name)
        if name in ("bound", "inputs", "models"):  # they import pydantic, and many programs do without
            return importlib.import_module(f".generated.{name}", __name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
