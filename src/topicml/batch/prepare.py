"""What comes before a run, on whatever engine: inputs found, model proven, job checked."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

from topicml.batch.checkpoint import Checkpoint, is_unfinished, read_identity
from topicml.batch.job import Job, check_partitions, make_output
from topicml.batch.opened import Opened, open_models
from topicml.batch.progress import ProgressReporter
from topicml.errors import check_known
from topicml.files import check_apart, check_new, check_outside, path_of
from topicml.io.sources import Source, find_sources, measure, paths_of
from topicml.io.writers.output import output_kind
from topicml.io.writers.writer import check_kept
from topicml.scoring import compiler
from topicml.scoring.backends import Backend, backend_for

_NOTHING = io.BytesIO()
_READ_AT_ONCE = 64_000  # bytes that a network reads between one line of progress and the next
_LONG = 60.0  # seconds from which on a run is announced
_RECORD = 10_000  # bytes of a record of news, more or less
_LINEAR = 8_000_000  # bytes a second that a linear model reads at least, compiled


class Prepared(NamedTuple):
    """A job that can run.

    Attributes:
        job: With the backend that scores.
        opened: What it is done with, proven.
        sources: Files of the inputs.
        stdin: What ``-`` stands for.
        size: Bytes of all inputs that are read, or None where that is not known.
    """

    job: Job
    opened: Opened
    sources: list[Source]
    stdin: BinaryIO
    size: int | None


def prepare(
    job: Job,
    reporter: ProgressReporter,
    stdin: BinaryIO = _NOTHING,
    stdout: BinaryIO = _NOTHING,
) -> Prepared:
    """Find the inputs, check all that would end a run half-way, and prove the model.

    A short standard input is read whole, so that how long it is can be known.

    Raises:
        ModelError: The model is damaged, or lacks the thresholds asked for.
        TopicmlError: See ``check``.
    """
    prepared = check(job, reporter, stdin, stdout)
    job, opened = prepared.job, prepared.opened
    if job.backend == "compiled" and not compiler.is_compiled_kept():
        reporter.note("compiling the kernels, once for this machine: about 20 s")
    opened.prove(job.backend)
    size = _text_size(job, prepared.size)
    if size and job.shard:
        size //= job.shard.count
    if line := _estimate(opened, job.second_share, size):
        reporter.note(line)
    return prepared


def check(
    job: Job,
    reporter: ProgressReporter,
    stdin: BinaryIO = _NOTHING,
    stdout: BinaryIO = _NOTHING,
) -> Prepared:
    """Find the inputs, and check all of a job but what its model computes.

    A short standard input is read whole, so that how long it is can be known.

    Raises:
        InputError: An input is missing, or not what it is said to be; a field cannot be kept;
            the model does not know a topic.
        MissingExtraError: No input can be read for want of a package.
        ModelError: The model is damaged, or lacks the thresholds asked for.
        OutputError: The output is of no known kind, or something else would be lost to it.
    """
    output_kind(job.output)
    check_partitions(job)
    sources = find_sources(
        job.inputs,
        job.read_options(),
        job.input_format,
        follow_links=job.follow_links,
        note=reporter.note,
    )
    _check_written(job, sources, stdin, stdout)
    stdin, size = measure(sources, stdin)
    opened = open_models(job)
    check_kept(make_output(job, opened.model))
    check_known(job.topics, opened.model.scorer.topics, "--topics")
    backend = _choose_backend(job, opened, _text_size(job, size))
    job = replace(job, backend=backend, block_bytes=_block_bytes(job, opened))
    if job.limit is not None:
        size = None
    return Prepared(job, opened, sources, stdin, size)


def _check_written(job: Job, sources: Sequence[Source], stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Make sure that nothing is written over an input, another output, or a file that was given.

    Raises:
        OutputError: Something would be.
    """
    output, resumes = job.output_path(), False
    rejects = job.rejects if job.streams else job.rejects_path()
    others = [path for path in (job.summary_path(), rejects) if path]
    options = {p: n for p, n in ((job.summary, "--summary"), (job.rejects, "--rejects")) if p}
    if job.streams:
        made = path_of(stdout) if job.output == "-" else [output]
    else:
        made, resumes = make_checkpoint(job).files(), is_unfinished(output)
    read = [*paths_of(sources, stdin), *([job.config] if job.config else [])]
    check_apart([*others, *made], read, options)
    if job.partition_by:
        check_outside(output, [*others, *read])
    job.uploads().check(sources, force=job.force or resumes)
    if not _is_folder(output):  # on a cluster it is one, and told of by what shares it out
        check_new([*([] if job.streams else [output]), *others], force=job.force or resumes)


def make_checkpoint(job: Job) -> Checkpoint:
    """Return the files in the making of a job whose output is no stream."""
    paths = job.output_path(), job.rejects_path()
    return Checkpoint(*paths, job.uploads(), is_folder=bool(job.partition_by))


def _is_folder(path: Path) -> bool:
    with suppress(OSError):
        return path.is_dir()
    return False


def _text_size(job: Job, size: int | None) -> int | None:
    """Return how many bytes of text are read, of inputs of this size, about."""
    if job.limit is None:
        return size
    limited = job.limit * _RECORD
    return limited if size is None else min(limited, size)


def _choose_backend(job: Job, opened: Opened, size: int | None) -> Backend:
    """Return what scores the whole run.

    A run that goes on keeps what it began with.
    """
    if opened.model.scorer.uses_all_cores:
        return "reference"  # for its words are counted in no time, compared to its reading
    begun = {} if job.force or job.output == "-" else read_identity(job.output_path())
    backend: Backend = begun.get("backend") or backend_for(size)
    return backend


def _read_share(opened: Opened, share: float) -> float:
    """Return how much of the text a model reads that is far slower than all else; 0 for none."""
    if opened.model.scorer.uses_all_cores:
        return 1.0
    return share if opened.second and opened.second.scorer.uses_all_cores else 0.0


def _block_bytes(job: Job, opened: Opened) -> int:
    """Return how much is worked on at a time: less where it takes long, for what a kill costs."""
    share = _read_share(opened, job.second_share)
    return min(job.block_bytes, int(_READ_AT_ONCE / share)) if share else job.block_bytes


def _estimate(opened: Opened, share: float, size: int | None) -> str | None:
    """Say how long a network will take, by how fast it has just read; None where that is soon."""
    share = _read_share(opened, share)
    slow = next((m for m in opened[:2] if m and m.scorer.uses_all_cores), opened.model)
    speed = slow.scorer.bytes_per_second
    if size is None or speed is None or size * share / speed < _LONG:
        return None
    return (
        f"{slow.reference} reads {speed / 1000:,.1f} KB of text a second here: about "
        f"{_duration(size * share / speed)} for this input, longer if it is compressed "
        f"(a linear model: about {_duration(size / _LINEAR)})"
    )


def _duration(seconds: float) -> str:
    """Return a length of time in whole seconds, minutes or hours, as one says it."""
    for unit, length in (("hours", 3600), ("minutes", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds" if seconds >= 1.5 else "a second"
