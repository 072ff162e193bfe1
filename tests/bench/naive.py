"""The gateway that one would write first: a FastAPI handler per operation, httpx towards the service."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
import jwt
from fastapi import Depends, FastAPI, Header, HTTPException, Response
from pydantic import BaseModel


class TextInput(BaseModel):
    text: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with httpx.AsyncClient(base_url=os.environ["UPSTREAM_URL"]) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


def scopes(authorization: Annotated[str, Header()]) -> set[str]:
    """The scopes of the caller's token."""
    secret = os.environ["JWT_SECRET_KEY"]
    try:
        claims = jwt.decode(
            authorization.removeprefix("Bearer "), secret, algorithms=["HS256"], options={"verify_aud": False}
        )
    except jwt.InvalidTokenError as error:
        raise HTTPException(401) from error
    return set(str(claims["scope"]).split())


@app.post("/api/v1/compress")
async def compress(body: TextInput, held: Annotated[set[str], Depends(scopes)]) -> Response:
    if "compression:use" not in held:
        raise HTTPException(403)
    client: httpx.AsyncClient = app.state.client
    answer = await client.post("/api/v1/compress", json=body.model_dump())
    return Response(answer.content, answer.status_code, media_type=answer.headers["content-type"])
