"""What a batch run is to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from topicml.files import beside
from topicml.io.readers import BLOCK_BYTES
from topicml.io.records import Fields, ReadOptions
from topicml.io.writers.output import Output, output_kind
from topicml.models.folder import Model
from topicml.models.tagger import SHARE
from topicml.scoring.backends import Backend
from topicml.tagging.articles import Detail
from topicml.tagging.tagger import Unit


@dataclass(frozen=True, slots=True)
class Job:
    """All that makes a run what it is.

    Attributes:
        inputs: Files, globs, folders, or ``-`` for standard input.
        output: File to make, or ``-`` for standard output.
        model: Folder of the model.
        fields: Which fields of a record are what.
        encoding: Of the inputs; None to find out for each.
        raw_cells: Whether cells of CSV may be such as a spreadsheet would run.
        delimiter: Between the columns of CSV and TSV inputs; None to find out for each.
        has_header: Whether their first rows may be names of columns.
        detail: How much is said of each record.
        unit: ``sentence`` takes each text as one sentence.
        threshold: Probability from which on a topic is given; None for the model's own.
        min_precision: Give fewer, surer tags.
        relevance: Probability of having any topic under which none is given; None for the
            model's own.
        second: Folder of the model that reads again what the first is unsure of; None for none.
        second_share: Of ordinary sentences that it reads.
        input_format: How inputs are to be read whatever their names.
        dedupe: Say which records are near copies of earlier ones.
        seconds: What one record may take.
        jobs: Number of processes, or of threads of a model that computes on several cores by
            itself; None for one process, and for such a model all cores.
        force: Start over and replace what is there.
        strict: Stop at the first record that cannot be tagged.
        rejects: File for rejected records; None for one beside the output.
        block_bytes: Input that is worked on at a time.
        backend: What scores. One for the whole run, since two agree to rounding only.
    """

    inputs: tuple[str, ...]
    output: str
    model: Path
    fields: Fields = field(default_factory=Fields)
    encoding: str | None = None
    raw_cells: bool = False
    delimiter: str | None = None
    has_header: bool = True
    detail: Detail = "sentence"
    unit: Unit = "article"
    threshold: float | None = None
    min_precision: float | None = None
    relevance: float | None = None
    second: Path | None = None
    second_share: float = SHARE
    input_format: str | None = None
    dedupe: bool = False
    seconds: float = 60.0
    jobs: int | None = None
    force: bool = False
    strict: bool = False
    rejects: Path | None = None
    block_bytes: int = BLOCK_BYTES
    backend: Backend = "compiled"

    def rejects_path(self) -> Path:
        """Return the file for rejected records, where the output is one."""
        return self.rejects or beside(Path(self.output), ".rejects.jsonl")

    def read_options(self) -> ReadOptions:
        """Return how the inputs are read."""
        return ReadOptions(
            *(self.fields, self.encoding),
            any_text=self.unit == "sentence",
            delimiter=self.delimiter,
            has_header=self.has_header,
        )


def make_output(job: Job, model: Model) -> Output:
    """Return what a job writes."""
    kind, compression = output_kind(job.output)
    topics, keep = model.scorer.topics, job.fields.keep
    return Output(
        *(kind, compression, job.detail, topics, keep, job.dedupe),
        second_opinion=job.second is not None,
        raw_cells=job.raw_cells,
    )
