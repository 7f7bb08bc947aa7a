"""What was tagged already, so that a restart repeats nothing and misses nothing.

The output is a line a record, on disk before all else. Beside it, in ``OUT.watch.jsonl``, a note
follows each append: which records it was, and how long the output is since. So of a run that was
killed, what the output has behind the last note was written and not noted, and each of these
records says itself where it is from. All else of what was being read is written when it is read
again.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from topicml.appending import append_lines
from topicml.batch.near_duplicates import DuplicateIndex
from topicml.errors import OutputError
from topicml.files import beside, target_of, writing
from topicml.io.readers.jsonl import load_json

NOTES = ".watch.jsonl"
ARRIVED = "arrived"
"""Field of a record that says where it is from."""


class FileState(NamedTuple):
    """A file as it was when it was tagged.

    Attributes:
        size: In bytes.
        mtime_ns: When it was changed last.
        sha256: Of its bytes.
        version: 1 for the first, one more after each change.
    """

    size: int
    mtime_ns: int
    sha256: str
    version: int


class Entry(NamedTuple):
    """A record that was written, as a note has it.

    Attributes:
        mark: Its number in a file, its id in a feed.
        id: Of the record.
        sha256: Of the file, or of the entry's text.
        version: See ``FileState``.
        signature: Of its text, for near copies.
        is_copy: Whether it is one.
    """

    mark: str
    id: str
    sha256: str
    version: int
    signature: bytes
    is_copy: bool


class FeedState(NamedTuple):
    """What a server said of a feed, to be told it the next time."""

    etag: str | None = None
    last_modified: str | None = None


class Journal:
    """The output, and what is known of it. One process writes it at a time.

    Attributes:
        duplicates: Of all records that were written.
        files: By name, files that are done.
        feeds: By address, what its server said last.

    Args:
        output: File of records.

    Raises:
        OutputError: A file cannot be read, or the notes are none.
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        self.duplicates = DuplicateIndex()
        self.files: dict[str, FileState] = {}
        self.feeds: dict[str, FeedState] = {}
        self._entries: dict[str, dict[str, tuple[str, int]]] = {}
        self._contents: dict[str, set[str]] = {}
        self._unnoted: set[tuple[str, str | None, str]] = set()
        self._end = 0
        self._notes = beside(output, NOTES)
        with writing(output, "Check that it can be read."):
            self._read_notes()
            self._read_unnoted()

    def entry(self, name: str, mark: str) -> tuple[str, int] | None:
        """Return SHA-256 and version of what was noted of a feed, or of a file in work."""
        return self._entries.get(name, {}).get(mark)

    def has_content(self, name: str, sha256: str) -> bool:
        """Whether a feed had an entry of this text."""
        return sha256 in self._contents.get(name, ())

    def version_of(self, name: str, sha256: str) -> int:
        """Return the version that a file is of, with such bytes."""
        states = [(done.sha256, done.version) for done in (self.files.get(name),) if done]
        states += self._entries.get(name, {}).values()
        versions = dict(states)
        return versions.get(sha256, max(versions.values(), default=0) + 1)

    def is_written(self, name: str, mark: str | None, sha256: str) -> bool:
        """Whether a record that was not noted is in the output.

        Args:
            name: Of the file or feed.
            mark: Its number in the file; None for a feed, whose entries may have no ids.
            sha256: Of the file, or of the entry's text.
        """
        return (name, mark, sha256) in self._unnoted

    def write(
        self,
        name: str,
        records: Sequence[dict[str, Any]],
        entries: Sequence[Entry],
        done: FileState | None = None,
    ) -> None:
        """Append records, and note them.

        Args:
            name: Of the file or feed.
            records: To be written.
            entries: To be noted: these, and those that are in the output already.
            done: The file, where these are its last.
        """
        if records:
            append_lines(self.output, b"".join(map(_line, records)))
            self._end = self.output.stat().st_size
        note: dict[str, Any] = {"from": name, "end": self._end}
        note["records"] = [
            (*entry[:4], base64.b64encode(entry.signature).decode("ascii"), entry.is_copy)
            for entry in entries
        ]
        if done:
            note["done"] = done
        if entries or done:
            self._note(note)
        self._add(name, entries, done)

    def note_feed(self, name: str, state: FeedState) -> None:
        """Note what a server said, once all that it sent is written."""
        if self.feeds.get(name) != state:
            self._note({"feed": name, **state._asdict()})
            self.feeds[name] = state

    def _note(self, note: dict[str, Any]) -> None:
        # Not waited for: what is lost of the notes is found out from the output.
        with writing(self._notes), self._notes.open("ab") as file:
            file.write(_line(note))

    def _add(self, name: str, entries: Iterable[Entry], done: FileState | None) -> None:
        for entry in entries:
            self._entries.setdefault(name, {})[entry.mark] = entry.sha256, entry.version
            self._contents.setdefault(name, set()).add(entry.sha256)
        if done:
            self.files[name] = done
            self._entries.pop(name, None)
            self._contents.pop(name, None)

    def _read_notes(self) -> None:
        if self._notes.exists():
            append_lines(self._notes, b"")  # which mends a torn end
        for number, note in _lines(self._notes, 0):
            try:
                self._read_note(note)
            except (KeyError, TypeError, ValueError) as err:
                raise OutputError(
                    "this is no note of topicml watch",
                    where=f"{self._notes}:{number}",
                    hint="Give the output another name, or remove both files to start over.",
                ) from err

    def _read_note(self, note: Any) -> None:
        if "feed" in note:
            self.feeds[note["feed"]] = FeedState(note["etag"], note["last_modified"])
            return
        entries = [
            Entry(mark, id_, sha256, version, base64.b64decode(signature), is_copy)
            for mark, id_, sha256, version, signature, is_copy in note["records"]
        ]
        for entry in entries:
            if not entry.is_copy:
                self.duplicates.first_of(entry.id, entry.signature)
        self._end = note["end"]
        done = note.get("done")
        self._add(note["from"], entries, FileState(*done) if done else None)

    def _read_unnoted(self) -> None:
        if not self.output.exists():
            return
        start = self._end if self.output.stat().st_size >= self._end else 0
        for _, record in _lines(self.output, start):
            arrived = record.get(ARRIVED) if isinstance(record, dict) else None
            if isinstance(arrived, dict):
                mark = None if "entry" in arrived else str(arrived.get("number"))
                self._unnoted.add((str(arrived.get("from")), mark, str(arrived.get("sha256"))))


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _lines(path: Path, start: int) -> Iterator[tuple[int, Any]]:
    """Yield the values in the whole lines of a file, with their numbers; none of what is torn."""
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(start)
        for number, line in enumerate(file, start=1):
            value = load_json(line)
            if value is not None or line.endswith(b"\n"):
                yield number, value


@contextmanager
def only_writer(output: Path) -> Iterator[None]:
    """Keep other watchers from writing to an output.

    Raises:
        OutputError: Another one does.
    """
    lock = FileLock(beside(target_of(output), ".watch.lock"))
    with writing(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout as err:
            raise OutputError(
                "another topicml watch writes to it",
                where=output,
                hint="Wait for it, end it, or give another output.",
            ) from err
    try:
        yield
    finally:
        lock.release()
