"""Where an answer goes: to a file, to a pipe as it is, or to a person."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain, islice
from typing import IO, Any, cast

import click

from .._answers.binary import SyncBinaryResponse
from .._answers.streams import SyncEventStream
from .choices import Choices
from .readable import readable, text_of

BINARY_ON_TERMINAL = "is not text: give --output FILE, or send it through a pipe"


@dataclass(frozen=True, slots=True)
class Output:
    """Shows answers as was chosen."""

    choices: Choices

    @property
    def for_people(self) -> bool:
        """Whether somebody reads it."""
        return not self.choices.json and not self.choices.output

    @property
    def on_terminal(self) -> bool:
        """Whether bytes would end up on a screen."""
        return not self.choices.output and sys.stdout.isatty()

    def show(self, answer: Any) -> None:
        """Print one answer; of a stream each item as it arrives."""
        match answer:
            case None:
                pass
            case SyncBinaryResponse():
                with answer:
                    self._binary(answer)
            case SyncEventStream():
                with answer:
                    self.items(cast("SyncEventStream[object]", answer))
            case _:
                self._whole(answer)

    def items(self, items: Iterable[object]) -> None:
        """Print one after the other, as many as were asked for."""
        with closing(self._open()) as file:
            for number, item in enumerate(islice(items, self.choices.limit_items)):
                if not self.for_people:
                    line = json.dumps(item, ensure_ascii=False)
                elif isinstance(item, str):
                    line = text_of(item)
                else:
                    line = ("\n" if number else "") + readable(item, _width())
                _write(file, line)

    def pages(self, pages: Iterable[list[Any]]) -> None:
        """Print the items of all pages; for people those of a page together."""
        if not self.for_people:
            self.items(chain.from_iterable(pages))
            return
        left = self.choices.limit_items
        for number, page in enumerate(pages):
            shown = page[:left]
            if shown or not number:
                click.echo(readable(shown, _width()))
            if left is not None:
                left -= len(shown)
                if left <= 0:
                    return

    def _binary(self, answer: SyncBinaryResponse) -> None:
        if self.choices.output:
            size_bytes = answer.save(self.choices.output, progress=_draws_bars())
            click.echo(f"{self.choices.output}: {size_bytes} bytes of {answer.media_type}", err=True)
            return
        if self.on_terminal:
            raise click.UsageError(f"the answer, {answer.media_type}, {BINARY_ON_TERMINAL}")
        stdout = sys.stdout.buffer
        for chunk in answer:
            stdout.write(chunk)
            stdout.flush()

    def _whole(self, answer: object) -> None:
        if self.for_people:
            text = text_of(answer) if isinstance(answer, str) else readable(answer, _width())
        elif isinstance(answer, str) and not self.choices.json:
            text = answer
        else:
            text = json.dumps(answer, ensure_ascii=False, indent=2)
        with closing(self._open()) as file:
            _write(file, text)

    def _open(self) -> _Stdout | IO[str]:
        return open(self.choices.output, "w", encoding="utf-8") if self.choices.output else _Stdout()


class _Stdout:
    """Standard output, which is not closed."""

    def write(self, text: str) -> object:
        click.echo(text, nl=False)
        return None

    def flush(self) -> None: ...

    def close(self) -> None: ...


def _write(file: _Stdout | IO[str], text: str) -> None:
    file.write(text if text.endswith("\n") else f"{text}\n")
    file.flush()


def _draws_bars() -> bool:
    """Whether somebody would see a progress bar, and there is what draws it."""
    return sys.stderr.isatty() and find_spec("rich") is not None


def _width() -> int:
    return shutil.get_terminal_size((100, 24)).columns
