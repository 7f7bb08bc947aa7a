"""Which files the inputs of a command stand for."""

from __future__ import annotations

import glob
import io
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from topicml.errors import InputError
from topicml.io.readers import COMPRESSIONS, FORMATS, SUFFIXES, check_sources
from topicml.io.records import Format, ReadOptions, list_counts

STDIN = "<stdin>"
"""What records from standard input are said to be from."""

_LONGEST_NAME = 200
_SHORT = 1_000_000  # bytes of standard input that are read to see whether it is short
_CHECK = "Check the path and permissions. Text itself goes to standard input, with -."
_MANIFESTS = "README and the like"
_OWN_OUTPUT = "outputs of a batch run"
_NO_ARTICLES = re.compile(
    r"readme([._ -].*)?|(licen[sc]e|copying|changelog|contributing|notice)(\.\w+)*"
    r"|(?-i:(LICEN[SC]E|COPYING|CHANGELOG|CONTRIBUTING|NOTICE)[._-].*)"
    r"|manifest\.json|package\.json|requirements.*\.txt|robots\.txt|.*\.(sha256|md5|sig)",
    re.IGNORECASE | re.DOTALL,
)
_COMPANIONS = (".rejects.jsonl", ".summary.json", ".part", ".checkpoint")


class Source(NamedTuple):
    """A file to be read, or standard input.

    Attributes:
        name: As records, rejects and errors call it.
        path: None for standard input.
        format: How it is read; None where its content is to say.
        is_forced: Whether a user named the format, whatever the content says.
        is_from_folder: Whether it was found in a folder, where not all need be articles.
    """

    name: str
    path: str | None
    format: Format | None
    is_forced: bool = False
    is_from_folder: bool = False


class Listing(NamedTuple):
    """What inputs stand for.

    Attributes:
        sources: Files to be read, in order.
        errors: Inputs that are missing or hold nothing that is read.
        skipped: How many files in folders are not read, by kind.
        repeated: Names of files that were there already, under this name or another.
    """

    sources: list[Source]
    errors: list[InputError]
    skipped: Counter[str]
    repeated: list[str]

    def notes(self) -> list[str]:
        """Return lines that say what is not read, or not again."""
        kinds = list_counts(dict(self.skipped.most_common()))
        notes = [f"not read in folders: {kinds}"] if kinds else []
        return notes + [f"{name}: given twice, read once" for name in self.repeated]


def list_sources(inputs: Sequence[str], input_format: str | None = None) -> Listing:
    """Return the files that the inputs stand for, in their order.

    Args:
        inputs: Files, globs, folders and ``-``. Of a folder, all files that some reader knows
            by their names are read, but for hidden ones and those that are no articles.
        input_format: One of ``FORMATS``, for all inputs; without it, name and content say.

    Raises:
        InputError: The format is unknown, or ``-`` is there twice.
    """
    if input_format is not None and input_format not in FORMATS:
        raise InputError(
            f"unknown input format {input_format!r}", hint=f"Known: {', '.join(FORMATS)}"
        )
    if list(inputs).count("-") > 1:
        raise InputError("standard input (-) is named twice", hint="Name it once.")
    lister = _Lister(input_format)
    for name in inputs:
        lister.add_input(name)
    return lister.listing


def find_sources(
    inputs: Sequence[str],
    options: ReadOptions,
    input_format: str | None = None,
    note: Callable[[str], None] = lambda _line: None,
) -> list[Source]:
    """Return the files that the inputs stand for, after a look at the start of each.

    Args:
        inputs: See ``list_sources``.
        options: Which field is what, and so on.
        input_format: See ``list_sources``.
        note: Told what is not read.

    Raises:
        InputError: One is missing, or not what it is said to be.
        MissingExtraError: None can be read for want of a package.
    """
    listing = list_sources(inputs, input_format)
    if listing.errors:
        raise listing.errors[0]
    for line in listing.notes():
        note(line)
    return check_sources(listing.sources, options)


