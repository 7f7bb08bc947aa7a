"""Label records become a file of an annotation tool."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from topicml.files import write_text
from topicml.labels.exchange.formats import FORMATS, Format
from topicml.labels.records import LabelRecord
from topicml.labels.references import read_references
from topicml.taxonomy import Taxonomy


def write_export(
    records: Sequence[LabelRecord], name: Format, taxonomy: Taxonomy, output: Path
) -> None:
    """Write records in a format, in one step.

    Raises:
        LabelError: The format cannot hold one.
        OutputError: The file cannot be written.
    """
    write_text(output, FORMATS[name].write(records, taxonomy.topic_ids))


def losses(records: Sequence[LabelRecord], name: Format, paths: Sequence[Path]) -> list[str]:
    """Return what of records a format cannot hold, of what they have.

    Args:
        records: To be exported.
        name: The format.
        paths: The label files that they are of.
    """
    fields = FORMATS[name].loses
    lost = [field for field in fields if any(_has(record, field) for record in records)]
    if fields:
        texts = [" ".join(record.text.split()) for record in records]
        if any(text != record.text for text, record in zip(texts, records, strict=True)):
            lost.append("line breaks and runs of white space")
        if len({*texts}) < len(texts):
            lost.append("repeated texts")
        if any(record.status == "skipped" for record in records):
            lost.append("skipped sentences")
    if any(reference.unsure for path in paths for reference in read_references(path)):
        lost.append("unsure")
    return lost


def _has(record: LabelRecord, field: str) -> bool:
    return getattr(record, field) not in (None, "")
