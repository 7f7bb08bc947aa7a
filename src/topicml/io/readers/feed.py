"""News feeds (RSS, Atom): a record for each of their items. Nothing that they name is fetched."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cached_property
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import urljoin

from topicml.errors import RecordError
from topicml.io import child
from topicml.io.blocks import Block, Cutter, Item, Outcome
from topicml.io.compression import READ_BYTES, Stream
from topicml.io.optional_dependencies import load
from topicml.io.readers.fields import check_names, make_document
from topicml.io.readers.markup import import_markup, markup_text, paragraphs
from topicml.io.records import LARGEST_RECORD, TOO_LARGE, ReadOptions, Reject
from topicml.text.document import Document

FEED_FIELDS = ("date", "language", "source", "title", "url")
"""What an item says besides its text and its id."""

_CLOSED = re.compile(rb"</(?:\w{1,20}:)?(?:rss|feed|rdf)\s*>", re.I)
_NOT_CLOSED = ("truncated_input", "the feed is not closed; the file may be cut off")
_MARKUP = re.compile(r"<[A-Za-z/!?]|&#?\w{1,30};")
_END = 1 << 12
_LONGEST = 1000  # characters of what is no text


class Feed(NamedTuple):
    """What is read of a feed.

    Attributes:
        items: The fields of each item, by name, the text among them.
        problem: Why it is no XML; nothing where it is.
    """

    items: list[dict[str, str]]
    problem: str


def cut_feed(stream: Stream, options: ReadOptions, _block_bytes: int) -> Cutter:
    """Cut a feed into its items."""
    if stream.lost:
        raise stream.lost[0]
    return _FeedCutter(stream, options)


class _FeedCutter(Cutter):
    """Has a feed read as a whole, when its first item is asked for, or what is to be told of it."""

    is_whole = True
    fields = FEED_FIELDS

    def __init__(self, stream: Stream, options: ReadOptions) -> None:
        super().__init__(stream)
        self._options = options
        self.lacking = check_names(stream.name, FEED_FIELDS, options.fields)

    @property
    def description(self) -> str:  # type: ignore[override]
        """What is wrong with its XML."""
        found = self._feed
        return found.problem if isinstance(found, Feed) else ""

    @cached_property
    def _feed(self) -> Feed | RecordError:
        data = self._stream.read(LARGEST_RECORD + 1)
        if len(data) > LARGEST_RECORD:
            while self._stream.read(READ_BYTES):
                pass
            return RecordError(*TOO_LARGE)
        self._data = data
        try:
            return child.call(
                *(read_feed, data, self._options.encoding or self._stream.charset),
                seconds=self._options.seconds,
                prepare=import_parser,
            )
        except child.ChildError as err:
            return RecordError("unreadable_input", f"the feed cannot be parsed ({err})")
        except RecordError as err:
            return err

    def _cut(self) -> Iterator[Outcome]:
        feed = self._feed
        if isinstance(feed, RecordError):
            yield self._reject(feed, self._data, 0)
            return
        for item in feed.items:
            raw = json.dumps(item, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")
            yield Item(self._stream.name, self._number, None, raw)
            self._number += 1
        end = self._data[-_END:].replace(b"\0", b"")  # of UTF-16
        if end.strip() and not _CLOSED.search(end) and not self._stream.failure:
            yield self._reject(RecordError(*_NOT_CLOSED), b"", self._stream.offset)


def parse_item(item: Item, _block: Block, options: ReadOptions) -> Iterator[Document | Reject]:
    """Yield the document of an item of a feed."""
    values = {**dict.fromkeys(FEED_FIELDS), **json.loads(item.raw)}
    values[options.fields.texts[0]] = values.pop("text", "")
    yield make_document(values, options, item.source, item.number, "utf-8")


def check_feeds() -> None:
    """Have a child process that can read feeds.

    Raises:
        MissingExtraError: A package is not installed that this needs.
    """
    child.ensure(import_parser)


def import_parser() -> None:
    """Import what reads feeds."""
    load("feedparser", "articles", "reading feeds")
    import_markup()


def read_feed(data: bytes, charset: str | None) -> Feed:
    """Return the items of a feed, in their order; of broken XML, those that can be read.

    Args:
        data: Its bytes.
        charset: Their encoding, where it is known from elsewhere.
    """
    feedparser = load("feedparser", "articles", "reading feeds")
    said = {"content-type": f"application/xml; charset={charset}"} if charset else None
    # a stream, for a string could be an address; what is not sanitised becomes text below
    found = feedparser.parse(
        BytesIO(data), response_headers=said, sanitize_html=False, resolve_relative_uris=False
    )
    error = found.get("bozo_exception")
    is_broken = hasattr(error, "getLineNumber")
    problem = f"the XML is broken ({_message(error)}); what can be read is" if is_broken else ""
    return Feed([_fields(entry, found.feed) for entry in found.entries], problem)


def _message(error: Any) -> str:
    return f"line {error.getLineNumber()}: {error.getMessage()}"


def _fields(entry: Any, feed: Any) -> dict[str, str]:
    title = _line(entry.get("title_detail"))
    contents = sorted(entry.get("content") or [], key=lambda each: len(each.get("value") or ""))
    details = [*reversed(contents), entry.get("summary_detail"), entry.get("title_detail")]
    text = next(filter(None, map(_text, details)), "")
    link = (entry.get("link") or "").strip()
    url = _whole_address(feed.get("link") or "", link) if link else ""
    languages = (each.get("language") for each in (*contents, entry.get("title_detail") or {}))
    said = {
        "id": (entry.get("id") or url)[:_LONGEST],
        "title": title,
        "url": url[:_LONGEST],
        "date": _day(entry.get("published_parsed") or entry.get("updated_parsed")),
        "source": _line(feed.get("title_detail")),
        "language": next(filter(None, languages), None) or feed.get("language") or "",
        "text": text,
    }
    return {name: value for name, value in said.items() if value}


def _whole_address(base: str, link: str) -> str:
    """Return a web address; nothing of what is none, such as a script."""
    try:
        url = urljoin(base, link)
    except ValueError:  # of a bracket that is no address
        return ""
    return url if url.startswith(("https://", "http://")) else ""


def _text(detail: Any) -> str:
    value = (detail or {}).get("value") or ""
    is_markup = (detail or {}).get("type") != "text/plain" and _MARKUP.search(value)
    return paragraphs(markup_text(value)) if is_markup else value.strip()


def _line(detail: Any) -> str:
    return " ".join(_text(detail).split())[:_LONGEST]


def _day(parsed: Any) -> str:
    return "{:04}-{:02}-{:02}".format(*parsed[:3]) if parsed else ""
