"""Which files the inputs of a command stand for."""

from __future__ import annotations

import glob
import io
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple
from urllib.parse import urlsplit

from topicml.errors import InputError, TopicmlError
from topicml.files import path_of
from topicml.io.readers import COMPRESSIONS, FORMATS, SUFFIXES, check_sources
from topicml.io.records import Format, ReadOptions, list_counts
from topicml.io.remote import Prefix, RemoteObject, find_objects, is_address, list_prefix

if TYPE_CHECKING:  # what it brings along takes long to import
    from topicml.io.web import Fetched

STDIN = "<stdin>"
"""What records from standard input are said to be from."""

_LONGEST_NAME = 200
_SHORT = 1_000_000  # bytes of standard input that are read to see whether it is short
_CHECK = "Check the path and permissions. Text itself goes to standard input, with -."
_MANIFESTS = "README and the like"
_HIDDEN = "hidden"
_OWN_OUTPUT = "outputs of a batch run"
_NOT_REGULAR = "no regular file"
_LEAVES = "links that leave the folder (see --follow-links)"
_NO_ARTICLES = re.compile(
    r"readme([._ -].*)?|(licen[sc]e|copying|changelog|contributing|notice)(\.\w+)*"
    r"|(?-i:(LICEN[SC]E|COPYING|CHANGELOG|CONTRIBUTING|NOTICE)[._-].*)"
    r"|manifest\.json|package\.json|requirements.*\.txt|robots\.txt|.*\.(sha256|md5|sig)",
    re.IGNORECASE | re.DOTALL,
)
_SUMMARY = ".summary.json"
_COMPANIONS = (_SUMMARY, ".rejects.jsonl", ".part", ".made", ".checkpoint")

_STARS = re.compile(r"(?<![^/])\*\*(/+|$)")  # between slashes

_MEDIA_TYPES: dict[str, Format] = {
    "application/atom+xml": "feed",
    "application/mbox": "mbox",
    "application/rss+xml": "feed",
    "application/xhtml+xml": "html",
    "message/rfc822": "eml",
    "multipart/related": "mhtml",
    "text/csv": "csv",
    "text/html": "html",
}

_Status = os.stat_result | RemoteObject | None  # of a file; None of one that is not there


class Source(NamedTuple):
    """A file or an object to be read, or standard input.

    Attributes:
        name: As records, rejects and errors call it.
        path: Of a file; None for standard input and objects.
        format: How it is read; None where its content is to say.
        is_forced: Whether a user named the format, whatever the content says.
        is_from_folder: Whether it was found in a folder, where not all need be articles.
        remote: What is read by an address; None for files and standard input.
        fetched: What was got from the web already; None for all else.
    """

    name: str
    path: str | None
    format: Format | None
    is_forced: bool = False
    is_from_folder: bool = False
    remote: RemoteObject | None = None
    fetched: Fetched | None = None

    @property
    def is_stdin(self) -> bool:
        """Whether it is standard input."""
        return self.path is None and self.remote is None and self.fetched is None


class Listing(NamedTuple):
    """What inputs stand for.

    Attributes:
        sources: Files to be read, in order.
        errors: Inputs that are missing or hold nothing that is read, and those that cannot be
            reached.
        skipped: How many files in folders are not read, by kind.
        repeated: Names of files that were there already, under this name or another.
    """

    sources: list[Source]
    errors: list[TopicmlError]
    skipped: Counter[str]
    repeated: list[str]

    def notes(self) -> list[str]:
        """Return lines that say what is not read, or not again."""
        kinds = list_counts(dict(self.skipped.most_common()))
        notes = [f"not read in folders: {kinds}"] if kinds else []
        return notes + [f"{name}: given twice, read once" for name in self.repeated]


