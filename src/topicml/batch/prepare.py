"""What comes before a run, on whatever engine: inputs found, model proven, job checked."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

from topicml.batch.checkpoint import checkpoint_path, read_identity
from topicml.batch.job import Job, check_kept, make_tagger
from topicml.batch.progress import ProgressReporter
from topicml.batch.worker import open_proven
from topicml.errors import OutputError
from topicml.files import beside, check_not_input, check_output, is_device
from topicml.io.sources import Source, find_sources, measure
from topicml.io.writers.output import output_kind
from topicml.models.folder import Model
from topicml.scoring import compiler
from topicml.scoring.backends import Backend, backend_for

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
        OutputError: The output is of no known kind, or something else would be lost to it.
    """
    output_kind(job.output)
    sources = find_sources(job.inputs, job.read_options(), job.input_format, note=reporter.note)
    _check_written(job, [Path(source.path) for source in sources if source.path])
    stdin, size = measure(sources, stdin)
    job = replace(job, backend=_choose_backend(job, size, reporter))
    model = open_proven(job.model, job.backend)
    check_kept(job, model)
    make_tagger(job, model)
    return Prepared(job, model, sources, stdin, size)


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


def _choose_backend(job: Job, size: int | None, reporter: ProgressReporter) -> Backend:
    """Return what scores the whole run, and say so where it has to be compiled first.

    A run that goes on keeps what it began with.
    """
    begun = {} if job.force or job.output == "-" else read_identity(Path(job.output))
    backend: Backend = begun.get("backend") or backend_for(size)
    if backend == "compiled" and not compiler.is_compiled_kept():
        reporter.note("compiling the scoring kernel, once for this machine: about 12 s")
    return backend
