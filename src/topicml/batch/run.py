"""A batch run on one machine: blocks through a worker or several, in order, resumable."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, BinaryIO

from topicml.batch.checkpoint import Checkpoint
from topicml.batch.engines.local import work_on
from topicml.batch.job import Job, make_output
from topicml.batch.near_duplicates import DuplicateIndex
from topicml.batch.opened import Opened
from topicml.batch.prepare import Prepared, make_checkpoint, prepare
from topicml.batch.progress import Progress, ProgressReporter
from topicml.batch.repeated_ids import SeenIds
from topicml.batch.summary import Counts, make_summary, write_summary
from topicml.batch.tolerance import TooManyRejectsError, check_rejects
from topicml.batch.worker import Result
from topicml.errors import InputError
from topicml.files import open_stream, remove_folder, replacing, writing
from topicml.io.blocks import Block
from topicml.io.readers import read_blocks
from topicml.io.records import counted, reject_lines
from topicml.io.sources import Source, size_of, version_of
from topicml.io.writers.partitions import Partitions, write_partitions
from topicml.io.writers.writer import Writer
from topicml.models.folder import Model
from topicml.stopping import check_stopped

_OPTIONS_THAT_MAY_CHANGE = (
    *("inputs", "follow_links", "output", "model", "second", "jobs", "force", "summary"),
    *("config", "work", "seconds", "max_rejects", "strict"),
)


def run_batch(
    job: Job, stdin: BinaryIO, stdout: BinaryIO, reporter: ProgressReporter
) -> dict[str, Any]:
    """Tag a dump.

    Args:
        job: What to do. ``backend`` is chosen here: the compiled one where there is enough text
            and it can be had.
        stdin: Read where an input is ``-``.
        stdout: Written to where the output is ``-``.
        reporter: Told of progress after each block.

    Returns:
        The summary, as it stands in ``OUT.summary.json``.

    Raises:
        InputError: An input is missing, or an unfinished run there is another one.
        OutputError: The output cannot be written.
        ModelError: The model is damaged.
        StrictError: A record cannot be tagged, and ``strict`` was asked for.
        WorkerError: A worker process was killed twice over the same records.
        TooManyRejectsError: More records cannot be tagged than ``max_rejects``, or none can.
    """
    run = _Run(prepare(job, reporter, stdin, stdout), reporter)
    try:
        if job.output == "-":
            run.stream(stdout)
        elif run.checkpoint is None:
            with replacing(job.output_path()) as device:
                run.stream(device)
        else:
            return run.write(run.checkpoint)
    except TooManyRejectsError:
        run.sum_up(exit_code=1)
        raise
    return run.sum_up()


class _Run:
    """One run of a prepared job.

    Attributes:
        checkpoint: Of its output; None where that is no file.
    """

    def __init__(self, prepared: Prepared, reporter: ProgressReporter) -> None:
        self._job, self._opened, self._sources, self._stdin, self._total = prepared
        self._reporter = reporter
        self._started, self._before = time.monotonic(), 0.0
        self._counts, self._seen = Counts(), 0
        self._duplicates = DuplicateIndex()  # asked nothing without --dedupe
        self._ids = SeenIds()
        self._writer = Writer(make_output(self._job, self._opened.model))
        job = self._job
        self._partitions = Partitions(self._writer.output, job.output_path())
        self.checkpoint = None if job.streams else make_checkpoint(job)

    def stream(self, stdout: BinaryIO) -> None:
        """Write to standard output as it comes, and rejects where they were asked to go."""
        path = self._job.rejects
        with contextlib.ExitStack() as stack:
            if path:
                with writing(path):
                    rejects = stack.enter_context(open_stream(path))
            stdout.write(self._writer.header())
            for block, result in self._results(stack, self._blocks()):
                stdout.write(self._piece(result))
                stdout.flush()
                if path:
                    rejects.write(reject_lines(result.rejects))
                else:
                    for reject in result.rejects:
                        self._reporter.reject(reject)
                self._advance(block.size, result.counts)
            self._check_rejects(at_end=True)
            stdout.write(self._writer.footer())

    def write(self, made: Checkpoint) -> dict[str, Any]:
        """Write a file with a checkpoint beside it, from which the run can go on.

        It is there until all else is, so that a kill at any moment leaves the rest to be done.
        """
        made.check_new(force=self._job.force)
        blocks = self._blocks()
        first = next(blocks, None)  # so that a wrong field on a pipe leaves no files behind
        identity = make_identity(self._job, self._opened, self._sources)
        with made.opened(identity, force=self._job.force) as checkpoint:
            self._recall(checkpoint)
            if not checkpoint.is_finished:
                undone = self._undone(checkpoint, itertools.chain([first] if first else [], blocks))
                self._work(checkpoint, undone)
                self._check_rejects(at_end=True)
                self._finish(checkpoint)
            summary = self.sum_up()
            checkpoint.end()
        return summary

    def sum_up(self, *, exit_code: int | None = None) -> dict[str, Any]:
        """Write the summary, and return it; see ``make_summary``."""
        seconds = self._seconds()
        job = self._job
        summary = make_summary(job, self._opened, self._counts, seconds, exit_code=exit_code)
        write_summary(summary, job.summary_path())
        job.uploads().send(job.summary_path())
        return summary

    def _seconds(self) -> float:
        return self._before + time.monotonic() - self._started

    def _recall(self, checkpoint: Checkpoint) -> None:
        """Take in what an earlier run has done."""
        for entry in checkpoint.done:
            self._counts.add(Counts.from_dict(entry["counts"]))
            self._seen += entry["size"]
        if not checkpoint.done:
            return
        if self._job.partition_by and not checkpoint.is_finished:
            for piece in _pieces(checkpoint):
                self._partitions.add(piece)
        self._before = checkpoint.done[-1]["seconds"]
        done = f"{counted(self._counts.read, 'record')}, {counted(self._seen, 'byte')} of the input"
        self._reporter.note(f"going on where an unfinished run was: {done} are done")
        self._check_rejects()

    def _work(self, checkpoint: Checkpoint, blocks: Iterator[Block]) -> None:
        is_resumed = bool(checkpoint.done)
        with contextlib.ExitStack() as stack:
            for block, result in self._results(stack, blocks):
                piece = self._piece(result)
                if not checkpoint.done:
                    piece = self._writer.header() + piece
                found = zip(result.records, result.signatures, strict=True)
                marks = [[record["id"], signature.hex()] for record, signature in found]
                entry = {
                    "input": block.digest,
                    "size": block.size,
                    "piece": len(piece),
                    "counts": result.counts.to_dict(),
                    "seconds": self._seconds(),
                    "marks": marks,
                    "ids": base64.b64encode(result.ids).decode("ascii"),
                }
                self._partitions.add(piece)
                checkpoint.commit(piece, reject_lines(result.rejects), entry)
                self._advance(block.size, result.counts, is_resumed=is_resumed)

    def _blocks(self) -> Iterator[Block]:
        return read_blocks(
            self._sources,
            self._job.read_options(),
            self._stdin,
            block_bytes=self._job.block_bytes,
            note=self._reporter.note,
        )

    def _results(
        self, stack: contextlib.ExitStack, blocks: Iterator[Block]
    ) -> Iterator[tuple[Block, Result]]:
        results = work_on(self._job, self._opened, blocks, self._reporter.note)
        return stack.enter_context(contextlib.closing(results))

    def _piece(self, result: Result) -> bytes:
        """Return a block's piece as it stands in the output; mark and count what was there."""
        for record, signature in zip(result.records, result.signatures, strict=True):
            record["duplicate_of"] = self._duplicates.first_of(record["id"], signature)
            result.counts.duplicates += record["duplicate_of"] is not None
        result.counts.repeated_ids += self._ids.add(result.ids)
        piece = result.piece or self._writer.encode(result.records)
        return self._writer.join(self._counts.written > 0, piece)

    def _advance(self, size: int, counts: Counts, *, is_resumed: bool = False) -> None:
        self._counts.add(counts)
        self._seen += size
        check_stopped()
        seconds = self._seconds()
        self._reporter.update(Progress(self._seen, self._total, self._counts, is_resumed, seconds))
        self._check_rejects()

    def _check_rejects(self, *, at_end: bool = False) -> None:
        most, counts = self._job.max_rejects, self._counts
        kept = self.checkpoint.rejects_part if self.checkpoint else None
        check_rejects(counts.rejects, counts.read, most, at_end=at_end, kept=kept)

    def _undone(self, checkpoint: Checkpoint, blocks: Iterator[Block]) -> Iterator[Block]:
        """Yield the blocks that are still to be done, after a look at those that are."""
        done = len(checkpoint.done)
        count = 0
        for number, block in enumerate(blocks):
            count = number + 1
            if number < done:
                checkpoint.check_block(number, block.digest, block.items[0].source)
                self._ids.add(base64.b64decode(checkpoint.done[number]["ids"]))
                for identifier, signature in checkpoint.done[number]["marks"]:
                    self._duplicates.first_of(identifier, bytes.fromhex(signature))
            else:
                yield block
        if count < done:
            raise InputError(
                "the input is shorter than it was when the unfinished run here read it",
                where=checkpoint.output,
                hint="Start over with --force, or give another output.",
            )

    def _finish(self, checkpoint: Checkpoint) -> None:
        if not checkpoint.done:  # no record at all
            checkpoint.append(self._writer.header())
        checkpoint.append(self._writer.footer())
        if self._writer.output.format != "parquet":
            checkpoint.finish(checkpoint.part)
            return
        if self._job.partition_by:
            remove_folder(checkpoint.made)
            write_partitions(_pieces(checkpoint), self._writer.output, checkpoint.made)
        else:
            with checkpoint.made.open("wb") as out:
                self._writer.write(_pieces(checkpoint), out)
        checkpoint.finish(checkpoint.made)


def _pieces(checkpoint: Checkpoint) -> Iterator[bytes]:
    with checkpoint.part.open("rb") as part:
        for entry in checkpoint.done:
            yield part.read(entry["piece"])


def make_identity(job: Job, opened: Opened, sources: Sequence[Source]) -> dict[str, Any]:
    """Return all that makes a run what it is."""
    inputs = [[source.name, size_of(source), version_of(source)] for source in sources]
    options = asdict(job)
    for name in _OPTIONS_THAT_MAY_CHANGE:
        del options[name]
    options["rejects"] = job.rejects and str(job.rejects.absolute())
    identity = {
        "inputs": inputs,
        "model": _identity_of(opened.model),
        "second": _identity_of(opened.second),
        **options,
    }
    # as JSON has it, so that it equals what is read back
    same: dict[str, Any] = json.loads(json.dumps(identity))
    return same


def _identity_of(model: Model | None) -> dict[str, Any] | None:
    return {"name": model.reference, "files": model.manifest["files"]} if model else None
