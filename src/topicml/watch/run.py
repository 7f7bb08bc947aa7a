"""Tags what arrives, until it is stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from topicml.errors import InputError, OutputError, RemoteError, TopicmlError
from topicml.files import beside
from topicml.io.optional_dependencies import load
from topicml.io.records import ALL, Format, ReadOptions
from topicml.io.sources import Source, show_path
from topicml.report.article import with_page_fields
from topicml.stopping import check_stopped
from topicml.tagging.articles import Detail
from topicml.tagging.tagger import Tagger
from topicml.watch.feed import FileFeed, WebFeed
from topicml.watch.folder import Folder, Look, look_at
from topicml.watch.journal import ARRIVED, NOTES, FeedState, Journal, only_writer
from topicml.watch.linked import Linked, is_web
from topicml.watch.pages import PageFolder
from topicml.watch.recorder import REJECTS, Arrival, Recorder
from topicml.watch.tagging import Tagging

SETTLE = 2.0
"""Seconds without a change after which a file is taken for whole."""

EVERY = 900.0
"""Seconds between two questions to the server of a feed."""

_TICK = 1.0  # seconds after which it is looked whether files are whole, and feeds due
_RESCAN = 30.0  # and whether the system has kept something to itself


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


class Watcher:
    """Tags what arrives.

    Args:
        job: What to do.
        tagger: Tags.
        recorder: Writes what is new.
    """

    def __init__(self, job: WatchJob, tagger: Tagger, recorder: Recorder) -> None:
        linked = Linked(job.options, allow_private=job.allow_private) if job.follow else None
        self._job = job
        self._recorder = recorder
        self._tagging = Tagging(tagger, job.options, recorder, linked)
        self._gone: set[str] = set()
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
        job, pages = self._job, self._recorder.pages
        apart = [job.output, beside(job.output, NOTES), beside(job.output, REJECTS)]
        folders, files, web = [], [], []
        for given in job.sources:
            if is_web(given):
                feed = WebFeed(given, every=job.every, allow_private=job.allow_private)
                feed.state = self._recorder.journal.feeds.get(feed.name, FeedState())
                web.append(feed)
            elif pages and pages.is_in(given):
                raise OutputError(
                    "its pages would be read as articles",
                    where=show_path(given),
                    hint="Give the pages a folder of their own.",
                )
            elif Path(given).is_dir():
                folders.append(
                    Folder(
                        given,
                        input_format=job.input_format,
                        follow_links=job.follow_links,
                        settle=job.settle,
                        apart=apart,
                        apart_folder=pages.folder if pages else None,
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
                self._recorder.note(line)
        if Path(folder.path).is_dir():
            self._gone.discard(folder.path)
        elif folder.path not in self._gone:
            self._gone.add(folder.path)
            self._recorder.fail(f"{show_path(folder.path)}: the folder is gone")
        pending = 0
        for source in listing.sources:
            look = look_at(source.path or "")
            if look is None or self._tagging.is_done(source.name, look):
                continue
            if not folder.is_whole(source.name, look) or not self._tagging.tag_file(source, look):
                pending += 1
        return pending

    def _look_at_file(self, feed: FileFeed) -> int:
        """Tag what is new in a feed's file; return 1 where it is being written to."""
        found = feed.poll()
        if found is None:
            return 0
        source, look = found
        if time.time() - look.mtime_ns / 1e9 < self._job.settle and not self._stays(source, look):
            return 1
        self._tagging.tag_entries(source)
        feed.is_read(look)
        return 0

    def _stays(self, source: Source, look: Look) -> bool:
        time.sleep(self._job.settle)
        return look_at(source.path or "") == look

    def _ask(self, feed: WebFeed) -> None:
        try:
            found = feed.poll()
        except RemoteError as err:
            self._recorder.fail(str(err))
            return
        if found:
            source, state = found
            if self._tagging.tag_entries(source):  # else all of it must be sent again
                self._recorder.journal.note_feed(feed.name, state)
                feed.state = state


def watch_sources(
    job: WatchJob,
    tagger: Tagger,
    on_arrival: Callable[[Arrival], None],
    tell: Callable[[str], None],
    pages: PageFolder | None = None,
) -> int:
    """Tag what is there and what arrives; return how many texts could not be tagged.

    Args:
        job: What to do.
        tagger: Tags.
        on_arrival: Told of each article, once it is written.
        tell: Told what is wrong and worth knowing, a line at a time.
        pages: Where each article gets a page; None for none.

    Raises:
        Stopped: A signal ended it.
        TopicmlError: See ``Watcher`` and ``only_writer``.
    """
    _check_output(job)
    shown_only: tuple[str, ...] = ()
    if pages:
        fields = with_page_fields(job.options.fields)
        shown_only = () if ALL in fields.keep else fields.also
        job = replace(job, options=replace(job.options, fields=fields))
    with only_writer(job.output):
        journal = Journal(job.output)
        recorder = Recorder(journal, job.detail, on_arrival, tell, pages, shown_only)
        Watcher(job, tagger, recorder).run()
        return recorder.rejected


def _check_output(job: WatchJob) -> None:
    if job.output.suffix.lower() not in {".jsonl", ".ndjson"}:
        raise OutputError(
            "watch appends JSON Lines", where=job.output, hint="Give a name that ends in .jsonl."
        )
    if ARRIVED in job.options.fields.keep:
        raise TopicmlError(
            f"field {ARRIVED!r} cannot be kept: the output has a field of that name",
            hint="Rename it in the input.",
        )
