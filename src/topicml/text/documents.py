"""Texts to be tagged, read from files, folders, standard input and JSON Lines."""

from __future__ import annotations

import codecs
import io
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from topicml.errors import InputError
from topicml.labels.records import LONE_SURROGATE

LARGEST_TEXT = 10_000_000
"""Bytes of one text; a file beyond it is a dump and not an article."""

BYTE_ORDER_MARKS = (
    ("UTF-32", codecs.BOM_UTF32_LE),
    ("UTF-32", codecs.BOM_UTF32_BE),
    ("UTF-16", codecs.BOM_UTF16_LE),
    ("UTF-16", codecs.BOM_UTF16_BE),
)
"""Encodings other than UTF-8, and what their texts begin with; the longer marks first."""

_HTML = re.compile(r"\s*(<\?xml[^>]*>\s*)?(<!doctype html|<html[\s>])", re.IGNORECASE)
_LONGEST_NAME = 200
_TEXT_SUFFIXES = {".txt", ".text", ".md", ".jsonl"}


@dataclass(frozen=True, slots=True)
class Document:
    """A text to be tagged."""

    id: str
    text: str


def read_documents(
    sources: Iterable[str], stdin: BinaryIO, encoding: str = "utf-8"
) -> Iterator[Document | InputError]:
    """Yield the texts of files, folders and ``-`` in order, and an error for each bad one.

    A folder gives its text files, recursively, by name. A ``.jsonl`` file gives a text per
    line with ``id`` and ``text``; so does standard input where its first line is such a
    record. A bad text is yielded as an ``InputError`` and not raised, so that it never costs
    the good ones.
    """
    for source in sources:
        if source == "-":
            yield from _read_stdin(stdin, encoding)
        elif os.path.isdir(source):  # noqa: PTH112 - Path.is_dir raises for a very long name
            yield from _read_folder(Path(source), encoding)
        else:
            yield from _read_path(Path(source), encoding)


def decode_text(data: bytes, where: str, encoding: str = "utf-8") -> str:
    """Decode a text, or say what is wrong with it.

    Raises:
        InputError: Empty, too large, binary, HTML, or not in the encoding.
    """
    if not data.strip():
        raise InputError("empty: there is no text to tag", where=where, hint="Check the file.")
    if len(data) > LARGEST_TEXT:
        raise InputError(
            f"more than {LARGEST_TEXT // 1_000_000} MB for one text",
            where=where,
            hint='Split it into articles, one {"id": …, "text": …} object a line, as .jsonl.',
        )
    convert = f"Convert it, or name its encoding: --encoding {{}} (now {encoding})."
    if codecs.lookup(encoding).name == "utf-8":
        for name, mark in BYTE_ORDER_MARKS:
            if data.startswith(mark):
                raise InputError(
                    f"{name} text, expected UTF-8", where=where, hint=convert.format(name.lower())
                )
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as err:
        if b"\0" in data:
            raise _binary(where) from err
        line = data.count(b"\n", 0, err.start) + 1
        raise InputError(
            f"not valid {encoding} (byte 0x{data[err.start]:02x} at offset {err.start})",
            where=f"{where}:{line}",
            hint=convert.format("cp1252"),
        ) from err
    if text.count("\0") > len(text) // 100:
        raise _binary(where)
    if _HTML.match(text):
        raise InputError(
            "an HTML page, not plain text",
            where=where,
            hint="Save the article's text from the browser, and give that.",
        )
    if LONE_SURROGATE.search(text):
        raise InputError(
            f"{encoding} gives half characters here", where=where, hint=convert.format("utf-8")
        )
    return text


def _binary(where: str) -> InputError:
    return InputError(
        "a binary file, not text", where=where, hint="Give plain text, or save it as text first."
    )


