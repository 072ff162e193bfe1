"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# A busy machine is no fault: the time that an example takes decides nothing.
settings.register_profile("dhatu", deadline=None)
settings.load_profile("dhatu")
