"""Patterns as a picture: how strong each one is, and where in the text it occurs."""

# Matplotlib's own stubs leave the types of keyword arguments open.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import matplotlib
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.ticker import MaxNLocator

from .models import (
    DhatuPattern,
    NgramPattern,
    Pattern,
    PatternKind,
    PictureFormat,
    RepeatPattern,
    TextSpan,
)
from .script import iast

_FONT: Final = "DejaVu Sans"
_LABEL_CHARACTERS: Final = 32
_WIDTH_IN: Final = 11.0
_BAR_IN: Final = 0.26
_ROW_IN: Final = 1.1
_HEAD_IN: Final = 0.5
_PNG_DOTS_PER_INCH: Final = 110
_UNKNOWN: Final = "□"

# Matplotlib shares its fonts and caches among all figures without a lock of its own.
_DRAWING: Final = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What to draw."""

    patterns: Sequence[Pattern]
    document_sizes: Sequence[int]
    """Characters of each text; where it is empty or too short, the patterns' own places stand in."""
    title: str
    format: PictureFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    label: str
    strength: float
    places: Sequence[TextSpan]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    title: str
    axis: str
    colour: str  # of the palette that Okabe and Ito chose for colour-blind readers
    marks: Sequence[_Mark]


def draw(picture: Picture) -> bytes:
    """The picture as SVG or PNG; the same patterns give the same bytes."""
    rows = _rows(picture.patterns)
    scale = _Scale(picture)
    heights = [_ROW_IN + _BAR_IN * len(row.marks) for row in rows]
    # The salt can be set nowhere else; it makes the ids within the SVG the same every time.
    with _DRAWING, matplotlib.rc_context({"svg.hashsalt": "dhatu", "font.family": _FONT}):
        figure = Figure(figsize=(_WIDTH_IN, _HEAD_IN + (sum(heights) or _ROW_IN)), layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(_drawable(picture.title), x=0.01, ha="left", parse_math=False)
        if rows:
            _draw_rows(figure, rows, heights, scale)
        else:
            figure.text(0.5, 0.4, "No patterns were found.", ha="center")
        return _saved(figure, picture.format)


def _draw_rows(figure: Figure, rows: Sequence[_Row], heights: Sequence[float], scale: _Scale) -> None:
    grid = figure.add_gridspec(len(rows), 2, width_ratios=[1, 1.6], height_ratios=list(heights))
    for number, row in enumerate(rows):
        bars = figure.add_subplot(grid[number, 0])
        _draw_bars(bars, row)
        _draw_places(figure.add_subplot(grid[number, 1], sharey=bars), row, scale)


def _draw_bars(axes: Axes, row: _Row) -> None:
    lines = range(len(row.marks))
    axes.barh(lines, [mark.strength for mark in row.marks], color=row.colour, height=0.7)
    axes.set_yticks(lines, [_drawable(mark.label) for mark in row.marks], parse_math=False)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.set_ylim(len(row.marks) - 0.4, -0.6)
    axes.set_title(row.title, loc="left", fontsize="medium")
    axes.set_xlabel(row.axis, fontsize="small")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_places(axes: Axes, row: _Row, scale: _Scale) -> None:
    for line, mark in enumerate(row.marks):
        axes.broken_barh([scale.span(place) for place in mark.places], (line - 0.35, 0.7), color=row.colour)
    axes.vlines(scale.boundaries, -0.6, len(row.marks) - 0.4, color="0.8", linewidth=0.6, zorder=0)
    axes.set_xlim(0, scale.characters)
    axes.tick_params(axis="y", labelleft=False, left=False)
    axes.set_xlabel("character of the text", fontsize="small")
    axes.spines[["top", "right", "left"]].set_visible(False)


def _saved(figure: Figure, format: PictureFormat) -> bytes:
    target = io.BytesIO()
    match format:
        case "svg":
            figure.savefig(target, format="svg", metadata={"Date": None})
        case "png":
            figure.savefig(target, format="png", dpi=_PNG_DOTS_PER_INCH)
    return target.getvalue()


class _Scale:
    """All texts side by side on one axis."""

    def __init__(self, picture: Picture) -> None:
        sizes = list(picture.document_sizes)
        for pattern in picture.patterns:
            for place in _places(pattern):
                sizes += [0] * (place.document + 1 - len(sizes))
                sizes[place.document] = max(sizes[place.document], place.end)
        self._sizes = sizes
        self._starts = [sum(sizes[:number]) for number in range(len(sizes))]
        self.characters = max(sum(sizes), 1)
        self._narrowest = self.characters / 400  # a single word of a long text would be thinner than a pixel

    @property
    def boundaries(self) -> Sequence[int]:
        return self._starts[1:]

    def span(self, place: TextSpan) -> tuple[float, float]:
        """Where it begins and how wide it is drawn."""
        start = self._starts[place.document] + place.start
        return start, max(place.end - place.start, self._narrowest)


def _rows(patterns: Sequence[Pattern]) -> list[_Row]:
    kinds: tuple[tuple[PatternKind, str, str, str], ...] = (
        ("repeat", "Repeated passages", "characters covered", "#0072B2"),
        ("ngram", "Phrases", "log-likelihood", "#D55E00"),
        ("dhatu", "Verbal roots", "words", "#009E73"),
    )
    rows: list[_Row] = []
    for kind, title, axis, colour in kinds:
        marks = [
            _Mark(label=_label(pattern), strength=_strength(pattern), places=_places(pattern))
            for pattern in patterns
            if pattern.kind == kind
        ]
        if marks:
            rows.append(_Row(title=title, axis=axis, colour=colour, marks=marks))
    return rows


def _label(pattern: Pattern) -> str:
    match pattern:
        case RepeatPattern():
            return f"“{_shortened(pattern.text)}”"
        case NgramPattern():
            return _shortened(" ".join(pattern.tokens))
        case DhatuPattern():
            return f"{pattern.dhatu} – {_shortened(pattern.gloss)}"


def _strength(pattern: Pattern) -> float:
    match pattern:
        case RepeatPattern():
            return pattern.covered_characters
        case NgramPattern():
            return pattern.log_likelihood
        case DhatuPattern():
            return pattern.count


def _places(pattern: Pattern) -> list[TextSpan]:
    match pattern:
        case RepeatPattern() | NgramPattern():
            return pattern.positions
        case DhatuPattern():
            return [place for form in pattern.forms for place in form.positions]


def _shortened(text: str) -> str:
    return text if len(text) <= _LABEL_CHARACTERS else text[: _LABEL_CHARACTERS - 1] + "…"


def _drawable(text: str) -> str:
    """`text` in letters that the font has: Devanāgarī in IAST, white space visible, a box for the rest."""
    if any("\u0900" <= character <= "\u097f" for character in text):
        text = iast(text)
    letters = _letters()
    return "".join(
        "␣"
        if character.isspace() and character != " "
        else character
        if ord(character) in letters
        else _UNKNOWN
        for character in text
    )


@cache
def _letters() -> frozenset[int]:
    return frozenset(FT2Font(font_manager.findfont(_FONT)).get_charmap())
