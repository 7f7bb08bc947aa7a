"""What comes before a run, on whatever engine: inputs found, model proven, job checked."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

from topicml.batch.checkpoint import checkpoint_path, read_identity
from topicml.batch.job import Job, make_output
from topicml.batch.opened import Opened, open_models
from topicml.batch.progress import ProgressReporter
from topicml.errors import OutputError
from topicml.files import beside, check_not_input, check_output, is_device
from topicml.io.sources import Source, find_sources, measure
from topicml.io.writers.output import output_kind
from topicml.io.writers.writer import check_kept
from topicml.scoring import compiler
from topicml.scoring.backends import Backend, backend_for

_NOTHING = io.BytesIO()
_READ_AT_ONCE = 64_000  # bytes that a network reads between one line of progress and the next
_LONG = 60.0  # seconds from which on a run is announced
_LINEAR = 8_000_000  # bytes a second that a linear model reads at least, compiled


class Prepared(NamedTuple):
    """A job that can run.

    Attributes:
        job: With the backend that scores.
        opened: What it is done with, proven.
        sources: Files of the inputs.
        stdin: What ``-`` stands for.
        size: Bytes of all inputs, or None where that is not known.
    """

    job: Job
    opened: Opened
    sources: list[Source]
    stdin: BinaryIO
    size: int | None


def prepare(job: Job, reporter: ProgressReporter, stdin: BinaryIO = _NOTHING) -> Prepared:
    """Find the inputs, and check all that would end a run half-way.

    A short standard input is read whole, so that how long it is can be known.

    Raises:
        InputError: An input is missing, or not what it is said to be; a field cannot be kept.
        MissingExtraError: No input can be read for want of a package.
        ModelError: The model is damaged, or lacks the thresholds asked for.
        OutputError: The output is of no known kind, or something else would be lost to it.
    """
    output_kind(job.output)
    sources = find_sources(job.inputs, job.read_options(), job.input_format, note=reporter.note)
    _check_written(job, [Path(source.path) for source in sources if source.path])
    stdin, size = measure(sources, stdin)
    opened = open_models(job)
    check_kept(make_output(job, opened.model))
    backend = _choose_backend(job, opened, size, reporter)
    job = replace(job, backend=backend, block_bytes=_block_bytes(job, opened))
    opened.prove(backend)
    if line := _estimate(opened, job.second_share, size):
        reporter.note(line)
    return Prepared(job, opened, sources, stdin, size)


def _check_written(job: Job, inputs: Sequence[Path]) -> None:
    """Make sure that nothing is written over an input, another output, or a file that was given.

    Raises:
        OutputError: Something would be.
    """
    output = None if job.output == "-" else Path(job.output)
    written = [output, beside(output, ".summary.json")] if output else []
    if job.rejects or output:
        written.append(job.rejects_path())
    for path in written:
        check_not_input(path, inputs)
    files = [path.resolve() for path in written if not is_device(path)]
    if len({*files}) < len(files):
        raise OutputError("is written twice", where=written[-1], hint="Give another --rejects.")
    if job.rejects and not is_device(job.rejects):
        resumes = output is not None and checkpoint_path(output).exists()
        check_output(job.rejects, (), force=job.force or resumes)


def _choose_backend(
    job: Job, opened: Opened, size: int | None, reporter: ProgressReporter
) -> Backend:
    """Return what scores the whole run, and say so where it has to be compiled first.

    A run that goes on keeps what it began with.
    """
    if opened.model.scorer.uses_all_cores:
        return "reference"  # for its words are counted in no time, compared to its reading
    begun = {} if job.force or job.output == "-" else read_identity(Path(job.output))
    backend: Backend = begun.get("backend") or backend_for(size)
    if backend == "compiled" and not compiler.is_compiled_kept():
        reporter.note("compiling the scoring kernel, once for this machine: about 12 s")
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
        f"{duration(size * share / speed)} for this input, longer if it is compressed "
        f"(a linear model: about {duration(size / _LINEAR)})"
    )


def duration(seconds: float) -> str:
    """Return a length of time in whole seconds, minutes or hours, as one says it."""
    for unit, length in (("hour", 3600), ("minute", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.0f} {unit}s"
    return f"{max(1, seconds):.0f} seconds"
