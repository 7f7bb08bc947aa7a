"""The pages that entries of a feed link to, got one after the other, with pauses between."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import TypeGuard
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

from topicml.errors import InputError, MissingExtraError, RecordError, RemoteError
from topicml.io.readers import parse_block, read_blocks
from topicml.io.records import ReadOptions, Reject
from topicml.io.sources import web_source
from topicml.io.web import AnswerError, Fetched, fetch_page, show_url

PAUSE = 1.0
"""Seconds between two questions to a host."""

_AGENT = "topicml"
_FORBIDDEN = {401, 403}
_ALLOWS_ALL = ["User-agent: *", "Allow: /"]
_ALLOWS_NOTHING = ["User-agent: *", "Disallow: /"]


def is_web(address: object) -> TypeGuard[str]:
    """Whether something is an address of the web."""
    return isinstance(address, str) and address.lower().startswith(("http://", "https://"))


class Linked:
    """Gets pages.

    Args:
        options: How they are read.
        allow_private: Whether they may be of this machine or its network.
        fetch: Gets what is at an address.
    """

    def __init__(
        self,
        options: ReadOptions,
        *,
        allow_private: bool = False,
        fetch: Callable[..., Fetched] = fetch_page,
    ) -> None:
        self._options = options
        self._allow_private = allow_private
        self._fetch = fetch
        self._asked: dict[str, float] = {}
        self._rules: dict[str, RobotFileParser] = {}

    def text_of(self, url: str) -> str:
        """Return the text of a page.

        Raises:
            RemoteError: It cannot be got, its host's ``robots.txt`` says to leave it alone, or it
                has no text.
        """
        parts = urlsplit(url)
        if not self._rules_of(f"{parts.scheme}://{parts.netloc}").can_fetch(_AGENT, url):
            raise RemoteError("its robots.txt says to leave it alone", where=show_url(url))
        source = web_source(self._get(url))
        try:
            for block in read_blocks([source], self._options, io.BytesIO(), is_all=False):
                for item in parse_block(block, self._options):
                    if isinstance(item, Reject):
                        raise RemoteError(item.detail, where=show_url(url))
                    return item.text
        except (InputError, RecordError, MissingExtraError) as err:
            raise RemoteError(str(err), where=show_url(url)) from err
        raise RemoteError("there is no text in it", where=show_url(url))

    def _rules_of(self, host: str) -> RobotFileParser:
        """Return what a host asks of programs (RFC 9309): all is allowed where it says nothing."""
        if host not in self._rules:
            rules = RobotFileParser()
            try:
                lines = self._get(f"{host}/robots.txt").content.decode("utf-8", "replace")
                rules.parse(lines.splitlines())
            except AnswerError as err:
                is_shut = err.status in _FORBIDDEN or err.status >= 500
                rules.parse(_ALLOWS_NOTHING if is_shut else _ALLOWS_ALL)
            self._rules[host] = rules
        return self._rules[host]

    def _get(self, url: str) -> Fetched:
        host = urlsplit(url).netloc
        wait = self._asked.get(host, float("-inf")) + PAUSE - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        try:
            return self._fetch(url, allow_private=self._allow_private)
        finally:
            self._asked[host] = time.monotonic()