def list_sources(
    inputs: Sequence[str],
    input_format: str | None = None,
    *,
    follow_links: bool = False,
    results: bool = False,
) -> Listing:
    """Return the files that the inputs stand for, in their order.

    Args:
        inputs: Files, globs, folders and ``-``, and the same in object storage by address. Of a
            folder, all files that some reader knows by their names are read, but for hidden ones
            and those that are no articles. A link that leads nowhere is among the sources, to be
            a reject.
        input_format: One of ``FORMATS``, for all inputs; without it, name and content say.
        follow_links: Whether links in a folder that leave it are followed.
        results: Whether it is outputs of batch runs that are read.

    Raises:
        InputError: The format is unknown, or ``-`` is there twice.
    """
    if input_format is not None and input_format not in FORMATS:
        raise InputError(
            f"unknown input format {input_format!r}", hint=f"Known: {', '.join(FORMATS)}"
        )
    if list(inputs).count("-") > 1:
        raise InputError("standard input (-) is named twice", hint="Name it once.")
    lister = _Lister(input_format, follow_links, results)
    for name in inputs:
        lister.add_input(name)
    return lister.listing


def find_sources(
    inputs: Sequence[str],
    options: ReadOptions,
    input_format: str | None = None,
    *,
    follow_links: bool = False,
    note: Callable[[str], None] = lambda _line: None,
) -> list[Source]:
    """Return the files that the inputs stand for, after a look at the start of each.

    Args:
        inputs: See ``list_sources``.
        options: Which field is what, and so on.
        input_format: See ``list_sources``.
        follow_links: See ``list_sources``.
        note: Told what is not read.

    Raises:
        InputError: One is missing, or not what it is said to be.
        RemoteError: One cannot be reached.
        MissingExtraError: None can be read for want of a package.
    """
    listing = list_sources(inputs, input_format, follow_links=follow_links)
    if listing.errors:
        raise listing.errors[0]
    for line in listing.notes():
        note(line)
    return check_sources(listing.sources, options)


