"""The Python SDK of the dhātu API: `DhatuAPI`, its twin `SyncDhatuAPI`, and what they return and raise."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._binary import BinaryResponse, SyncBinaryResponse
from ._call import OMIT, AnswerHead, CallOptions, Omit
from ._content import Content, SyncContent
from ._errors import (
    APIStatusError,
    ArgumentError,
    AuthenticationError,
    BadRequestError,
    BreakerOpenError,
    CallTimeoutError,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    ConnectionLostError,
    ConnectTimeoutError,
    ContentTooLargeError,
    DecodingError,
    DhatuError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    TransportError,
    UnprocessableEntityError,
    UnsupportedMediaTypeError,
)
from ._problem import FieldError, Problem
from ._streams import EventStream, SyncEventStream
from .generated.client import DhatuAPI, SyncDhatuAPI

if TYPE_CHECKING:
    from .generated import models as models

__all__ = [
    "OMIT",
    "APIStatusError",
    "AnswerHead",
    "ArgumentError",
    "AuthenticationError",
    "BadRequestError",
    "BinaryResponse",
    "BreakerOpenError",
    "CallOptions",
    "CallTimeoutError",
    "ConfigurationError",
    "ConflictError",
    "ConnectTimeoutError",
    "ConnectionFailedError",
    "ConnectionLostError",
    "Content",
    "ContentTooLargeError",
    "DecodingError",
    "DhatuAPI",
    "DhatuError",
    "EventStream",
    "FieldError",
    "NotFoundError",
    "Omit",
    "PermissionDeniedError",
    "Problem",
    "RateLimitedError",
    "ServerError",
    "SyncBinaryResponse",
    "SyncContent",
    "SyncDhatuAPI",
    "SyncEventStream",
    "TransportError",
    "UnprocessableEntityError",
    "UnsupportedMediaTypeError",
    "models",
]

if not TYPE_CHECKING:  # a checker that saw this would believe in every name

    def __getattr__(name: str) -> Any:
        if name == "models":  # imports pydantic, which a program that only defines calls can do without
            return importlib.import_module(".generated.models", __name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
