"""A line for each request, without its query: a link has the token there."""

from __future__ import annotations

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from topicml.text.normalise import printable

ACCESS = logging.getLogger("topicml.access")
"""Tells each request at the level INFO."""


class AccessLog:
    """ASGI middleware that tells who asked what, and how it was answered.

    Args:
        app: The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and tell of it."""
        if scope["type"] != "http" or not ACCESS.isEnabledFor(logging.INFO):
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        status = 0

        async def notice(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, notice)
        finally:
            client = (scope.get("client") or ["-"])[0]
            path = printable(scope["path"])
            took = 1000 * (time.perf_counter() - start)
            ACCESS.info("%s %s %s %s %.0f ms", client, scope["method"], path, status, took)