class _Lister:
    """Gathers files, each once."""

    def __init__(self, forced: Format | None, follow_links: bool, results: bool) -> None:
        self.listing = Listing([], [], Counter(), [])
        self._forced = forced
        self._follow_links = follow_links
        self._results = results
        self._seen: set[object] = set()

    def add_input(self, name: str) -> None:
        if name == "-":
            source = Source(STDIN, None, self._forced, self._forced is not None)
            self.listing.sources.append(source)
            return
        if is_address(name):
            self._add_address(name)
            return
        is_glob = status_of(name) is None and glob.has_magic(name)
        # sorted, and read where the shell leaves them as they are
        paths = sorted({*_expand(name)}) if is_glob else [name]
        if not paths:
            self._fail("no file matches this", name)
        for path in paths:
            self._add_path(path, is_named=not is_glob)

    def _add_address(self, address: str) -> None:
        try:
            for found in find_objects(address):
                if isinstance(found, Prefix):
                    skipped: Counter[str] = Counter()
                    self._add_folder(found.name, _list(found, skipped), skipped)
                else:
                    self._add_file(found.address, found)
        except TopicmlError as err:
            self.listing.errors.append(err)

    def _add_path(self, path: str, is_named: bool) -> None:
        status = status_of(path)
        if status and stat.S_ISDIR(status.st_mode):
            skipped: Counter[str] = Counter()
            self._add_folder(path, self._walk(path, skipped), skipped)
        elif is_named and status is None:
            self._fail("no such file or folder", path or "''")
        elif is_named or _is_regular(status):
            self._add_file(path, status)
        else:
            self.listing.skipped[_NOT_REGULAR] += 1

    def _fail(self, what: str, name: str, hint: str = _CHECK) -> None:
        name = show_path(name)
        short = name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…"
        self.listing.errors.append(InputError(what, where=short, hint=hint))

    def _add_file(self, path: str, status: _Status, is_from_folder: bool = False) -> None:
        remote = status if isinstance(status, RemoteObject) else None
        name = remote.name if remote else show_path(path)
        if key := _identity(status):
            if key in self._seen:
                self.listing.repeated.append(name)
                return
            self._seen.add(key)
        known = self._forced or format_of(name if remote else path)
        source = Source(
            *(name, None if remote else path, known, self._forced is not None),
            is_from_folder=is_from_folder,
            remote=remote,
        )
        self.listing.sources.append(source)

    def _add_folder(
        self, folder: str, members: Iterable[tuple[str, _Status]], skipped: Counter[str]
    ) -> None:
        found: list[tuple[str, _Status]] = []
        for path, status in members:
            if kind := _unread_kind(path, status):
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

    def _walk(self, folder: str, skipped: Counter[str]) -> Iterator[tuple[str, _Status]]:
        """Yield the files below a folder; of one that is linked to from below itself, once."""
        inside = os.path.join(os.path.realpath(folder), "")  # noqa: PTH118
        entered: set[tuple[int, int]] = set()
        waiting = [folder]
        while waiting:
            folders = []
            there = self._enter(waiting.pop(), entered)
            names = set() if self._results else {entry.name for entry in there}
            for entry in there:
                status = status_of(entry.path)
                if entry.name.startswith("."):
                    skipped[_HIDDEN] += 1
                elif _is_own(entry.name, names):
                    skipped[_OWN_OUTPUT] += 1
                elif status and self._leaves(entry, inside):
                    skipped[_LEAVES] += 1
                elif not status or not stat.S_ISDIR(status.st_mode):
                    yield entry.path, status
                else:
                    folders.append(entry.path)
            waiting += reversed(folders)

    def _enter(self, folder: str, entered: set[tuple[int, int]]) -> list[os.DirEntry[str]]:
        """Return what is in a folder by name; nothing the second time."""
        status = status_of(folder)
        if status is None or (status.st_dev, status.st_ino) in entered:
            return []
        entered.add((status.st_dev, status.st_ino))
        try:
            with os.scandir(folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as err:
            self._fail(err.strerror or "cannot be read", folder)
            return []

    def _leaves(self, entry: os.DirEntry[str], inside: str) -> bool:
        if self._follow_links or not entry.is_symlink():
            return False
        return not os.path.join(os.path.realpath(entry.path), "").startswith(inside)  # noqa: PTH118


def _expand(pattern: str) -> Iterator[str]:
    """Yield what a glob matches; ``**`` is all folders below, each once, whatever leads to it."""
    stars = _STARS.search(pattern)
    if not stars:
        yield from glob.iglob(pattern)  # noqa: PTH207
        return
    before, after = pattern[: stars.start()], pattern[stars.end() :] or "*"
    for top in _expand(before) if before else [""]:
        for folder in _folders(top):
            yield from _expand(os.path.join(glob.escape(folder), after))  # noqa: PTH118


def _folders(top: str) -> Iterator[str]:
    """Yield a folder and those below it but for hidden ones, each once, links followed."""
    entered: set[tuple[int, int]] = set()
    for folder, below, _ in os.walk(top or ".", followlinks=True):
        status = status_of(folder)
        if status is None or (status.st_dev, status.st_ino) in entered:
            below.clear()
            continue
        entered.add((status.st_dev, status.st_ino))
        below[:] = sorted(name for name in below if not name.startswith("."))
        yield folder if top else os.path.relpath(folder).removeprefix(".")


def status_of(path: str) -> os.stat_result | None:
    """Return what is at a path, links followed; None where nothing is that can be reached."""
    try:
        return os.stat(path)  # noqa: PTH116 - Path is slow for a million files
    except (OSError, ValueError):
        return None


def _list(prefix: Prefix, skipped: Counter[str]) -> Iterator[tuple[str, _Status]]:
    """Yield the objects of a prefix."""
    objects = {each.address: each for each in list_prefix(prefix)}
    for name, each in objects.items():
        if _is_own(name, objects):
            skipped[_OWN_OUTPUT] += 1
        else:
            yield name, each


def _identity(status: _Status) -> object:
    """Return what a file is, through whatever links, or an object; None of all else."""
    if isinstance(status, RemoteObject):
        return status.address
    is_file = status is not None and stat.S_ISREG(status.st_mode)
    return (status.st_dev, status.st_ino) if status and is_file else None


def _is_regular(status: _Status) -> bool:
    """Whether a file can be read without waiting; one that is not there can, for a reject."""
    return not isinstance(status, os.stat_result) or stat.S_ISREG(status.st_mode)


def _is_own(name: str, there: Container[str]) -> bool:
    """Whether a batch run has made what has such a name, among what is there."""
    return name.endswith(_COMPANIONS) or name + _SUMMARY in there


def _unread_kind(path: str, status: _Status) -> str | None:
    """Return what a file in a folder is that is not read; None where it is."""
    if not _is_regular(status):
        return _NOT_REGULAR
    name = os.path.basename(path)  # noqa: PTH119
    if _NO_ARTICLES.fullmatch(name):
        return _MANIFESTS
    if format_of(name):
        return None
    # a link that leads nowhere may have been one to a folder of articles
    return _suffix(name) or ("no suffix" if status else None)


def _suffix(name: str) -> str:
    """Return a file's suffix in small letters, with that of a compression behind it."""
    plain = _without_compression(name.lower())
    return os.path.splitext(plain)[1] + name.lower()[len(plain) :]  # noqa: PTH122


def _without_compression(name: str) -> str:
    for suffix in COMPRESSIONS:
        name = name.removesuffix(suffix)
    return name


def format_of(path: str) -> Format | None:
    """Return the format of a file by the suffix of its name; None where that says nothing."""
    name = path.lower()
    plain = _without_compression(name)
    known = SUFFIXES.get(os.path.splitext(plain)[1])  # noqa: PTH122
    return None if known == "parquet" and plain != name else known


def show_path(path: str) -> str:
    """Return a path as text; a byte of a file's name that is none is there by its number."""
    return os.fsencode(path).decode("utf-8", errors="backslashreplace")


def web_source(fetched: Fetched, forced: Format | None = None) -> Source:
    """Return what was got from the web as a source.

    Args:
        fetched: What was got. Its server, its address and then its content say what it is.
        forced: Its format, whatever they say.
    """
    known = _MEDIA_TYPES.get(fetched.media_type) or format_of(urlsplit(fetched.url).path)
    return Source(fetched.url, None, forced or known, forced is not None, fetched=fetched)


def measure(sources: Sequence[Source], stdin: BinaryIO) -> tuple[BinaryIO, int | None]:
    """Return the bytes of all inputs, or None where that is not known, as of a pipe.

    A short standard input is read for that; a stream of the same bytes is returned with it.
    """
    length: int | None = 0
    if any(source.is_stdin for source in sources):
        head = stdin.read(_SHORT)
        is_short = len(head) < _SHORT
        stdin = io.BytesIO(head) if is_short else io.BufferedReader(_Prepended(head, stdin))
        length = len(head) if is_short else None
    sizes = [length, *(size_of(source) for source in sources if not source.is_stdin)]
    known = [size for size in sizes if size is not None]
    return stdin, sum(known) if len(known) == len(sizes) else None


def size_of(source: Source) -> int | None:
    """Return the bytes of a file, 0 of one that is not there; None where only reading it tells."""
    if source.remote:
        return source.remote.size
    status = status_of(source.path) if source.path else None
    if source.is_stdin or not _is_regular(status):
        return None
    return status.st_size if status else 0


def version_of(source: Source) -> str | int | None:
    """Return what of a file or an object changes when it does; None where nothing tells."""
    if source.remote:
        return source.remote.version
    status = status_of(source.path) if source.path else None
    return status.st_mtime_ns if status else None


def paths_of(sources: Sequence[Source], stdin: BinaryIO) -> list[str | Path]:
    """Return the paths of all files that are read, that of standard input where it has one."""
    found: list[str | Path] = []
    for source in sources:
        found += [source.path] if source.path else []
        found += path_of(stdin) if source.is_stdin else []
    return found


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
