"""Runs the application, from before its port is known until a signal ends it."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace

import uvicorn

from topicml.errors import TopicmlError
from topicml.review.access_log import AccessLog
from topicml.review.app import MakeRouter, create_app
from topicml.review.connections import TimedConnection
from topicml.review.settings import Settings
from topicml.stopping import Stopped

_MOST_CONNECTIONS = 1000
_STOP_SECONDS = 10  # that requests under way have to end


def run_server(
    settings: Settings,
    announce: Callable[[Settings], None],
    routers: Sequence[MakeRouter] = (),
    *,
    needs_model: bool = True,
) -> None:
    """Serve until a signal asks to end; requests under way are answered first.

    Args:
        settings: What it is run with; port 0 for any that is free.
        announce: Called once it listens, its model is open and compiled; with the port it has.
        routers: See ``create_app``.
        needs_model: Whether there must be a model before it begins.

    Raises:
        TopicmlError: The address cannot be listened on, it is not safe to, or there is no model.
    """
    settings.check()
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    with _listen(settings) as listening:
        settings = replace(settings, port=listening.getsockname()[1])
        app = create_app(settings, routers)
        if needs_model:
            app.state.classifier.model()
        config = uvicorn.Config(
            AccessLog(app),
            http=TimedConnection,  # of h11, whose headers have a limit
            access_log=False,  # which would have tokens in it
            log_config=None,
            limit_concurrency=_MOST_CONNECTIONS,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
        with contextlib.suppress(Stopped):  # uvicorn raises the signal again once it has ended
            _Server(config, lambda: announce(settings)).run(sockets=[listening])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()


def _listen(settings: Settings) -> socket.socket:
    """Return a socket that listens; of TCP by name, or asyncio would let small parts wait."""
    listening = None
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as err:
        if listening:
            listening.close()
        raise TopicmlError(
            f"cannot listen there ({err.strerror})",
            where=f"{settings.host}:{settings.port}",
            hint="Give another --port, or 0 for any that is free.",
        ) from err
    return listening
