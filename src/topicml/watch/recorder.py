"""Articles and rejects on their way to the output."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from topicml.appending import append_lines
from topicml.batch.near_duplicates import signature
from topicml.files import beside
from topicml.io.records import Reject, reject_lines
from topicml.tagging.articles import Detail, TaggedArticle
from topicml.watch.journal import ARRIVED, Entry, FileState, Journal
from topicml.watch.pages import PageFolder, page_name

REJECTS = ".rejects.jsonl"


@dataclass(frozen=True, slots=True)
class Arrival:
    """An article that was tagged.

    Attributes:
        article: With its topics.
        record: As it was written.
    """

    article: TaggedArticle
    record: dict[str, Any]


class Marked(NamedTuple):
    """An article, and where in its file or feed it is from.

    Attributes:
        mark: Its number in the file, its id in the feed.
        sha256: Of the file, or of the entry's text.
        version: Of either.
        article: With its topics.
    """

    mark: str
    sha256: str
    version: int
    article: TaggedArticle


class Recorder:
    """Writes what is new, and tells of it.

    Attributes:
        journal: The output, and what is known of it.
        rejected: How many texts could not be tagged.
        tell: Told what is wrong and worth knowing, a line at a time.
        pages: Where each article gets a page; None for none.

    Args:
        journal: See above.
        detail: How much is said of each record.
        on_arrival: Told of each article, once it is written.
        tell: See above.
        pages: See above.
        shown_only: Fields that pages show, and records have not.
    """

    def __init__(
        self,
        journal: Journal,
        detail: Detail,
        on_arrival: Callable[[Arrival], None],
        tell: Callable[[str], None],
        pages: PageFolder | None = None,
        shown_only: Sequence[str] = (),
    ) -> None:
        self.journal = journal
        self.rejected = 0
        self.tell = tell
        self._detail = detail
        self._on_arrival = on_arrival
        self.pages = pages
        self._shown_only = shown_only

    def write(
        self,
        name: str,
        marked: Sequence[Marked],
        done: FileState | None = None,
        *,
        is_feed: bool = False,
    ) -> None:
        """Write articles that are not in the output, note all of them, tell of those written.

        A page comes before its record.

        Args:
            name: Of the file or feed.
            marked: Articles of it.
            done: The file, where these are its last.
            is_feed: Whether it is a feed.
        """
        entries, arrivals = [], []
        for each in marked:
            article, made = each.article, signature(each.article.text)
            copy_of = self.journal.duplicates.first_of(article.id, made)
            entries.append(
                Entry(each.mark, article.id, each.sha256, each.version, made, copy_of is not None)
            )
            if not self.journal.is_written(name, None if is_feed else each.mark, each.sha256):
                arrivals.append(Arrival(article, self._record(name, each, copy_of, is_feed)))
        if self.pages:
            self.pages.write({each.record[ARRIVED]["page"]: each.article for each in arrivals})
        self.journal.write(name, [arrival.record for arrival in arrivals], entries, done)
        for arrival in arrivals:
            self._on_arrival(arrival)

    def _record(
        self, name: str, marked: Marked, copy_of: str | None, is_feed: bool
    ) -> dict[str, Any]:
        record = marked.article.to_dict(self._detail)
        for field in self._shown_only:
            record.pop(field, None)
        record["duplicate_of"] = copy_of
        origin: dict[str, str | int] = {
            "from": name,
            **({"entry": marked.mark} if is_feed else {"number": int(marked.mark)}),
            "version": marked.version,
            "sha256": marked.sha256,
        }
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        record[ARRIVED] = {**origin, "at": now}
        if self.pages:
            record[ARRIVED]["page"] = page_name(marked.article.id, origin)
        return record

    def reject(self, rejects: Sequence[Reject]) -> None:
        """Write and tell what could not be tagged."""
        if rejects:
            append_lines(beside(self.journal.output, REJECTS), reject_lines(rejects))
        for reject in rejects:
            self.fail(f"{reject.place}: {reject.detail}")

    def fail(self, line: str) -> None:
        """Tell of one thing that could not be tagged, read or got."""
        self.rejected += 1
        self.tell(f"error: {line}")

    def note(self, line: str) -> None:
        """Tell what is worth knowing."""
        self.tell(f"note: {line}")
