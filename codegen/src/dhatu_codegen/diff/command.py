"""`dhatu-codegen diff OLD NEW`, up to the terminal."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from ..diagnostics import Diagnostics
from ..reading.load import load
from .read import read_document
from .report import Answer, Question, report


def diff_documents(
    locations: tuple[str, str], accepted: str, today: date, diagnostics: Diagnostics
) -> Answer | None:
    """Compare two documents, files being relative to the working folder; None where one cannot be read."""
    folder = Path.cwd()
    old, new = (read_document(location, diagnostics, folder) for location in locations)
    entries = load(folder, accepted, diagnostics) if accepted else None
    if old is None or new is None or diagnostics.errors:
        return None
    question = Question(old=old, new=new, accepted=entries, today=today, notes=True)
    return report(question, diagnostics)


def verdict(answer: Answer) -> str:
    """One line for people: how far the version has to go, and how far it went."""
    if answer.asked == "none":
        return "nothing changed"
    match answer.given:
        case None:
            grew = "info.version cannot be compared"
        case "none":
            grew = "info.version did not grow"
        case bump:
            grew = f"info.version grew by a {bump} version"
    return f"the changes ask for a {answer.asked} version; {grew}"
