"""From the body of a request to documents, and rejects in the places of those that are none."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

import orjson
from pydantic import ValidationError

from topicml.errors import InputError, RecordError
from topicml.io.compression import READ_BYTES, Stream
from topicml.io.readers import parse_block, read_blocks
from topicml.io.readers.fields import make_document
from topicml.io.records import ReadOptions, Reject, make_reject
from topicml.io.sources import Source, format_of
from topicml.review.problems import Problem, invalid
from topicml.review.schemas import Text, Texts
from topicml.review.settings import Limits
from topicml.text.document import Document

Given = Sequence[Document | Reject]

_SOURCE = "text"  # of texts that are from no file
_PAGE_SECONDS = 10.0  # that the main text of a web page may take to find


class File(NamedTuple):
    """A file of a request: its name, and its bytes."""

    name: str
    data: bytes


class TextReader:
    """Reads what is to be tagged.

    Args:
        limits: What one request may cost.
        any_text: See ``ReadOptions``.
    """

    def __init__(self, limits: Limits, *, any_text: bool) -> None:
        self._limits = limits
        self._options = ReadOptions(
            any_text=any_text, seconds=_PAGE_SECONDS, limit=limits.texts + 1
        )

    def read_json(self, body: bytes) -> Given:
        """Return the texts of ``Text`` or ``Texts``.

        Raises:
            Problem: The body is neither, or has too many.
        """
        try:
            values = orjson.loads(body)
        except ValueError as err:
            raise Problem(400, f"this is not valid JSON ({err})") from err
        texts = _texts(values)
        self._check_count(texts)
        return [self._document(values, place) for place, values in enumerate(texts)]

    def read_files(self, files: Iterable[File]) -> Given:
        """Return the texts of files.

        Raises:
            Problem: One has no field with a text, or there is too much in them.
        """
        found = [item for file in files for item in self._read_file(file)]
        self._check_count(found)
        return found

    def _check_count(self, found: Sequence[object]) -> None:
        if len(found) > self._limits.texts:
            raise Problem(413, f"a request may have {self._limits.texts:,} texts")

    def _document(self, values: dict[str, Any], place: int) -> Document | Reject:
        try:
            return make_document(values, self._options, _SOURCE, place + 1, "utf-8", str(place))
        except RecordError as err:
            return make_reject(_SOURCE, place + 1, err, b"")

    def _read_file(self, file: File) -> Given:
        self._check_unpacked(file)
        source = Source(file.name, None, format_of(file.name))
        try:
            blocks = read_blocks([source], self._options, io.BytesIO(file.data))
            return [*chain.from_iterable(parse_block(block, self._options) for block in blocks)]
        except InputError as err:
            raise Problem(422, f"{err.where}: {err.what}" if err.where else err.what) from err

    def _check_unpacked(self, file: File) -> None:
        """Refuse what is small only while it is compressed."""
        stream = Stream(io.BytesIO(file.data), file.name)
        while stream.read(READ_BYTES) or (stream.failure and stream.resume()):
            if stream.offset > self._limits.unpacked:
                raise Problem(413, f"a file may unpack to {self._limits.unpacked:,} bytes")


def _texts(values: Any) -> list[dict[str, Any]]:
    try:
        if isinstance(values, dict) and "texts" in values:
            texts = Texts.model_validate(values).texts
        else:
            texts = [Text.model_validate(values)]
    except ValidationError as err:
        raise invalid(err.errors()) from err
    return [{"text": t} if isinstance(t, str) else t.model_dump() for t in texts]
