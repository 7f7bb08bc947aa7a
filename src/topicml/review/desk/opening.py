"""Bytes of any format to documents, by the readers that ``classify`` has."""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from topicml.errors import InputError, MissingExtraError, RecordError
from topicml.io.readers import parse_block, read_blocks
from topicml.io.readers.fields import make_document
from topicml.io.records import ALL, Fields, ReadOptions, Reject
from topicml.io.sources import Source, list_sources
from topicml.text.document import Document

MOST_DOCUMENTS, MOST_CHARACTERS = 500, 32_000_000
"""That one file may hold; more is a dump, which ``topicml batch`` is for."""

_FIELDS = Fields(keep=(ALL,))


class Read(NamedTuple):
    """What came of a file.

    Attributes:
        documents: Its texts, each with the name that people know it by.
        problems: Why others could not be read, in a line each.
    """

    documents: list[tuple[str, Document]]
    problems: list[str]


def read_bytes(name: str, data: bytes) -> Read:
    """Read a file that came over the wire.

    Args:
        name: Its name; a folder in it is left out.
        data: What is in it.
    """
    plain = name.replace("\\", "/").rstrip("/").rpartition("/")[2].lstrip(".") or "article"
    with tempfile.TemporaryDirectory(prefix="topicml-") as folder:
        path = Path(folder, "article" + Path(plain).suffix[:16])
        path.write_bytes(data)
        return _read(path, plain)


def read_file(path: Path) -> Read:
    """Read a file of this machine."""
    return _read(path, path.name)


def read_text(name: str, text: str) -> Document:
    """Return a text that was pasted, held to what records are held to.

    Args:
        name: What people know it by.
        text: Of it.

    Raises:
        InputError: It is empty, too long, or no text.
    """
    options = ReadOptions(Fields(title=None))
    try:
        return make_document({options.fields.texts[0]: text}, options, "pasted", 1, "utf-8", name)
    except RecordError as err:
        raise InputError(err.detail, hint="Paste an article.") from err


def files_in(folder: Path) -> list[str]:
    """Return the paths of what can be opened in a folder."""
    listing = list_sources([str(folder)])
    return [source.path for source in listing.sources if source.path]


def _read(path: Path, name: str) -> Read:
    try:
        sources = list_sources([str(path)]).sources
    except InputError as err:
        return Read([], [str(err)])
    if not sources:
        return Read([], [f"{name}: it cannot be read"])
    return read_source(sources[0]._replace(name=name))


def read_source(source: Source) -> Read:
    """Read a source; its name is what people know it by."""
    documents: list[tuple[str, Document]] = []
    problems: list[str] = []
    options = ReadOptions(_FIELDS, limit=MOST_DOCUMENTS + 1)
    characters = 0
    try:
        for block in read_blocks([source], options, BytesIO()):
            for item in parse_block(block, options):
                if isinstance(item, Reject):
                    problems.append(f"{item.place}: {item.detail}")
                    continue
                characters += len(item.text)
                if len(documents) == MOST_DOCUMENTS or characters > MOST_CHARACTERS:
                    more = f"{source.name}: only the first {len(documents):,} texts are opened"
                    return Read(documents, [*problems, more])
                documents.append((_name_of(item, source), item))
    except (InputError, MissingExtraError) as err:
        problems.append(str(err))
    return Read(documents, problems)


def _name_of(document: Document, source: Source) -> str:
    title = document.kept.get("title")
    if document.id == source.name:
        return title if isinstance(title, str) and title.strip() else source.name
    return title if isinstance(title, str) and title.strip() else document.id
