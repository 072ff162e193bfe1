"""JSONPath (RFC 9535): queries over JSON values, whole, without extensions."""

from .evaluate import Match, find
from .parser import JsonPathError, parse_query
from .syntax import Query

__all__ = ["JsonPathError", "Match", "Query", "find", "parse_query"]
