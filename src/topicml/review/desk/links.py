"""A page of the web, fetched once, as a file that can be opened."""

from __future__ import annotations

import importlib
from typing import NamedTuple
from urllib.parse import urlsplit

from topicml.errors import InputError

_SUFFIXES = {
    "application/json": ".json",
    "application/pdf": ".pdf",
    "application/xhtml+xml": ".html",
    "text/csv": ".csv",
    "text/html": ".html",
    "text/plain": ".txt",
}


class Page(NamedTuple):
    """What was got.

    Attributes:
        name: Its address, as people read it.
        file: A name that says what it is.
        data: What is in it.
    """

    name: str
    file: str
    data: bytes


def fetch(url: str) -> Page:
    """Get what is at an address; addresses of this machine and its network are refused.

    Raises:
        TopicmlError: It is no such address, is refused, or cannot be got.
    """
    try:
        web = importlib.import_module("topicml.io.web")
    except ModuleNotFoundError as err:
        raise InputError(
            "links cannot be opened here", hint="Save the page, and open the file."
        ) from err
    got = web.fetch_page(url)
    path = urlsplit(got.url).path.rstrip("/").rpartition("/")[2] or "page"
    suffix = _SUFFIXES.get(got.media_type, "")
    return Page(got.url, path if path.endswith(suffix) else path + suffix, got.content)
