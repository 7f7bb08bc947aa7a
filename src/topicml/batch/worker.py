"""A block of input made to a piece of output: the same work whatever engine asks for it."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from typing import Any, NamedTuple

from topicml.batch.job import Job, make_output
from topicml.batch.limits import tag_items
from topicml.batch.near_duplicates import signature
from topicml.batch.opened import Opened
from topicml.batch.repeated_ids import id_hashes
from topicml.batch.summary import Counts
from topicml.errors import TopicmlError
from topicml.io.blocks import Block
from topicml.io.readers import parse_block
from topicml.io.records import Reject
from topicml.io.writers.writer import Writer
from topicml.tagging.articles import TaggedArticle


class Result(NamedTuple):
    """What a worker made of a block.

    Attributes:
        piece: Of the output; nothing where near copies are yet to be marked.
        records: Those that are yet to be marked.
        signatures: Theirs.
        rejects: In order.
        counts: What was found.
        ids: Hashes of the records' ids.
    """

    piece: bytes
    records: list[dict[str, Any]]
    signatures: list[bytes]
    rejects: list[Reject]
    counts: Counts
    ids: bytes


class StrictError(TopicmlError):
    """A record cannot be tagged, and the run was to stop there."""


class BlockWorker:
    """Makes a piece of output of a block of input; one for each process.

    Attributes:
        writer: Makes the pieces.

    Args:
        job: What to do.
        opened: Proven.
    """

    def __init__(self, job: Job, opened: Opened) -> None:
        self._job = job
        self._options = job.read_options()
        self._tagger = opened.tagger
        self.writer = Writer(make_output(job, opened.model))

    def __call__(self, block: Block) -> Result:
        """Work on a block.

        Raises:
            StrictError: A record cannot be tagged, and that was to end the run.
        """
        with _no_garbage_collection():
            made = self._tag(block)
            if self._job.dedupe:
                return made
            # by here the articles are gone, which of long ones take as much memory as the records
            return made._replace(piece=self.writer.encode(made.records), records=[])

    def _tag(self, block: Block) -> Result:
        items = parse_block(block, self._options)
        outcomes = tag_items(self._tagger, items, self._job.seconds)
        articles = [outcome for outcome in outcomes if isinstance(outcome, TaggedArticle)]
        rejects = [outcome for outcome in outcomes if isinstance(outcome, Reject)]
        if rejects and self._job.strict:
            raise StrictError(
                f"{rejects[0].reason}: {rejects[0].detail}",
                where=rejects[0].place,
                hint="Repair the record, or run without --strict to set such records aside.",
            )
        written = [a for a in articles if self._job.writes([topic.topic for topic in a.topics])]
        records = [article.to_dict(self._job.detail) for article in written]
        counts = Counts.of(outcomes, block.skipped())
        counts.filtered = len(articles) - len(written)
        ids = id_hashes(article.id for article in written)
        signatures = [signature(a.text) for a in written] if self._job.dedupe else []
        return Result(b"", records, signatures, rejects, counts, ids)


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Keep Python from looking for garbage in cycles: a block's objects are many, and in none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
