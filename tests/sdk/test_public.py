"""What the package offers, and what it costs to import it."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import dhatu_client
import pytest
from dhatu_client import DhatuAPI, SyncDhatuAPI
from dhatu_client._client import AsyncAPIClient, SyncAPIClient


def test_all_is_sorted_and_true() -> None:
    offered = dhatu_client.__all__
    assert offered == sorted(offered, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    assert len(offered) == len(set(offered))
    assert [name for name in offered if not hasattr(dhatu_client, name)] == []


def test_nothing_public_is_left_out() -> None:
    public = {
        name
        for name, value in vars(dhatu_client).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("dhatu_client")
    }
    assert public <= set(dhatu_client.__all__)


def test_every_error_can_be_caught_by_name() -> None:
    def tree(kind: type[dhatu_client.DhatuError]) -> set[str]:
        return {kind.__name__}.union(*(tree(child) for child in kind.__subclasses__()))

    assert tree(dhatu_client.DhatuError) <= set(dhatu_client.__all__)


def test_errors_are_called_by_the_name_that_they_are_imported_by() -> None:
    class Own(dhatu_client.NotFoundError):
        pass

    assert f"{dhatu_client.NotFoundError.__module__}.NotFoundError" == "dhatu_client.NotFoundError"
    assert Own.__module__ == __name__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        getattr(dhatu_client, "nothing")  # noqa: B009  # a checker would refuse the plain form


@pytest.mark.parametrize("module", ["httpx", "pydantic", "tenacity", "pybreaker", "anyio"])
def test_importing_the_package_leaves_the_slow_ones_for_later(module: str) -> None:
    program = f"import sys, dhatu_client; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_twins_have_the_same_methods() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")} - {"aclose", "close"}

    assert public(AsyncAPIClient) == public(SyncAPIClient)
    assert public(DhatuAPI) == public(SyncDhatuAPI)


def test_a_client_with_other_options_has_resources_of_its_own() -> None:
    with SyncDhatuAPI(base_url="http://127.0.0.1") as client:
        other = client.with_options(timeout_s=1.0)
        assert client.corpus is client.corpus
        assert other.corpus is not client.corpus
        assert vars(other.corpus)["_client"] is other


def test_the_twins_take_the_same_settings() -> None:
    def settings(kind: Any) -> list[str]:
        return list(inspect.signature(kind.__init__).parameters)

    assert settings(DhatuAPI) == settings(SyncDhatuAPI)
