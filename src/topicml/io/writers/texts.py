"""The texts that were tagged, a file each, for offsets refer to them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from topicml.files import check_apart, check_new, write_text, writing
from topicml.text.document import Document

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.I)  # on Windows
_LONGEST_NAME = 100
_DIGITS = 10


class TextFolder:
    """A folder of the texts of records.

    A file is named by its record's id, with ``_`` for what is not safe in a name. Where the id
    itself is no such name, or names a text already, a part of its SHA-256 stands behind it, so
    that it can be found by the id.

    Args:
        folder: Made where it is not there.
        inputs: Files that are read, and never written over.
        force: Whether files that are there may be replaced.
    """

    def __init__(self, folder: Path, inputs: Sequence[str | Path], *, force: bool) -> None:
        self._folder = folder
        self._inputs = inputs
        self._force = force
        self._names: set[str] = set()

    def save(self, document: Document) -> Path:
        """Write a text, as UTF-8 and without a change; return where it is.

        Raises:
            OutputError: A file is there already, or none can be written.
        """
        with writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / self._name(document.id)
        check_new([path], force=self._force)
        if path.exists():
            check_apart([path], self._inputs)
        write_text(path, document.text)
        return path

    def _name(self, identifier: str) -> str:
        """Return a name that no text has yet, also where large and small letters are the same."""
        stem = safe_stem(identifier)
        name, number = stem, 1
        while name.lower() in self._names:
            if number == 1:
                name = f"{_cut(stem)}-{short_digest(identifier)}"
            else:
                name = f"{_cut(stem)}-{short_digest(identifier)}-{number}"
            number += 1
        self._names.add(name.lower())
        return f"{name}.txt"


def safe_stem(identifier: str) -> str:
    """Return an id as the name of a file without ``.txt``, itself where it is one."""
    plain = _plain(identifier)
    is_safe = plain == identifier.removesuffix(".txt") and not _DEVICES.fullmatch(plain)
    if is_safe and 0 < len(plain) <= _LONGEST_NAME:
        return plain
    return f"{readable_stem(identifier)}-{short_digest(identifier)}"


def readable_stem(identifier: str) -> str:
    """Return what can be read of an id in a safe name; others may have the same."""
    return _cut(_plain(identifier)) or "text"


def short_digest(text: str, digits: int = _DIGITS) -> str:
    """Return the first hexadecimal digits of a text's SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:digits]


def _plain(identifier: str) -> str:
    return _UNSAFE.sub("_", identifier).lstrip("._-").removesuffix(".txt")


def _cut(stem: str) -> str:
    return stem[:_LONGEST_NAME].rstrip(".")
