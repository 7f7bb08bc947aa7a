"""A batch run on one machine: blocks through a worker or several, in order, resumable."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from topicml.batch.checkpoint import Checkpoint, checkpoint_path
from topicml.batch.engines.local import work_on
from topicml.batch.job import Job, make_output
from topicml.batch.near_duplicates import DuplicateIndex
from topicml.batch.prepare import Prepared, prepare
from topicml.batch.progress import Progress, ProgressReporter
from topicml.batch.repeated_ids import SeenIds
from topicml.batch.summary import Counts, make_summary, write_summary
from topicml.batch.worker import Result
from topicml.errors import InputError
from topicml.files import beside, check_output, is_device, replacing, writing
from topicml.io.blocks import Block
from topicml.io.readers import read_blocks
from topicml.io.records import reject_lines
from topicml.io.writers.writer import Writer
from topicml.models.folder import Model

_OPTIONS_THAT_MAY_CHANGE = (
    *("inputs", "output", "model", "second", "jobs", "force", "rejects", "seconds"),
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
    """
    run = _Run(prepare(job, reporter, stdin), reporter)
    if job.output == "-":
        return run.stream(stdout)
    path = Path(job.output)
    if not is_device(path):
        return run.write(path)
    with replacing(path) as device:
        return run.stream(device)


class _Run:
    """One run of a prepared job."""

    def __init__(self, prepared: Prepared, reporter: ProgressReporter) -> None:
        self._job, self._opened, self._sources, self._stdin, self._total = prepared
        self._reporter = reporter
        self._started = time.monotonic()
        self._counts, self._seen = Counts(), 0
        self._duplicates = DuplicateIndex()  # asked nothing without --dedupe
        self._ids = SeenIds()
        self._writer = Writer(make_output(self._job, self._opened.model))

    def stream(self, stdout: BinaryIO) -> dict[str, Any]:
        """Write to standard output as it comes, and rejects where they were asked to go."""
        path = self._job.rejects
        with contextlib.ExitStack() as stack:
            if path:
                with writing(path):
                    rejects = stack.enter_context(path.open("wb"))
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
            stdout.write(self._writer.footer())
        return self._summary(0.0)

    def write(self, path: Path) -> dict[str, Any]:
        """Write a file with a checkpoint beside it, from which the run can go on."""
        resumes = checkpoint_path(path).exists()
        check_output(path, (), force=self._job.force or resumes)
        blocks = self._blocks()
        first = next(blocks, None)  # so that a wrong field on a pipe leaves no files behind
        made = Checkpoint(path, self._job.rejects_path())
        with made.opened(self._identity(), force=self._job.force) as checkpoint:
            before = self._recall(checkpoint)
            if not checkpoint.is_finished:
                undone = self._undone(checkpoint, itertools.chain([first] if first else [], blocks))
                self._work(checkpoint, undone, before)
                self._finish(checkpoint)
            summary = self._summary(before)
            write_summary(summary, path)
        return summary

    def _recall(self, checkpoint: Checkpoint) -> float:
        """Take in what an earlier run has done; return the seconds that it took."""
        for entry in checkpoint.done:
            self._counts.add(Counts.from_dict(entry["counts"]))
            self._seen += entry["size"]
        return checkpoint.done[-1]["seconds"] if checkpoint.done else 0.0

    def _work(self, checkpoint: Checkpoint, blocks: Iterator[Block], before: float) -> None:
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
                    "seconds": before + time.monotonic() - self._started,
                    "marks": marks,
                    "ids": base64.b64encode(result.ids).decode("ascii"),
                }
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
        return stack.enter_context(contextlib.closing(work_on(self._job, self._opened, blocks)))

    def _piece(self, result: Result) -> bytes:
        """Return a block's piece as it stands in the output; mark and count what was there."""
        for record, signature in zip(result.records, result.signatures, strict=True):
            record["duplicate_of"] = self._duplicates.first_of(record["id"], signature)
            result.counts.duplicates += record["duplicate_of"] is not None
        result.counts.repeated_ids += self._ids.add(result.ids)
        piece = result.piece or self._writer.encode(result.records)
        return self._writer.join(self._counts.records > 0, piece)

    def _advance(self, size: int, counts: Counts, *, is_resumed: bool = False) -> None:
        self._counts.add(counts)
        self._seen += size
        self._reporter.update(Progress(self._seen, self._total, self._counts, is_resumed))

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
        made = beside(checkpoint.output, ".made")
        with checkpoint.part.open("rb") as part, made.open("wb") as out:
            self._writer.write((part.read(entry["piece"]) for entry in checkpoint.done), out)
        checkpoint.finish(made)

    def _summary(self, before: float) -> dict[str, Any]:
        seconds = before + time.monotonic() - self._started
        return make_summary(self._job, self._opened, self._counts, seconds)

    def _identity(self) -> dict[str, Any]:
        """Return all that makes this run what it is."""
        inputs = []
        for source in self._sources:
            found = Path(source.path).stat() if source.path else None
            inputs.append([source.name, found and found.st_size, found and found.st_mtime_ns])
        options = asdict(self._job)
        for name in _OPTIONS_THAT_MAY_CHANGE:
            del options[name]
        identity = {
            "inputs": inputs,
            "model": _identity_of(self._opened.model),
            "second": _identity_of(self._opened.second),
            **options,
        }
        # as JSON has it, so that it equals what is read back
        same: dict[str, Any] = json.loads(json.dumps(identity))
        return same


def _identity_of(model: Model | None) -> dict[str, Any] | None:
    return {"name": model.reference, "files": model.manifest["files"]} if model else None
