"""Chunks of input made to pieces of output, in this process or in several."""

from __future__ import annotations

import contextlib
import gc
import signal
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, NamedTuple

from topicml.batch.job import Job, job_thresholds, make_output
from topicml.batch.limits import tag_guarded
from topicml.errors import TopicmlError
from topicml.io.compression import Failure, make_reject
from topicml.io.records import Chunk, Record, Reject
from topicml.io.sources import parse_chunk
from topicml.models.folder import Model, open_model
from topicml.tagging.tagger import Counts, Tagger

WAITING = 2  # chunks per process that are read ahead


class Result(NamedTuple):
    """What a worker made of a chunk: its piece of the output, or records yet to be marked."""

    piece: bytes
    records: list[dict[str, Any]]
    signatures: list[Any]
    rejects: list[Reject]
    counts: Counts


class StrictError(TopicmlError):
    """A record cannot be tagged, and the run was to stop there."""


def work_on(
    job: Job, model: Model, chunks: Iterator[Chunk]
) -> Generator[tuple[Chunk, Result], None, None]:
    """Work on chunks, in one process or several, and yield what came of each, in order."""
    if job.jobs == 1:
        work = ChunkWorker(job, model)
        for chunk in chunks:
            yield chunk, work(chunk)
        return
    pool = ProcessPoolExecutor(
        job.jobs, mp_context=get_context("spawn"), initializer=_start_worker, initargs=(job,)
    )
    waiting: deque[tuple[Chunk, Future[Result]]] = deque()
    try:
        for chunk in chunks:
            waiting.append((chunk, pool.submit(_work, chunk)))
            if len(waiting) > job.jobs * WAITING:
                done, future = waiting.popleft()
                yield done._replace(data=None), future.result()
        while waiting:
            done, future = waiting.popleft()
            yield done._replace(data=None), future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_worker: ChunkWorker | None = None


def _start_worker(job: Job) -> None:
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process says when to stop
    _worker = ChunkWorker(job, open_model(job.model))


def _work(chunk: Chunk) -> Result:
    assert _worker is not None  # noqa: S101 - the initializer ran
    return _worker(chunk)


class ChunkWorker:
    """Makes a piece of output of a chunk of input; one for each process.

    Attributes:
        output: What is written.
    """

    def __init__(self, job: Job, model: Model) -> None:
        model.scorer.use("compiled")
        self._job = job
        self._tagger = Tagger(
            model, job.detail, thresholds=job_thresholds(job, model), unit=job.unit
        )
        self.output = make_output(job, model)

    def __call__(self, chunk: Chunk) -> Result:
        """Work on a chunk."""
        with _no_collection():
            return self._make(chunk)

    def _make(self, chunk: Chunk) -> Result:
        records: list[Record] = []
        rejects: list[Reject] = []
        for item in parse_chunk(chunk, self._job.fields):
            if isinstance(item, Reject):
                self._reject(item, rejects)
            else:
                records.append(item)
        tagged, counts, kept = self._tag(records, rejects)
        for reject in rejects:
            counts.rejects[reject.reason] += 1
        rejects.sort(key=lambda reject: reject.number)
        if not self._job.dedupe:
            return Result(self.output.encode(tagged), [], [], rejects, counts)
        from topicml.batch.near_duplicates import signature

        return Result(b"", tagged, [signature(r.text) for r in kept], rejects, counts)

    def _tag(
        self, records: list[Record], rejects: list[Reject]
    ) -> tuple[list[dict[str, Any]], Counts, list[Record]]:
        outcomes, counts = tag_guarded(self._tagger, records, self._job.seconds)
        tagged, kept = [], []
        for record, outcome in zip(records, outcomes, strict=True):
            if isinstance(outcome, Failure):
                raw = record.text.encode("utf-8", "surrogatepass")
                self._reject(make_reject(record.source, record.number, outcome, raw), rejects)
            else:
                tagged.append(outcome)
                kept.append(record)
        return tagged, counts, kept

    def _reject(self, reject: Reject, rejects: list[Reject]) -> None:
        if self._job.strict:
            raise StrictError(
                f"{reject.reason}: {reject.detail}",
                where=f"{reject.source}:{reject.number}",
                hint="Mend the record, or run without --strict to set such records aside.",
            )
        rejects.append(reject)


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Keep Python from looking for garbage in cycles: a chunk's objects are many, and in none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
