"""What comes before a run, on whatever engine: inputs found, model proven, job checked."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from topicml.batch.checkpoint import read_identity
from topicml.batch.job import Job, check_kept, make_tagger
from topicml.batch.progress import ProgressReporter
from topicml.batch.worker import open_proven
from topicml.io.readers import check_sources
from topicml.io.sources import Source, list_sources
from topicml.io.writers.output import output_kind
from topicml.models.folder import Model
from topicml.scoring import compiler
from topicml.scoring.backends import BULK, BULK_TO_COMPILE, Backend

_NOTHING = io.BytesIO()


class Prepared(NamedTuple):
    """A job that can run.

    Attributes:
        job: With the backend that scores.
        model: Opened and proven.
        sources: Files of the inputs.
        stdin: What ``-`` stands for.
        size: Bytes of all inputs, or None where that is not known.
    """

    job: Job
    model: Model
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
        OutputError: The output is of no known kind.
    """
    output_kind(job.output)
    sources = _find_sources(job, reporter)
    if any(source.path is None for source in sources):
        stdin, length = _measured(stdin)
    else:
        length = 0
    size = _total_bytes(sources, length)
    job = replace(job, backend=_choose_backend(job, size, reporter))
    model = open_proven(job.model, job.backend)
    check_kept(job, model)
    make_tagger(job, model)
    return Prepared(job, model, sources, stdin, size)


def _find_sources(job: Job, reporter: ProgressReporter) -> list[Source]:
    """Return the files of a job's inputs, after a look at the start of each.

    Raises:
        InputError: One is missing, or not what it is said to be.
        MissingExtraError: None can be read for want of a package.
    """
    listing = list_sources(job.inputs, job.input_format)
    if listing.errors:
        raise listing.errors[0]
    for line in listing.notes():
        reporter.note(line)
    return check_sources(listing.sources, job.read_options())


def _measured(stdin: BinaryIO) -> tuple[BinaryIO, int | None]:
    """Return a stream of the same bytes, and how many they are where they are few."""
    head = stdin.read(BULK)
    if len(head) < BULK:
        return io.BytesIO(head), len(head)
    return io.BufferedReader(_Prepended(head, stdin)), None


class _Prepended(io.RawIOBase):
    """Bytes that were read already, and then the stream they were read from."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._head[: len(buffer)] or self._rest.read(len(buffer))
        self._head = self._head[len(data) :]
        buffer[: len(data)] = data
        return len(data)


def _total_bytes(sources: Sequence[Source], stdin_length: int | None) -> int | None:
    """Return the bytes of all inputs, or None where that is not known, as of a pipe."""
    paths = [Path(source.path) for source in sources if source.path]
    if stdin_length is None or not all(path.is_file() for path in paths):
        return None
    return stdin_length + sum(path.stat().st_size for path in paths)


def _choose_backend(job: Job, size: int | None, reporter: ProgressReporter) -> Backend:
    """Return what scores the whole run, and say so where it has to be compiled first.

    A run that goes on keeps what it began with.
    """
    begun = None if job.force or job.output == "-" else read_identity(Path(job.output))
    is_kept = compiler.is_compiled_kept()
    enough = BULK if is_kept else BULK_TO_COMPILE
    is_small = size is not None and size < enough
    backend: Backend = "reference" if is_small or not compiler.is_usable() else "compiled"
    backend = begun.get("backend", backend) if begun else backend
    if backend == "compiled" and not is_kept:
        reporter.note("compiling the scoring kernel, once for this machine: about 12 s")
    return backend
