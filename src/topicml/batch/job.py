"""What a batch run is to do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from topicml.batch.tolerance import MaxRejects
from topicml.batch.uploads import Uploads
from topicml.errors import InputError, OutputError
from topicml.files import beside, is_device, target_of
from topicml.io.readers import BLOCK_BYTES
from topicml.io.records import ALL, RECORD_SECONDS, Fields, ReadOptions
from topicml.io.remote import is_address, working_name
from topicml.io.selection import Shard
from topicml.io.writers.output import Output, output_kind
from topicml.models.folder import Model
from topicml.models.tagger import SHARE
from topicml.scoring.backends import Backend
from topicml.tagging.articles import Detail
from topicml.tagging.tagger import Unit

_REJECTS, _SUMMARY = ".rejects.jsonl", ".summary.json"


@dataclass(frozen=True, slots=True)
class Job:
    """All that makes a run what it is.

    Attributes:
        inputs: Files, globs, folders, addresses, or ``-`` for standard input.
        output: File to make, address of an object, or ``-`` for standard output.
        model: Folder of the model.
        fields: Which fields of a record are what.
        encoding: Of the inputs; None to find out for each.
        follow_links: Whether links that leave a folder are followed.
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
        partition_by: Fields that are kept, and by whose values the output is a folder of folders;
            none for a file.
        rejects: File for rejected records; None for one beside the output.
        summary: File for the summary; None for one beside the output.
        config: File of options, which is not to be written over; None for none.
        work: Folder for an output that is to be an object, until it is whole.
        max_rejects: How many of them end the run; None for every one.
        only_tagged: Write only records with a topic.
        topics: Write only records with one of these; none for all.
        limit: Records that are read; None for all.
        shard: Part of these that is read; None for all.
        block_bytes: Input that is worked on at a time.
        backend: What scores. One for the whole run, since two agree to rounding only.
    """

    inputs: tuple[str, ...]
    output: str
    model: Path
    fields: Fields = field(default_factory=Fields)
    encoding: str | None = None
    follow_links: bool = False
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
    seconds: float = RECORD_SECONDS
    jobs: int | None = None
    force: bool = False
    strict: bool = False
    partition_by: tuple[str, ...] = ()
    rejects: Path | None = None
    summary: Path | None = None
    config: Path | None = None
    work: Path = Path()
    max_rejects: MaxRejects | None = None
    only_tagged: bool = False
    topics: tuple[str, ...] = ()
    limit: int | None = None
    shard: Shard | None = None
    block_bytes: int = BLOCK_BYTES
    backend: Backend = "compiled"

    def output_path(self) -> Path:
        """Return the file to make: of a link, the one that it leads to."""
        return target_of(self._named_path())

    def _named_path(self) -> Path:
        is_object = is_address(self.output)
        return self.work / working_name(self.output) if is_object else Path(self.output)

    def uploads(self) -> Uploads:
        """Return which of the files that are made become objects: all where the output does."""
        if not is_address(self.output):
            return Uploads({})
        addresses = {self.output_path(): self.output}
        if self.rejects is None:
            addresses[self.rejects_path()] = self.output + _REJECTS
        if self.summary is None:
            addresses[beside(self._named_path(), _SUMMARY)] = self.output + _SUMMARY
        return Uploads(addresses)

    @property
    def streams(self) -> bool:
        """Whether records are written as they come, with no file to go on with."""
        return self.output == "-" or is_device(self.output_path())

    def summary_path(self) -> Path | None:
        """Return the file for the summary; None where there is none."""
        return self.summary or (None if self.streams else beside(self._named_path(), _SUMMARY))

    def rejects_path(self) -> Path:
        """Return the file for rejected records, where the output is one."""
        return self.rejects or beside(self._named_path(), _REJECTS)

    def read_options(self) -> ReadOptions:
        """Return how the inputs are read."""
        return ReadOptions(
            *(self.fields, self.encoding),
            any_text=self.unit == "sentence",
            delimiter=self.delimiter,
            has_header=self.has_header,
            seconds=self.seconds,
            limit=self.limit,
            shard=self.shard,
        )

    def writes(self, topics: Collection[str]) -> bool:
        """Whether a record with these topics is written."""
        if self.topics:
            return any(topic in self.topics for topic in topics)
        return bool(topics) or not self.only_tagged


def check_partitions(job: Job) -> None:
    """Make sure that an output can be put into folders, if it is to be.

    Raises:
        InputError: A field is not kept, or stands for several.
        OutputError: It is no Parquet, or no folder can be there.
    """
    if not job.partition_by:
        return
    if ALL in job.partition_by or not {*job.partition_by} <= {*job.fields.keep}:
        raise InputError(
            f"no fields to make folders by: {', '.join(job.partition_by)}",
            where="--partition-by",
            hint="Name fields that are kept.",
        )
    if job.streams or is_address(job.output) or output_kind(job.output)[0] != "parquet":
        raise OutputError(
            "cannot be a folder of partitions",
            where=job.output,
            hint="With --partition-by, -o names a folder of this machine that ends in .parquet.",
        )


def make_output(job: Job, model: Model) -> Output:
    """Return what a job writes."""
    kind, compression = output_kind(job.output)
    topics, keep = model.scorer.topics, job.fields.keep
    return Output(
        *(kind, compression, job.detail, topics, keep, job.dedupe),
        second_opinion=job.second is not None,
        raw_cells=job.raw_cells,
        partition_by=job.partition_by,
    )
