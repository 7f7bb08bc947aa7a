"""Connections that are closed where a request does not begin in time.

A body has its time where it is read (``security.Body``). Before that, a client that sends a byte of
a header now and then, or nothing at all, would hold one of the connections for good.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 30.0
"""What the first line and the headers of a request may take to come in."""


class TimedConnection(H11Protocol):
    """HTTP/1.1 of one connection, closed where it goes without a request for too long."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait_or_work()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        super().connection_lost(exc)
        self._stop_waiting()

    def handle_events(self) -> None:
        """Read what came in, which may be a request."""
        super().handle_events()
        self._wait_or_work()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request, also where the body of this one never ends."""
        super().on_response_complete()
        self._wait_or_work()

    def _wait_or_work(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        elif self._timer is None:
            self._timer = self.loop.call_later(HEAD_SECONDS, self.timeout_keep_alive_handler)

    def _stop_waiting(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
