"""What a batch run is to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from topicml.errors import InputError
from topicml.files import beside
from topicml.io.records import Fields
from topicml.io.writers.shards import Output, output_kind
from topicml.models.folder import Model
from topicml.tagging.articles import Unit, thresholds_for_precision
from topicml.tagging.tagger import FIELDS, Detail

BLOCK_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Job:
    """All that makes a run what it is.

    Attributes:
        inputs: Files, globs, folders, or ``-`` for standard input.
        output: File to make, or ``-`` for standard output.
        model: Folder of the model.
        fields: Which fields of a record are what.
        detail: How much is said of each record.
        unit: ``sentence`` takes each text as one sentence.
        min_precision: Give fewer, surer tags.
        input_format: How inputs are to be read whatever their names.
        dedupe: Say which records are near copies of earlier ones.
        seconds: What one record may take.
        jobs: Number of processes; 1 works in this one.
        force: Start over and replace what is there.
        strict: Stop at the first record that cannot be tagged.
        rejects: File for rejected records; None for one beside the output.
        block_bytes: Input that is worked on at a time.
    """

    inputs: tuple[str, ...]
    output: str
    model: Path
    fields: Fields = field(default_factory=Fields)
    detail: Detail = "sentence"
    unit: Unit = "article"
    min_precision: float | None = None
    input_format: str | None = None
    dedupe: bool = False
    seconds: float = 60.0
    jobs: int = 1
    force: bool = False
    strict: bool = False
    rejects: Path | None = None
    block_bytes: int = BLOCK_BYTES

    def rejects_path(self) -> Path:
        """Return the file for rejected records, where the output is one."""
        return self.rejects or beside(Path(self.output), ".rejects.jsonl")


def check_kept(job: Job, model: Model) -> None:
    """Make sure that no field that is carried through has the name of one that is written.

    Raises:
        InputError: One has.
    """
    clash = sorted({*job.fields.keep} & {*FIELDS, *model.scorer.topics})
    if clash:
        raise InputError(
            f"field {clash[0]!r} cannot be kept: the output has a field of that name",
            hint="Rename it in the input.",
        )


def make_output(job: Job, model: Model) -> Output:
    """Return what a job writes."""
    kind, compression = output_kind(job.output)
    topics, keep = model.scorer.topics, job.fields.keep
    return Output(kind, compression, job.detail, topics, keep, job.dedupe)


def job_thresholds(job: Job, model: Model) -> NDArray[np.float64] | None:
    """Return the thresholds that a job asks for, None for the model's own.

    Raises:
        ModelError: The model has none for a precision as high as that.
    """
    if job.min_precision is None:
        return None
    return thresholds_for_precision(model.scorer, job.min_precision)