class _Lister:
    """Gathers files, each once."""

    def __init__(self, forced: Format | None) -> None:
        self.listing = Listing([], [], Counter(), [])
        self._forced = forced
        self._seen: set[tuple[int, int]] = set()  # device and inode, so that links are followed

    def add_input(self, name: str) -> None:
        if name == "-":
            source = Source(STDIN, None, self._forced, self._forced is not None)
            self.listing.sources.append(source)
            return
        is_glob = _status(name) is None and glob.has_magic(name)
        # sorted, and read where the shell leaves them as they are
        paths = sorted(glob.glob(name, recursive=True)) if is_glob else [name]  # noqa: PTH207
        if not paths:
            self._fail("no file matches this", name)
        for path in paths:
            self._add_path(path)

    def _add_path(self, path: str) -> None:
        status = _status(path)
        if status is None:
            self._fail("no such file or folder", path)
        elif stat.S_ISDIR(status.st_mode):
            self._add_folder(path)
        else:
            self._add_file(path, status)

    def _fail(self, what: str, name: str, hint: str = _CHECK) -> None:
        name = show_path(name)
        short = name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…"
        self.listing.errors.append(InputError(what, where=short, hint=hint))

    def _add_file(self, path: str, status: os.stat_result, is_from_folder: bool = False) -> None:
        name = show_path(path)
        key = (status.st_dev, status.st_ino)
        if stat.S_ISREG(status.st_mode) and key in self._seen:
            self.listing.repeated.append(name)
            return
        self._seen.add(key)
        known = self._forced or _format_of(path)
        source = Source(name, path, known, self._forced is not None, is_from_folder)
        self.listing.sources.append(source)

    def _add_folder(self, folder: str) -> None:
        found: list[tuple[str, os.stat_result]] = []
        skipped: Counter[str] = Counter()
        for path in self._walk(folder):
            status = _status(path)
            if status is None or not stat.S_ISREG(status.st_mode):
                skipped["no regular file"] += 1
            elif kind := _unread_kind(path):
                skipped[kind] += 1
            else:
                found.append((path, status))
        self.listing.skipped.update(skipped)
        for path, status in sorted(found, key=lambda item: Path(item[0]).parts):
            self._add_file(path, status, is_from_folder=True)
        if not found:
            there = ", ".join(f"{count} {kind}" for kind, count in skipped.most_common(5))
            hint = f"In it: {there or 'no files'}. Read are {', '.join(SUFFIXES)}."
            self._fail("nothing in this folder is read", folder, hint)

    def _walk(self, folder: str) -> Iterator[str]:
        """Yield the files below a folder, of one that is linked to from below itself once."""
        entered: set[tuple[int, int]] = set()

        def fail(err: OSError) -> None:
            self._fail(err.strerror or "cannot be read", str(err.filename))

        for root, folders, names in os.walk(folder, onerror=fail, followlinks=True):
            status = _status(root)
            if status is None or (status.st_dev, status.st_ino) in entered:
                folders.clear()
                continue
            entered.add((status.st_dev, status.st_ino))
            folders[:] = sorted(n for n in folders if not n.startswith(".") and not _is_own(n))
            yield from (os.path.join(root, n) for n in names if not n.startswith("."))  # noqa: PTH118


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116 - Path is slow for a million files
    except (OSError, ValueError):
        return None


def _is_own(name: str) -> bool:
    return name.endswith(_COMPANIONS)


def _unread_kind(path: str) -> str | None:
    """Return what a file in a folder is that is not read; None where it is."""
    name = os.path.basename(path)  # noqa: PTH119
    if _NO_ARTICLES.fullmatch(name):
        return _MANIFESTS
    if _is_own(name):
        return _OWN_OUTPUT
    if _format_of(name):
        return None
    return _suffix(name) or "no suffix"


def _suffix(name: str) -> str:
    """Return a file's suffix in small letters, with that of a compression behind it."""
    plain = _without_compression(name.lower())
    return os.path.splitext(plain)[1] + name.lower()[len(plain) :]  # noqa: PTH122


def _without_compression(name: str) -> str:
    for suffix in COMPRESSIONS:
        name = name.removesuffix(suffix)
    return name


def _format_of(path: str) -> Format | None:
    name = path.lower()
    plain = _without_compression(name)
    known = SUFFIXES.get(os.path.splitext(plain)[1])  # noqa: PTH122
    return None if known == "parquet" and plain != name else known


def show_path(path: str) -> str:
    """Return a path as text; a file's name may be any bytes."""
    return os.fsencode(path).decode("utf-8", errors="replace")


def measure(sources: Sequence[Source], stdin: BinaryIO) -> tuple[BinaryIO, int | None]:
    """Return the bytes of all inputs, or None where that is not known, as of a pipe.

    A short standard input is read for that; a stream of the same bytes is returned with it.
    """
    length: int | None = 0
    if any(source.path is None for source in sources):
        head = stdin.read(_SHORT)
        is_short = len(head) < _SHORT
        stdin = io.BytesIO(head) if is_short else io.BufferedReader(_Prepended(head, stdin))
        length = len(head) if is_short else None
    paths = [Path(source.path) for source in sources if source.path]
    if length is None or not all(path.is_file() for path in paths):
        return stdin, None
    return stdin, length + sum(path.stat().st_size for path in paths)


class _Prepended(io.RawIOBase):
    """Bytes that were read already, and then the stream they were read from."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._head[: len(buffer)] or self._rest.read(len(buffer))
        self._head = self._head[len(data) :]
        buffer[: len(data)] = data
        return len(data)
