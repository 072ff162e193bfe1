"""What may be chosen for any command, before or after its name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import click


@dataclass(slots=True)
class Choices:
    """The options that are not an operation's own."""

    json: bool = False
    output: str = ""
    limit_items: int | None = None
    base_url: str | None = None
    api_key: str | None = None
    token: str | None = None
    timeout: float | None = None
    retries: int | None = None
    header: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    verbose: bool = False


class _Header(click.ParamType[tuple[str, str]]):
    name = "header"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        name, colon, text = str(value).partition(":")
        if not colon or not name.strip():
            self.fail("a header is written as 'Name: value'", param, ctx)
        return name.strip(), text.strip()


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    choices = context.ensure_object(Choices)
    if parameter.name == "header":
        choices.header += value
    elif value is not None and value is not False:  # 0 retries are a choice
        setattr(choices, parameter.name, value)


def _option(*names: str, **attributes: Any) -> click.Option:
    return click.Option([*names], expose_value=False, callback=_remember, **attributes)


def common_options(prefix: str) -> list[click.Parameter]:
    """For every command and for the program itself; `prefix` is that of the variables."""
    return [
        _option("--json", is_flag=True, help="Print exactly what was answered, as JSON; items one a line."),
        _option("--base-url", metavar="URL", help=f"Where the API is, or {prefix}_BASE_URL."),
        _option(
            "--api-key",
            metavar="KEY",
            help=f"Better in {prefix}_API_KEY, where no list of processes shows it.",
        ),
        _option("--token", help=f"A bearer token; better in {prefix}_TOKEN."),
        _option(
            "--timeout",
            type=click.FloatRange(min=0, min_open=True),
            metavar="SECONDS",
            help="For the whole call, retries included.",
        ),
        _option(
            "--retries", type=click.IntRange(min=0), metavar="N", help="After the first attempt; 2 otherwise."
        ),
        _option(
            "--header",
            "-H",
            type=_Header(),
            multiple=True,
            metavar="'NAME: VALUE'",
            help="Send a header; may be repeated.",
        ),
        _option(
            "--verbose",
            "-v",
            is_flag=True,
            help=f"Tell on standard error what happens, as {prefix}_LOG=debug.",
        ),
    ]


def output_options(*, items: bool) -> list[click.Parameter]:
    """For commands alone; `items` for those that answer with more than one thing."""
    found: list[click.Parameter] = [
        _option(
            "--output",
            "-o",
            type=click.Path(dir_okay=False, writable=True),
            metavar="FILE",
            help="Write the answer to a file.",
        )
    ]
    if items:
        found.append(
            _option(
                "--limit-items",
                type=click.IntRange(min=1),
                metavar="N",
                help="Stop after so many items.",
            )
        )
    return found


RESERVED = frozenset(
    {
        *("json", "output", "limit-items", "base-url", "api-key", "token", "timeout", "retries", "header"),
        *("verbose", "help", "body"),
    }
)
"""Names of options that no argument of an operation has."""
