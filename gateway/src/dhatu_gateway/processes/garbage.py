"""Keeps Python's collector of reference cycles from looking through what stays anyway.

A table of 5,000 routes is half a million objects. A collection of the oldest generation looks at each of
them, while no request is served: 400 ms. What is built at the start, and at each reload, is therefore set
aside; it is freed as ever when nobody refers to it, but for the few objects that do so in a circle.
"""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def building() -> Generator[None]:
    """Collect nothing while many objects are made that stay, and set aside all there are in the end."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
