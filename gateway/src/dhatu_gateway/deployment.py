"""What a gateway is told to serve: settings, and where the table is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import NamedTemporaryFile

from dhatu_gateway.core.discovery.key_values import AllOverrides
from dhatu_gateway.core.discovery.overrides import Overrides
from dhatu_gateway.core.slices import Slices
from dhatu_gateway.core.types import Platform
from dhatu_gateway.overridden import overridden
from dhatu_gateway.settings import Settings, read_settings
from dhatu_gateway.table import Table, TableError, TableReading, generated_table, read_platform, read_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Small enough to be handed to every process."""

    settings: Settings
    table: Path | None
    """None for the one that the gateway was built with."""
    copy: Path | None = None
    """Where the table is read, so that all read the same, and also those that start later."""
    overrides: AllOverrides = field(default_factory=dict[str, Overrides])
    """What is changed about it at run time."""


def read_deployment(environment: Mapping[str, str]) -> Deployment:
    """Read the environment and the files that it names; raises `SettingsError` and `TableError`."""
    settings = read_settings(environment, platform_of(environment).services)
    return Deployment(settings=settings, table=_path(environment))


def platform_of(environment: Mapping[str, str]) -> Platform:
    """What the table says that is not about one route; raises `TableError`."""
    path = _path(environment)
    return generated_table().platform if path is None else read_platform(path)


def table_of(environment: Mapping[str, str]) -> Table:
    """Read the table that the environment names; raises `TableError`."""
    path = _path(environment)
    return generated_table() if path is None else read_table(path)


def _path(environment: Mapping[str, str]) -> Path | None:
    written = environment.get("GATEWAY_TABLE", "").strip()
    return Path(written) if written else None


def read_again(environment: Mapping[str, str], running: Deployment) -> Deployment:
    """Read everything that may have changed; what the gateway has found for itself at its start stays."""
    read = read_deployment(environment)
    settings = replace(read.settings, redis_url=running.settings.redis_url)
    return replace(read, settings=settings, overrides=running.overrides)


def copied(deployment: Deployment, directory: Path) -> Deployment:
    """Copy the table to a name of its own; raises `TableError`."""
    if deployment.table is None:
        return deployment
    try:
        with NamedTemporaryFile(dir=directory, prefix="table-", delete=False) as file:
            file.write(deployment.table.read_bytes())
    except OSError as error:
        raise TableError(f"cannot copy {deployment.table}: {error.strerror or error}") from error
    return replace(deployment, copy=Path(file.name))


def read_table_of(deployment: Deployment) -> Table:
    """Read the table while nobody waits; raises `TableError`, and `InvalidOverrides`."""
    found = generated_table()
    if deployment.table is not None:
        found = read_table(deployment.table, deployment.copy)
    return overridden(found, deployment.overrides)


async def load_table(deployment: Deployment, before: Table, *, anew: bool = True) -> Table:
    """Read the table while others go on; what has not changed since `before` is taken over.

    Without `anew`, all of it is, and only the overrides are other ones.
    """
    if not anew:
        return overridden(before, deployment.overrides)
    if deployment.table is None:
        return overridden(generated_table(), deployment.overrides)
    reading, slices = TableReading(deployment.table, deployment.copy, before), Slices()
    for _ in reading.steps():
        await slices.step()
    return overridden(reading.table(), deployment.overrides)
