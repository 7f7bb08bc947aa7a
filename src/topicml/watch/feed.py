"""Feeds that are asked for again and again, without being a burden to who serves them.

What was got is asked for with its ETag and date, so that a server that has nothing new says just
that. A server that is busy, or that fails, is left alone for as long as it asks, or for twice as
long each time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from email.utils import parsedate_to_datetime
from pathlib import Path

from topicml.errors import RemoteError
from topicml.io.sources import Source, web_source
from topicml.io.web import AnswerError, Fetched, fetch_page, name_of_url
from topicml.watch.folder import Look, look_at
from topicml.watch.journal import FeedState

LEAST_EVERY = 60.0
"""Seconds between two questions to a server."""

_LONGEST = 86_400.0
_GONE = 410
_NEVER = float("inf")


class WebFeed:
    """A feed at an address.

    Attributes:
        name: Its address, for records and messages.
        due: When it is to be asked next, by the monotonic clock; infinite for never.
        state: What its server said last.

    Args:
        url: Its address.
        every: Seconds between two questions.
        allow_private: Whether it may be of this machine or its network.
        fetch: Gets what is at an address.
    """

    def __init__(
        self,
        url: str,
        *,
        every: float,
        allow_private: bool = False,
        fetch: Callable[..., Fetched] = fetch_page,
    ) -> None:
        self.name = name_of_url(url)
        self.due = 0.0
        self.state = FeedState()
        self._url = url
        self._every = every
        self._allow_private = allow_private
        self._fetch = fetch
        self._failures = 0

    def poll(self) -> tuple[Source, FeedState] | None:
        """Ask for the feed.

        Returns:
            What was got, and what to note once all of it is written; None where there is nothing
            new.

        Raises:
            RemoteError: It cannot be got; it says when it is asked again.
        """
        asked = time.monotonic()
        try:
            fetched = self._fetch(
                self._url, allow_private=self._allow_private, **self.state._asdict()
            )
        except RemoteError as err:
            self._failures += 1
            wait = self._wait_after(err)
            self.due = asked + wait
            then = "It is not asked again." if wait == _NEVER else f"Asked again in {wait:.0f} s."
            err.hint = f"{err.hint} {then}".strip()
            raise
        self._failures = 0
        self.due = asked + self._every
        if fetched.is_unchanged:
            return None
        state = FeedState(fetched.etag, fetched.last_modified)
        return web_source(fetched)._replace(name=self.name), state

    def _wait_after(self, err: RemoteError) -> float:
        if isinstance(err, AnswerError):
            if err.status == _GONE:
                return _NEVER
            if err.retry_after is not None:
                return max(self._every, min(_seconds(err.retry_after), _LONGEST))
        wait: float = self._every * 2 ** min(self._failures, 20)
        return max(self._every, min(wait, _LONGEST))


def _seconds(retry_after: str) -> float:
    """Return how long a server asks to wait, in seconds or up to a date; 0 where it is neither."""
    if retry_after.strip().isdecimal():
        return float(retry_after)
    with suppress(ValueError, TypeError):
        until = parsedate_to_datetime(retry_after)
        return max(float(until.timestamp()) - time.time(), 0.0)
    return 0.0


class FileFeed:
    """A feed in a file, read again when it changes.

    Attributes:
        name: Of the file.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self._path = path
        self._seen: Look | None = None

    def poll(self) -> tuple[Source, Look] | None:
        """Return the file where it has changed; None where it has not, or is gone."""
        look = look_at(str(self._path))
        if look is None or look == self._seen:
            return None
        return Source(self.name, str(self._path), "feed", is_forced=True), look

    def is_read(self, look: Look) -> None:
        """Take a file for read, unless it changes."""
        self._seen = look
