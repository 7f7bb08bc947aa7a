"""What has arrived, tagged: whole files, and the entries of feeds."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from topicml.batch.limits import tag_items
from topicml.errors import InputError, RemoteError
from topicml.io.blocks import Block
from topicml.io.readers import parse_block, read_blocks
from topicml.io.records import ReadOptions, Reject
from topicml.io.sources import Source
from topicml.tagging.articles import TaggedArticle
from topicml.tagging.tagger import Tagger
from topicml.text.document import Document
from topicml.watch.folder import Look, look_at, sha256_of
from topicml.watch.journal import FileState
from topicml.watch.linked import Linked, is_web
from topicml.watch.recorder import Marked, Recorder

_NO_STDIN = io.BytesIO()
_PASSING = {"missing_dependency", "unreadable_input"}
"""Reasons that may be gone the next time, without a change of the file."""

_OF_ALL = {*_PASSING, "truncated_input", "unsupported_format"}
"""Reasons for which a feed, and not an entry of it, cannot be read, or not to its end."""

_T = TypeVar("_T")


class ChangedError(Exception):
    """A file was written to while it was read."""


class Tagging:
    """Tags files and feeds.

    Args:
        tagger: Tags.
        options: How texts are read.
        recorder: Writes what is new.
        linked: Gets the pages that entries of feeds link to; None to leave them alone.
    """

    def __init__(
        self, tagger: Tagger, options: ReadOptions, recorder: Recorder, linked: Linked | None
    ) -> None:
        self._tagger = tagger
        self._options = options
        self._recorder = recorder
        self._journal = recorder.journal
        self._linked = linked
        self._failed: dict[str, Look] = {}
        self._told: set[int] = set()

    def is_done(self, name: str, look: Look) -> bool:
        """Whether a file was tagged as it is, or cannot be."""
        done = self._journal.files.get(name)
        is_same = done is not None and (done.size, done.mtime_ns) == look[:2]
        return is_same or self._failed.get(name) == look

    def tag_file(self, source: Source, look: Look) -> bool:
        """Tag a file; return whether it stayed as it is meanwhile."""
        name = source.name
        try:
            sha256 = sha256_of(source.path or "")
        except OSError as err:
            self._failed[name] = look
            self._recorder.fail(f"{name}: {err.strerror or 'cannot be read'}")
            return True
        version = self._journal.version_of(name, sha256)
        state = FileState(look.size, look.mtime_ns, sha256, version)
        before = self._journal.files.get(name)
        if before and before.sha256 == sha256:  # it was only touched
            self._journal.write(name, [], [], state)
            return True
        try:
            self._tag_blocks(source, look, state)
        except ChangedError:
            return False
        return True

    def _tag_blocks(self, source: Source, look: Look, state: FileState) -> None:
        rejects: list[Reject] = []
        for block, is_last in _with_last(self._blocks(source)):
            items = list(parse_block(block, self._options)) if block else []
            fresh = [item for item in items if not self._is_noted(item, state)]
            outcomes = tag_items(self._tagger, fresh, self._options.seconds)
            if look_at(source.path or "") != look:
                raise ChangedError
            rejects += [outcome for outcome in outcomes if isinstance(outcome, Reject)]
            marked = [
                Marked(str(item.number), state.sha256, state.version, outcome)
                for item, outcome in zip(fresh, outcomes, strict=True)
                if isinstance(outcome, TaggedArticle)
            ]
            is_done = is_last and not _may_pass(rejects)
            self._recorder.write(source.name, marked, state if is_done else None)
        self._recorder.reject(rejects)
        if _may_pass(rejects):
            self._failed[source.name] = look

    def _is_noted(self, item: Document | Reject, state: FileState) -> bool:
        """Whether a record was written before a file was read to its end."""
        known = self._journal.entry(item.source, str(item.number))
        return isinstance(item, Document) and known == (state.sha256, state.version)

    def tag_entries(self, source: Source) -> bool:
        """Tag the entries of a feed that are new, or whose text has changed.

        Returns:
            Whether the feed was read to its end.
        """
        rejects: list[Reject] = []
        is_read = False
        for block in self._blocks(source):
            is_read |= block is not None
            fresh: dict[str, Document] = {}
            for item in parse_block(block, self._options) if block else ():
                if isinstance(item, Reject):
                    rejects.append(item)
                    continue
                sha256 = hashlib.sha256(item.text.encode("utf-8", "surrogatepass")).hexdigest()
                if not self._journal.has_content(source.name, sha256):
                    fresh.setdefault(sha256, item)
            documents = [self._followed(item, sha256) for sha256, item in fresh.items()]
            outcomes = tag_items(self._tagger, documents, self._options.seconds)
            rejects += [outcome for outcome in outcomes if isinstance(outcome, Reject)]
            marked = []
            for sha256, outcome in zip(fresh, outcomes, strict=True):
                if isinstance(outcome, TaggedArticle):
                    _, version = self._journal.entry(source.name, outcome.id) or ("", 0)
                    marked.append(Marked(outcome.id, sha256, version + 1, outcome))
            self._recorder.write(source.name, marked, is_feed=True)
        self._recorder.reject([reject for reject in rejects if self._is_untold(reject)])
        return is_read and _OF_ALL.isdisjoint(reject.reason for reject in rejects)

    def _followed(self, entry: Document, sha256: str) -> Document:
        """Return an entry with the text of the page it links to; its own where there is none."""
        url = entry.kept.get("url")
        is_written = self._journal.is_written(entry.source, None, sha256)
        if self._linked is None or is_written or not is_web(url):
            return entry
        try:
            return replace(entry, text=self._linked.text_of(url))
        except RemoteError as err:
            self._recorder.note(f"{entry.id}: the feed's own text is tagged: {err}")
            return entry

    def _is_untold(self, reject: Reject) -> bool:
        """Whether an entry of a feed was not rejected before, in this run."""
        key = hash((reject.source, reject.reason, reject.raw))
        is_untold = key not in self._told
        self._told.add(key)
        return is_untold

    def _blocks(self, source: Source) -> Iterator[Block | None]:
        """Yield the blocks of a source; None where there is none."""
        is_empty = True
        try:
            for block in read_blocks(
                [source], self._options, _NO_STDIN, note=self._recorder.note, is_all=False
            ):
                is_empty = False
                yield block
        except InputError as err:
            self._recorder.fail(str(err))
        if is_empty:
            yield None


def _may_pass(rejects: Iterable[Reject]) -> bool:
    """Whether what was wrong with a file may be gone without a change of it."""
    reasons = {reject.reason for reject in rejects}
    return bool(reasons) and reasons <= _PASSING


def _with_last(values: Iterable[_T]) -> Iterator[tuple[_T, bool]]:
    """Yield each value, and whether it is the last."""
    held: list[_T] = []
    for value in values:
        if held:
            yield held.pop(), False
        held.append(value)
    for value in held:
        yield value, True
