"""The logger of the package, which is called like it, and what turns it up."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Final, TextIO

from .._lazy import PACKAGE

LOGGER: Final = logging.getLogger(PACKAGE)
LOGGER.addHandler(logging.NullHandler())  # a program that sets nothing up is not to be told of it


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at the time."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def show(level: str) -> None:
    """Log from a level on, to the handlers of the program, or to standard error where it has none.

    `level` is one of `_settings.LOG_LEVELS`.
    """
    LOGGER.setLevel(logging.CRITICAL + 1 if level == "off" else level.upper())
    if not _is_heard():
        LOGGER.addHandler(_StandardError())


def tells_of_calls() -> bool:
    """Whether anything would be logged of a call that goes well."""
    return LOGGER.isEnabledFor(logging.INFO)


def report_failure(what: str) -> None:
    """Tell of the exception at hand, which is not the caller's and must not reach them, at level ERROR.

    Where nobody has set up logging it is printed on standard error, so that it is not lost.
    """
    LOGGER.error("%s", what, exc_info=True)
    if not _is_heard() and LOGGER.isEnabledFor(logging.ERROR):
        print(what, file=sys.stderr)
        traceback.print_exc()


def _is_heard() -> bool:
    """Whether what is logged ends up anywhere."""
    logger: logging.Logger | None = LOGGER
    while logger is not None:
        if any(not isinstance(handler, logging.NullHandler) for handler in logger.handlers):
            return True
        logger = logger.parent if logger.propagate else None
    return False
