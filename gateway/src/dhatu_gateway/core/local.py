"""The end of a route that the gateway answers itself, by its FastAPI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from dhatu_gateway.core.exchange import SCOPE_KEY, Exchange, Header, Message, Receive, Scope, Send
from dhatu_gateway.core.forward import Terminal

Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# Tokens, keys, and the state of this moment: what may be kept says so itself.
_NOT_STORED: Header = (b"cache-control", b"no-store")


def build_local(application: Application) -> Terminal:
    """Answer a route by an ASGI application, on the canonical path and with the checked body."""

    async def answer(exchange: Exchange) -> None:
        raw_path = exchange.path.encode("ascii")
        scope: Scope = {
            **exchange.scope,
            "path": exchange.path,
            "raw_path": raw_path,
            "root_path": "",
            "state": dict(exchange.scope.get("state", {})),
            SCOPE_KEY: exchange,
        }
        body = exchange.body

        async def receive() -> Message:
            nonlocal body
            if body is None:
                return await exchange.receive()
            message: Message = {"type": "http.request", "body": body, "more_body": False}
            body = None
            return message

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                headers: list[Header] = [*message.get("headers", ()), *exchange.response_headers]
                if b"cache-control" not in dict(headers):
                    headers.append(_NOT_STORED)
                message = {**message, "headers": headers}
            await exchange.send(message)

        exchange.refusal = None
        await application(scope, receive, send)
        if exchange.refusal is not None:
            raise exchange.refusal

    return answer
