"""The documents that an empty corpus begins with."""

from __future__ import annotations

from importlib.resources import files

from .documents import DocumentInput
from .store import Store


def seed_documents() -> tuple[DocumentInput, ...]:
    """Short texts about Sanskrit and linguistics, written for this project."""
    lines = files("dhatu_reference.corpus").joinpath("seed.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(DocumentInput.model_validate_json(line) for line in lines)


def seed(store: Store) -> None:
    """Fill an empty corpus; leave any other as it is."""
    if not store.stats():
        store.add(seed_documents())
