"""Results of ``batch`` and ``classify``, read back a story at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import urlsplit

from topicml.errors import InputError, RecordError
from topicml.files import beside
from topicml.io.readers import parse_block, read_blocks
from topicml.io.readers.fields import value_at
from topicml.io.readers.jsonl import load_json
from topicml.io.records import ALL, Fields, ReadOptions, Reject, make_reject
from topicml.io.sources import Source
from topicml.io.writers.output import OTHERS
from topicml.text.document import Document

READING = ReadOptions(Fields(text="model", title=None, keep=(ALL,)), any_text=True)
"""Every result has a model; all else but the id is kept."""

_MOST_SUMMARY = 10_000_000


class Story(NamedTuple):
    """What a record of results says.

    Attributes:
        place: File and number, for messages.
        file: That it is from.
        id: Its own.
        model: ``name@version``.
        tagged: By topic, how many sentences have it; 1 at least.
        sentences: How many it has; None where the record does not say.
        fields: All else of the record.
    """

    place: str
    file: str
    id: str
    model: str
    tagged: Mapping[str, int]
    sentences: int | None
    fields: Mapping[str, Any]

    def value(self, name: str) -> Any:
        """Return a field that was carried through; None where there is none."""
        return value_at(self.fields, name)

    @property
    def host(self) -> str | None:
        """The host of its address, which may be its id."""
        for address in (self.value("url"), self.id):
            with suppress(ValueError):
                parts = urlsplit(address) if isinstance(address, str) else None
                if parts and parts.scheme in {"http", "https"} and parts.hostname:
                    return parts.hostname.removeprefix("www.")
        return None


def read_stories(
    sources: Sequence[Source],
    stdin: BinaryIO,
    *,
    note: Callable[[str], None],
    on_reject: Callable[[Reject], None],
) -> Iterator[Story]:
    """Yield the stories of results, in constant memory.

    Args:
        sources: Files of results.
        stdin: What standard input is.
        note: Told what is worth knowing of a file.
        on_reject: Told of each record that is none.

    Raises:
        InputError: A file holds something else than results.
    """
    for source in sources:
        try:
            blocks = read_blocks([source], READING, stdin, note=note, is_all=False)
            records = (item for block in blocks for item in parse_block(block, READING))
            yield from _stories(_good(records, on_reject))
        except InputError as err:
            raise InputError(
                "these are no results of topicml",
                where=source.name,
                hint="Give what topicml batch, or classify --format jsonl, wrote.",
            ) from err


def _good(
    records: Iterable[Document | Reject], on_reject: Callable[[Reject], None]
) -> Iterator[Document]:
    for record in records:
        if isinstance(record, Reject):
            on_reject(record)
        elif not isinstance(record.kept.get("topics", ""), list | str):
            error = RecordError("wrong_type", "'topics' is no list")
            on_reject(make_reject(record.source, record.number, error, b""))
        else:
            yield record


def _stories(documents: Iterator[Document]) -> Iterator[Story]:
    rows = _Rows()
    for _, group in groupby(documents, rows.story_of):
        first, *others = group
        if "topics" not in first.kept:
            raise InputError("no field 'topics'", where=first.source)
        topics = first.kept["topics"]
        if isinstance(topics, list):
            yield _of_record(first, topics)
        else:
            yield _of_rows([first, *others])


class _Rows:
    """Tells which story a row of CSV belongs to: each other record is a story of its own."""

    def __init__(self) -> None:
        self._count = 0
        self._before: tuple[str, int] | None = None

    def story_of(self, document: Document) -> int:
        index = document.kept.get("index")
        is_row = not isinstance(document.kept.get("topics"), list)
        at = int(index) if is_row and isinstance(index, str) and index.isdecimal() else 0
        goes_on = at > 0 and self._before == (document.id, at - 1)
        self._before = document.id, at
        self._count += not goes_on
        return self._count


def _of_record(document: Document, topics: list[Any]) -> Story:
    sentences = document.kept.get("sentences")
    tagged = {
        each["topic"]: max(len(_list(each.get("sentences"))), 1)
        for each in topics
        if isinstance(each, dict) and isinstance(each.get("topic"), str)
    }
    return _story(document, tagged, len(sentences) if isinstance(sentences, list) else None)


def _of_rows(documents: list[Document]) -> Story:
    tagged: dict[str, int] = {}
    for document in documents:
        for topic in str(document.kept.get("topics") or "").split(";"):
            if topic:
                tagged[topic] = tagged.get(topic, 0) + 1
    first = documents[0]
    has_sentences = "index" in first.kept
    count = sum(bool(document.kept["index"]) for document in documents) if has_sentences else None
    return _story(first, tagged, count)


def _story(document: Document, tagged: Mapping[str, int], sentences: int | None) -> Story:
    fields = document.kept
    if isinstance(others := fields.get(OTHERS), str):  # where --keep '*' puts them
        found = load_json(others.encode("utf-8"))
        fields = {**found, **fields} if isinstance(found, dict) else fields
    place = f"{document.source}:{document.number}"
    return Story(place, document.source, document.id, document.text, tagged, sentences, fields)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def count_filtered(source: Source) -> int:
    """Return how many records a run has left out of a file of results, as its summary says."""
    if not source.path:
        return 0
    summary = beside(Path(source.path), ".summary.json")
    with suppress(OSError, ValueError, AttributeError, TypeError), summary.open("rb") as file:
        return int(load_json(file.read(_MOST_SUMMARY)).get("filtered") or 0)
    return 0
