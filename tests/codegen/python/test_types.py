"""What an editor sees: the generated package passes strict checks, and each overload has its own type."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

USAGE = """\
from collections.abc import Iterator
from datetime import date
from typing import assert_type

from shop_client._answers.binary import BinaryResponse, SyncBinaryResponse
from shop_client._answers.raw import RawResponse, StreamingResponse, SyncStreamingResponse
from shop_client._answers.streams import EventStream, SyncEventStream
from shop_client.generated import ShopAPI, SyncShopAPI, models


async def use(client: ShopAPI, wanted: bool) -> None:
    assert_type(await client.ask("why?"), models.Answer)
    assert_type(await client.ask("why?", stream=True), EventStream[models.Word])
    assert_type(await client.ask("why?", stream=wanted), models.Answer | EventStream[models.Word])
    assert_type(await client.echo(content=b""), BinaryResponse)
    assert_type((await client.pets.list()).pets, list[models.Pet])
    assert_type(await client.photos.put("7", file=b""), str)
    await client.login(by="ByPassword", password="p")
    raw = client.with_raw_response
    assert_type(await raw.ask("why?"), RawResponse[models.Answer])
    assert_type(await raw.ask("why?", stream=True), RawResponse[EventStream[models.Word]])
    assert_type((await client.photos.with_raw_response.put("7", file=b"")).parse(), str)
    async with client.pets.with_streaming_response.list(class_="cat", timeout_s=3) as response:
        assert_type(response, StreamingResponse[models.PetPage])
        assert_type((await response.parse()).pets, list[models.Pet])
    await client.pets.replace("7", name="M", owner={"name": "P"}, timeout_s=3.5)


def use_sync(client: SyncShopAPI, chunks: Iterator[bytes]) -> None:
    assert_type(client.ask("why?", stream=True), SyncEventStream[models.Word])
    assert_type(client.echo(content=chunks), SyncBinaryResponse)
    with client.pets.with_streaming_response.list() as response:
        assert_type(response, SyncStreamingResponse[models.PetPage])
    assert_type(client.photos.with_raw_response.put("7", file=b"").parse(), str)
    client.pets.list(tags=["a"], born_after=date(2020, 2, 29), max_retries=0)
"""
MISUSE = """\
from shop_client.generated import SyncShopAPI, models


def misuse(client: SyncShopAPI) -> None:
    client.pets.list(class_="fish")
    client.pets.list(tags="a")
    client.pets.list(time_out=3)
    client.echo()
    client.echo("a", content=b"a")
    client.login(by="ByPassword", key="k")
    client.photos.put("7", content=b"", content_type="image/gif")
    models.NewPet(nmae="M")
    client.pets.with_raw_response.list(class_="fish")
    client.with_streaming_response.echo("a", content=b"a")
    client.pets.with_raw_response.lost()
"""


def check(package: Path, program: str, cache: Path) -> subprocess.CompletedProcess[str]:
    (package.parent / "usage.py").write_text(program, encoding="utf-8")
    options = [
        "--strict",
        "--config-file=",
        "--no-error-summary",
        f"--cache-dir={cache}",
        "--python-version=3.11",
    ]
    return subprocess.run(
        [sys.executable, "-m", "mypy", *options, "-p", f"{package.name}.generated", "-m", "usage"],
        cwd=package.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_types_hold_for_what_is_right_and_against_what_is_wrong(package: Path, tmp_path: Path) -> None:
    right = check(package, USAGE, tmp_path)
    assert (right.stdout, right.returncode) == ("", 0)
    wrong = check(package, MISUSE, tmp_path)
    complaints = {int(line.split(":")[1]) for line in wrong.stdout.splitlines() if ": error:" in line}
    lines = MISUSE.splitlines()
    assert complaints == {number for number, line in enumerate(lines, 1) if line.startswith("    ")}, (
        wrong.stdout
    )