def _read_folder(folder: Path, encoding: str) -> Iterator[Document | InputError]:
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in _TEXT_SUFFIXES
        and not path.is_dir()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if not files:
        yield InputError(
            "no text files in this folder",
            where=folder,
            hint=f"Files ending in {', '.join(sorted(_TEXT_SUFFIXES))} are read.",
        )
    for path in files:
        yield from _read_path(path, encoding)


def _read_path(path: Path, encoding: str) -> Iterator[Document | InputError]:
    name = os.fsencode(path).decode("utf-8", errors="replace")  # a file name may be any bytes
    try:
        with path.open("rb") as file:
            if path.suffix.lower() == ".jsonl":
                yield from _read_records(file, name)
            else:
                yield from _read_stream(file, name, encoding)
    except OSError as err:
        yield InputError(
            err.strerror or "cannot be read",
            where=name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…",
            hint="Check the path and permissions. Text itself goes to standard input, with -.",
        )


def _read_stdin(file: BinaryIO, encoding: str) -> Iterator[Document | InputError]:
    first = file.readline(LARGEST_TEXT + 1)
    whole = io.BufferedReader(_Prepended(first, file))
    if isinstance(_parse_record(first.removeprefix(codecs.BOM_UTF8), ""), Document):
        yield from _read_records(whole, "<stdin>")
    else:
        yield from _read_stream(whole, "<stdin>", encoding)


class _Prepended(io.RawIOBase):
    """Bytes that were read already, and then the stream they were read from."""

    def __init__(self, first: bytes, rest: BinaryIO) -> None:
        self._first = first
        self._rest = rest

    def readable(self) -> bool:
        """Say that bytes can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as bytes are at hand; return how many, 0 at the end."""
        view = memoryview(buffer).cast("B")
        data = self._first[: len(view)] or self._rest.read(len(view))
        self._first = self._first[len(view) :]
        view[: len(data)] = data
        return len(data)


def _read_stream(file: BinaryIO, name: str, encoding: str) -> Iterator[Document | InputError]:
    data = file.read(LARGEST_TEXT + 1)
    try:
        yield Document(name, decode_text(data, name, encoding))
    except InputError as err:
        yield err


def _read_records(file: BinaryIO, name: str) -> Iterator[Document | InputError]:
    number = 0
    found = False
    while line := file.readline(LARGEST_TEXT + 1):
        number += 1
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        where = f"{name}:{number}"
        if len(line) > LARGEST_TEXT:
            while not line.endswith(b"\n") and (line := file.readline(LARGEST_TEXT)):
                pass
            yield InputError(
                f"a line of more than {LARGEST_TEXT // 1_000_000} MB",
                where=where,
                hint="Put one record on each line.",
            )
        elif line.strip():
            yield _parse_record(line, where)
        else:
            continue
        found = True
    if not found:
        yield InputError("empty: there is no record to tag", where=name, hint="Check the file.")


def _parse_record(line: bytes, where: str) -> Document | InputError:
    expected = 'Write one object a line: {"id": …, "text": …}.'
    try:
        record = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as err:
        return InputError(f"not valid JSON in UTF-8 ({err})", where=where, hint=expected)
    if not isinstance(record, dict):
        return InputError(
            f"expected an object, found {type(record).__name__}", where=where, hint=expected
        )
    text = record.get("text")
    if not isinstance(text, str):
        found = "nothing" if text is None else type(text).__name__
        return InputError(f"'text' must be a string, found {found}", where=where, hint=expected)
    identifier = where if record.get("id") in (None, "") else record["id"]
    if isinstance(identifier, int) and not isinstance(identifier, bool):
        identifier = str(identifier)
    if not isinstance(identifier, str):
        kind = type(identifier).__name__
        return InputError(
            f"'id' must be a string or a whole number, found {kind}", where=where, hint=expected
        )
    if LONE_SURROGATE.search(text) or LONE_SURROGATE.search(identifier):
        return InputError(
            "a lone surrogate, half of a character, in id or text",
            where=where,
            hint="Mend the record.",
        )
    return Document(identifier, text)
