"""Models as a generated client has them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from dhatu_client._models import BaseModel
from pydantic import Field


class Document(BaseModel):
    id: str
    title: str | None = None
    created_at: datetime | None = Field(default=None, alias="createdAt")


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int | None = None
    class_: str | None = Field(default=None, alias="class")
    friend: Cat | None = None
