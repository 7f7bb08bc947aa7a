"""Tags what arrives, until it is stopped."""

from __future__ import annotations

import datetime
import hashlib
import io
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from topicml.appending import append_lines
from topicml.batch.limits import tag_items
from topicml.batch.near_duplicates import signature
from topicml.errors import InputError, OutputError, RemoteError, TopicmlError
from topicml.files import beside
from topicml.io.blocks import Block
from topicml.io.optional_dependencies import load
from topicml.io.readers import parse_block, read_blocks
from topicml.io.records import Format, ReadOptions, Reject, reject_lines
from topicml.io.sources import Source, show_path
from topicml.stopping import check_stopped
from topicml.tagging.articles import Detail, TaggedArticle
from topicml.tagging.tagger import Tagger
from topicml.text.document import Document
from topicml.watch.feed import FileFeed, WebFeed
from topicml.watch.folder import Folder, Look, look_at, sha256_of
from topicml.watch.journal import ARRIVED, NOTES, Entry, FeedState, FileState, Journal, only_writer
from topicml.watch.linked import Linked

SETTLE = 2.0
"""Seconds without a change after which a file is taken for whole."""

EVERY = 900.0
"""Seconds between two questions to the server of a feed."""

REJECTS = ".rejects.jsonl"

_TICK = 1.0  # seconds after which it is looked whether files are whole, and feeds due
_RESCAN = 30.0  # and whether the system has kept something to itself
_NO_STDIN = io.BytesIO()
_PASSING = {"missing_dependency", "unreadable_input"}
"""Reasons that may be gone the next time, without a change of the file."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class WatchJob:
    """What is watched, and how.

    Attributes:
        sources: Folders, feeds in files, and addresses of feeds.
        output: File of records.
        options: How texts are read.
        input_format: Of all files in folders; None where names and content say.
        follow_links: Whether links that leave a folder are followed.
        detail: How much is said of each record.
        settle: Seconds without a change after which a file is taken for whole.
        every: Seconds between two questions to a server.
        allow_private: Whether addresses may be of this machine or its network.
        follow: Whether the pages that entries of feeds link to are tagged in their place; then
            ``url`` is among the fields that are kept.
        once: Whether it ends when what is there is done.
        apart: Files and folders that are not read, besides the output.
    """

    sources: tuple[str, ...]
    output: Path
    options: ReadOptions
    input_format: Format | None = None
    follow_links: bool = False
    detail: Detail = "sentence"
    settle: float = SETTLE
    every: float = EVERY
    allow_private: bool = False
    follow: bool = False
    once: bool = False
    apart: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrival:
    """An article that was tagged.

    Attributes:
        article: With its topics.
        record: As it was written.
    """

    article: TaggedArticle
    record: dict[str, Any]


class ChangedError(Exception):
    """A file was written to while it was read."""


class Watcher:
    """Tags what arrives.

    Attributes:
        rejected: How many texts could not be tagged.

    Args:
        job: What to do.
        tagger: Tags.
        on_arrival: Told of each article, once it is written.
        tell: Told what is wrong and worth knowing, a line at a time.
    """

    def __init__(
        self,
        job: WatchJob,
        tagger: Tagger,
        on_arrival: Callable[[Arrival], None],
        tell: Callable[[str], None],
    ) -> None:
        self.rejected = 0
        self._job = job
        self._tagger = tagger
        self._on_arrival = on_arrival
        self._tell = tell
        self._journal = Journal(job.output)
        self._failed: dict[str, Look] = {}
        self._told: set[str] = set()
        self._linked = Linked(job.options, allow_private=job.allow_private)
        self._is_scan_due = True
        self._scanned = 0.0
        self._scans = 0
        self._pending = 0
        self._folders, self._files, self._web = self._open_sources()

    def run(self) -> None:
        """Tag what is there, and then what arrives, until a signal ends it.

        Raises:
            Stopped: A signal did.
            OutputError: The output cannot be written.
            MissingExtraError: watchfiles is not installed.
        """
        for _ in self._ticks():
            is_waiting = self._look()
            check_stopped()
            if self._job.once and not is_waiting:
                return

    def _open_sources(self) -> tuple[list[Folder], list[FileFeed], list[WebFeed]]:
        job = self._job
        apart = [job.output, beside(job.output, NOTES), beside(job.output, REJECTS), *job.apart]
        folders, files, web = [], [], []
        for given in job.sources:
            if _is_web(given):
                feed = WebFeed(given, every=job.every, allow_private=job.allow_private)
                feed.state = self._journal.feeds.get(feed.name, FeedState())
                web.append(feed)
            elif Path(given).is_dir():
                folders.append(
                    Folder(
                        given,
                        input_format=job.input_format,
                        follow_links=job.follow_links,
                        settle=job.settle,
                        apart=apart,
                    )
                )
            elif Path(given).is_file():
                files.append(FileFeed(Path(given), show_path(given)))
            else:
                raise InputError(
                    "no such folder or feed", where=show_path(given), hint="Check the path."
                )
        return folders, files, web

    def _ticks(self) -> Iterator[None]:
        """Yield at once, then when something changes in a folder or something may be due."""
        yield
        if self._job.once or not self._folders:
            while True:
                time.sleep(min(_TICK, self._job.settle or _TICK))
                yield
        watchfiles = load("watchfiles", "watch", "watching a folder")
        changes = watchfiles.watch(
            *(folder.path for folder in self._folders),
            watch_filter=None,
            debounce=int(1000 * _TICK),
            rust_timeout=int(1000 * _TICK),
            yield_on_timeout=True,
            raise_interrupt=False,
            ignore_permission_denied=True,
        )
        is_first = True  # what came before the system was asked to tell is told by nobody
        for change in changes:
            is_late = time.monotonic() - self._scanned > _RESCAN
            self._is_scan_due = bool(change or self._pending or is_first or is_late)
            is_first = False
            yield
        check_stopped()

    def _look(self) -> bool:
        """Work on all that is ready; return whether something is there that is not yet."""
        if self._is_scan_due:
            self._scanned = time.monotonic()
            self._pending = sum([self._look_into(folder) for folder in self._folders])
            self._scans += 1
        waiting = self._pending + sum([self._look_at_file(feed) for feed in self._files])
        for feed in self._web:
            if time.monotonic() >= feed.due:
                self._ask(feed)
        return waiting > 0

    def _look_into(self, folder: Folder) -> int:
        """Tag the files of a folder that are whole; return how many are not."""
        listing = folder.list()
        if not self._scans:
            for line in listing.notes():
                self._note(line)
        if not Path(folder.path).is_dir():
            self._tell_once(f"error: {show_path(folder.path)}: the folder is gone")
        pending = 0
        for source in listing.sources:
            look = look_at(source.path or "")
            if look is None or self._is_done(source.name, look):
                continue
            if not folder.is_whole(source.name, look) or not self._tag_file(source, look):
                pending += 1
        return pending

    def _is_done(self, name: str, look: Look) -> bool:
        done = self._journal.files.get(name)
        is_same = done is not None and (done.size, done.mtime_ns) == look[:2]
        return is_same or self._failed.get(name) == look

    def _tag_file(self, source: Source, look: Look) -> bool:
        """Tag a file; return whether it stayed as it is meanwhile."""
        path, name = source.path or "", source.name
        before = self._journal.files.get(name)
        try:
            sha256 = sha256_of(path)
        except OSError as err:
            self._failed[name] = look
            self._tell(f"error: {name}: {err.strerror or 'cannot be read'}")
            self.rejected += 1
            return True
        is_new = before is None or before.sha256 != sha256
        version = (before.version if before else 0) + is_new
        state = FileState(look.size, look.mtime_ns, sha256, version)
        if not is_new:
            self._journal.write(name, [], [], state)
            return True
        try:
            self._tag_blocks(source, look, state)
        except ChangedError:
            return False
        return True

    def _tag_blocks(self, source: Source, look: Look, state: FileState) -> None:
        reasons: set[str] = set()
        rejects: list[Reject] = []
        for block, is_last in _with_last(self._blocks(source)):
            items = list(parse_block(block, self._job.options)) if block else []
            fresh = [
                item
                for item in items
                if isinstance(item, Reject)
                or self._journal.entry(source.name, str(item.number)) != _pair(state)
            ]
            outcomes = tag_items(self._tagger, fresh, self._job.options.seconds)
            if look_at(source.path or "") != look:
                raise ChangedError
            marked = [
                (str(item.number), state.sha256, state.version, outcome)
                for item, outcome in zip(fresh, outcomes, strict=True)
                if isinstance(outcome, TaggedArticle)
            ]
            rejects += [outcome for outcome in outcomes if isinstance(outcome, Reject)]
            reasons = {reject.reason for reject in rejects}
            is_passing = bool(reasons) and reasons <= _PASSING
            self._write(source.name, marked, state if is_last and not is_passing else None)
        self._reject(rejects)
        if reasons and reasons <= _PASSING:
            self._failed[source.name] = look

    def _blocks(self, source: Source) -> Iterator[Block | None]:
        """Yield the blocks of a source; None where there is none."""
        is_empty = True
        try:
            for block in read_blocks(
                [source], self._job.options, _NO_STDIN, note=self._note, is_all=False
            ):
                is_empty = False
                yield block
        except InputError as err:
            self._tell(f"error: {err}")
            self.rejected += 1
        if is_empty:
            yield None

    def _look_at_file(self, feed: FileFeed) -> int:
        """Tag what is new in a feed's file; return 1 where it is being written to."""
        found = feed.poll()
        if found is None:
            return 0
        source, look = found
        if time.time() - look.mtime_ns / 1e9 < self._job.settle and not self._stays(source, look):
            return 1
        self._tag_entries(source)
        feed.is_read(look)
        return 0

    def _stays(self, source: Source, look: Look) -> bool:
        time.sleep(self._job.settle)
        return look_at(source.path or "") == look

    def _ask(self, feed: WebFeed) -> None:
        try:
            found = feed.poll()
        except RemoteError as err:
            self._tell(f"error: {err}")
            self.rejected += 1
            return
        if found:
            source, state = found
            self._tag_entries(source)
            self._journal.note_feed(feed.name, state)
            feed.state = state

    def _tag_entries(self, source: Source) -> None:
        """Tag the entries of a feed that are new, or whose text has changed."""
        name, journal = source.name, self._journal
        rejects: list[Reject] = []
        for block in self._blocks(source):
            fresh: list[Document | Reject] = []
            hashes: list[str] = []
            for item in parse_block(block, self._job.options) if block else ():
                if isinstance(item, Reject):
                    rejects.append(item)
                    continue
                sha256 = hashlib.sha256(item.text.encode("utf-8", "surrogatepass")).hexdigest()
                if not journal.has_content(name, sha256) and sha256 not in hashes:
                    fresh.append(self._followed(item, sha256))
                    hashes.append(sha256)
            outcomes = tag_items(self._tagger, fresh, self._job.options.seconds)
            rejects += [outcome for outcome in outcomes if isinstance(outcome, Reject)]
            marked = []
            for sha256, outcome in zip(hashes, outcomes, strict=True):
                if isinstance(outcome, TaggedArticle):
                    _, version = journal.entry(name, outcome.id) or ("", 0)
                    marked.append((outcome.id, sha256, version + 1, outcome))
            self._write(name, marked, None, is_feed=True)
        self._reject([reject for reject in rejects if self._is_new(reject)])

    def _followed(self, entry: Document, sha256: str) -> Document:
        """Return an entry with the text of the page it links to; its own where there is none."""
        url = entry.kept.get("url")
        if not self._job.follow or self._journal.is_written(entry.source, entry.id, sha256):
            return entry
        if not isinstance(url, str) or not _is_web(url):
            return entry
        try:
            return replace(entry, text=self._linked.text_of(url))
        except RemoteError as err:
            self._note(f"{entry.id}: the feed's own text is tagged: {err}")
            return entry

    def _is_new(self, reject: Reject) -> bool:
        """Whether a feed's entry was not rejected before, in this run."""
        key = f"{reject.source} {reject.reason} {reject.raw!r}"
        is_new = key not in self._told
        self._told.add(key)
        return is_new

    def _write(
        self,
        name: str,
        marked: Sequence[tuple[str, str, int, TaggedArticle]],
        done: FileState | None,
        *,
        is_feed: bool = False,
    ) -> None:
        """Write articles that were not, note all of them, and tell of those that are new."""
        entries, arrivals = [], []
        for mark, sha256, version, article in marked:
            made = signature(article.text)
            copy_of = self._journal.duplicates.first_of(article.id, made)
            entries.append(Entry(mark, article.id, sha256, version, made, copy_of is not None))
            if self._journal.is_written(name, mark, sha256):
                continue
            record = article.to_dict(self._job.detail)
            record["duplicate_of"] = copy_of
            at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            place = {"entry": mark} if is_feed else {"number": int(mark)}
            record[ARRIVED] = {
                "from": name, **place, "version": version, "sha256": sha256, "at": at
            }  # fmt: skip
            arrivals.append(Arrival(article, record))
        self._journal.write(name, [arrival.record for arrival in arrivals], entries, done)
        for arrival in arrivals:
            self._on_arrival(arrival)

    def _reject(self, rejects: Sequence[Reject]) -> None:
        if rejects:
            append_lines(beside(self._job.output, REJECTS), reject_lines(rejects))
        for reject in rejects:
            self._tell(f"error: {reject.place}: {reject.detail}")
        self.rejected += len(rejects)

    def _note(self, line: str) -> None:
        self._tell(f"note: {line}")

    def _tell_once(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self._tell(line)


def _is_web(address: str) -> bool:
    return address.lower().startswith(("http://", "https://"))


def _pair(state: FileState) -> tuple[str, int]:
    return state.sha256, state.version


def _with_last(values: Iterable[_T]) -> Iterator[tuple[_T, bool]]:
    """Yield each value, and whether it is the last."""
    held: list[_T] = []
    for value in values:
        if held:
            yield held.pop(), False
        held.append(value)
    for value in held:
        yield value, True


def watch_sources(
    job: WatchJob,
    tagger: Tagger,
    on_arrival: Callable[[Arrival], None],
    tell: Callable[[str], None],
) -> int:
    """Tag what is there and what arrives; return how many texts could not be tagged.

    Raises:
        Stopped: A signal ended it.
        TopicmlError: See ``Watcher`` and ``only_writer``.
    """
    _check_output(job)
    with only_writer(job.output):
        watcher = Watcher(job, tagger, on_arrival, tell)
        watcher.run()
        return watcher.rejected


def _check_output(job: WatchJob) -> None:
    if job.output.suffix.lower() not in {".jsonl", ".ndjson"}:
        raise OutputError(
            "watch appends JSON Lines", where=job.output, hint="Give a name that ends in .jsonl."
        )
    if "arrived" in job.options.fields.keep:
        raise TopicmlError(
            "field 'arrived' cannot be kept: the output has a field of that name",
            hint="Rename it in the input.",
        )
