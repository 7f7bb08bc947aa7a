"""A batch run on one machine: chunks through worker processes, in order, to be gone on with."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from topicml.batch.checkpoint import Ledger, ledger_path
from topicml.batch.engines.local import Result, work_on
from topicml.batch.job import Job, check_kept, job_thresholds, make_output
from topicml.batch.summary import make_summary, write_summary
from topicml.errors import InputError
from topicml.files import beside
from topicml.io.records import Chunk, reject_lines
from topicml.io.sources import Source, list_sources, read_chunks
from topicml.io.writers.shards import Output, assemble_parquet
from topicml.models.folder import Model, check_golden, open_model
from topicml.tagging.tagger import Counts


class Progress(NamedTuple):
    """How far a run is: bytes read of the inputs, bytes in all (None if not known), counts."""

    bytes_read: int
    bytes_in_all: int | None
    counts: Counts
    is_resumed: bool


def run_batch(
    job: Job, stdin: BinaryIO, stdout: BinaryIO, watch: Callable[[Progress], None]
) -> dict[str, Any]:
    """Tag a dump.

    Args:
        job: What to do.
        stdin: Read where an input is ``-``.
        stdout: Written to where the output is ``-``.
        watch: Told of progress after each chunk.

    Returns:
        The summary, as it stands in ``OUT.summary.json``.

    Raises:
        InputError: An input is missing, or an unfinished run there is another one.
        OutputError: The output cannot be written.
        ModelError: The model is damaged.
        StrictError: A record cannot be tagged, and ``strict`` was asked for.
    """
    model = open_model(job.model)
    if job.jobs == 1:
        model.scorer.use("compiled")  # it will do the work, so it is what is checked
    check_golden(model)
    check_kept(job, model)
    job_thresholds(job, model)  # or an error, before anything is written
    if job.output == "-":
        return _stream(job, model, stdin, stdout, watch)
    output = Path(job.output)
    if output.exists() and not job.force and not ledger_path(output).exists():
        raise InputError("exists already", where=output, hint="Replace it with --force.")
    return _write(job, model, output, stdin, watch)


def _stream(
    job: Job, model: Model, stdin: BinaryIO, stdout: BinaryIO, watch: Callable[[Progress], None]
) -> dict[str, Any]:
    """Write to standard output as it comes, and rejects where they were asked to go."""
    started, counts, seen = time.monotonic(), Counts(), 0
    chunks = read_input(job, stdin)
    in_all = input_size(list_sources(job.inputs, job.input_format))
    rejects = job.rejects and job.rejects.open("wb")
    output = make_output(job, model)
    stdout.write(output.header())
    with contextlib.closing(work_on(job, model, chunks)) as results:
        marker = _Marker(job)
        for chunk, result in results:
            stdout.write(marker.finish(result, output))
            stdout.flush()
            if rejects:
                rejects.write(reject_lines(result.rejects))
            counts.add(result.counts)
            seen += chunk.size
            watch(Progress(seen, in_all, counts, False))
    if rejects:
        rejects.close()
    return make_summary(job, model, counts, time.monotonic() - started)


def _write(
    job: Job, model: Model, path: Path, stdin: BinaryIO, watch: Callable[[Progress], None]
) -> dict[str, Any]:
    started = time.monotonic()
    read_ahead = read_input(job, stdin)
    first = next(read_ahead, None)  # so that a missing input or field leaves no files behind
    sources = list_sources(job.inputs, job.input_format)
    in_all = input_size(sources)
    output = make_output(job, model)
    with Ledger(
        path, job.rejects_path(), _identity(job, model, sources), force=job.force
    ) as ledger:
        counts, before, marker = Counts(), 0.0, _Marker(job)
        for entry in ledger.done:
            counts.add(Counts.from_dict(entry["counts"]))
            before = entry["seconds"]
        if not ledger.is_finished:
            chunks = _undone(ledger, _chain(first, read_ahead), marker)
            seen = sum(entry["size"] for entry in ledger.done)
            is_resumed = bool(ledger.done)
            with contextlib.closing(work_on(job, model, chunks)) as results:
                for chunk, result in results:
                    piece = marker.finish(result, output)
                    if not ledger.done:
                        piece = output.header() + piece
                    ledger.commit(
                        piece,
                        reject_lines(result.rejects),
                        {
                            "input": chunk.digest,
                            "size": chunk.size,
                            "piece": len(piece),
                            "counts": result.counts.to_dict(),
                            "seconds": before + time.monotonic() - started,
                            "marks": marker.last,
                        },
                    )
                    counts.add(result.counts)
                    seen += chunk.size
                    watch(Progress(seen, in_all, counts, is_resumed))
            _finish(ledger, output)
        summary = make_summary(job, model, counts, before + time.monotonic() - started)
        write_summary(summary, path)
    return summary


def _chain(first: Chunk | None, rest: Iterator[Chunk]) -> Iterator[Chunk]:
    if first is not None:
        yield first
        yield from rest


def _undone(ledger: Ledger, chunks: Iterator[Chunk], marker: _Marker) -> Iterator[Chunk]:
    """Yield the chunks that are still to be done, after a look at those that are."""
    done = len(ledger.done)
    count = 0
    for number, chunk in enumerate(chunks):
        count = number + 1
        if number < done:
            ledger.check_chunk(number, chunk.digest, chunk.source)
            marker.remember(ledger.done[number]["marks"])
        else:
            yield chunk
    if count < done:
        raise InputError(
            "the input is shorter than it was when the unfinished run here read it",
            where=ledger.output,
            hint="Start over with --force, or give another output.",
        )


def _finish(ledger: Ledger, output: Output) -> None:
    if not ledger.done:  # no record at all
        ledger.commit(
            output.header(),
            b"",
            {
                "input": "",
                "size": 0,
                "piece": 0,
                "seconds": 0.0,
                "counts": Counts().to_dict(),
                "marks": [],
            },
        )
    if output.format != "parquet":
        ledger.finish(ledger.part)
        return
    made = beside(ledger.output, ".made")
    lengths = [entry["piece"] for entry in ledger.done]
    assemble_parquet(ledger.part, lengths, output, made)
    ledger.finish(made)


class _Marker:
    """Marks near copies in the order of the input, where that was asked for."""

    def __init__(self, job: Job) -> None:
        self.last: list[list[str]] = []
        self._index = None
        if job.dedupe:
            from topicml.batch.near_duplicates import DuplicateIndex

            self._index = DuplicateIndex()

    def finish(self, result: Result, output: Output) -> bytes:
        """Return a chunk's piece of the output."""
        if self._index is None:
            return result.piece
        self.last = []
        for record, signature in zip(result.records, result.signatures, strict=True):
            record["duplicate_of"] = self._index.first_of(record["id"], signature)
            result.counts.duplicates += record["duplicate_of"] is not None
            self.last.append([record["id"], signature.hex()])
        return output.encode(result.records)

    def remember(self, marks: list[list[str]]) -> None:
        """Take in the records of a chunk that was done in an earlier run."""
        for identifier, signature in marks:
            if self._index is not None:
                self._index.first_of(identifier, bytes.fromhex(signature))


def read_input(job: Job, stdin: BinaryIO) -> Iterator[Chunk]:
    """Yield the chunks of a job's input; see ``sources.read_chunks``."""
    return read_chunks(
        job.inputs,
        job.fields,
        stdin,
        chunk_bytes=job.chunk_bytes,
        input_format=job.input_format,
    )


def input_size(sources: list[Source]) -> int | None:
    """Return the bytes of all input files, or None where that is not known."""
    paths = [source.path for source in sources]
    if any(path is None for path in paths):
        return None
    return sum(Path(path).stat().st_size for path in paths if path)


def _identity(job: Job, model: Model, sources: list[Source]) -> dict[str, Any]:
    inputs = []
    for source in sources:
        found = Path(source.path).stat() if source.path else None
        inputs.append([source.name, found and found.st_size, found and found.st_mtime_ns])
    options = asdict(job)
    for name in ("inputs", "output", "model", "jobs", "force", "rejects", "seconds"):
        del options[name]
    parts = {"inputs": inputs, "model": model.reference, "model_files": model.manifest["files"]}
    # as JSON has it, so that it equals what is read back
    identity: dict[str, Any] = json.loads(json.dumps({**parts, **options}))
    return identity
