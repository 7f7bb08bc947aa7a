"""What came of a batch run, in figures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from topicml.batch.job import Job
from topicml.batch.opened import Opened
from topicml.files import beside, write_text
from topicml.io.records import Reject
from topicml.tagging.abstention import REASONS
from topicml.tagging.articles import TaggedArticle

_UNFAMILIAR = REASONS.index("unfamiliar")


@dataclass(slots=True)
class Counts:
    """What was found in some records; can be added up.

    Attributes:
        records: Records tagged.
        sentences: Sentences in them.
        unfamiliar: Sentences among them with hardly a known word.
        text_bytes: Bytes of text, in UTF-8.
        read_again: Sentences that a second model decided of.
        duplicates: Records that are near copies of an earlier one.
        repeated_ids: Records that have the id of an earlier one.
        topics: Records with each topic.
        rejects: Rejected records by reason.
        encodings: Records that were in another encoding than UTF-8.
    """

    records: int = 0
    sentences: int = 0
    unfamiliar: int = 0
    text_bytes: int = 0
    read_again: int = 0
    duplicates: int = 0
    repeated_ids: int = 0
    topics: Counter[str] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    encodings: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, outcomes: Iterable[TaggedArticle | Reject]) -> Counts:
        """Count what came of some documents."""
        counts = cls()
        for outcome in outcomes:
            if isinstance(outcome, Reject):
                counts.rejects[outcome.reason] += 1
                continue
            counts.records += 1
            counts.sentences += len(outcome.spans)
            counts.unfamiliar += int((outcome.codes == _UNFAMILIAR).sum())
            counts.text_bytes += _utf8_length(outcome.text)
            if outcome.second_opinion:
                counts.read_again += len(outcome.second_opinion.sentences)
            counts.topics.update(topic.topic for topic in outcome.topics)
            if outcome.encoding != "utf-8":
                counts.encodings[outcome.encoding] += 1
        return counts

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as JSON values."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Counts:
        """Return what ``to_dict`` was made from."""
        made: dict[str, Any] = {
            name: Counter(value) if isinstance(value, dict) else value
            for name, value in values.items()
        }
        return cls(**made)

    def add(self, other: Counts) -> None:
        """Add what was found in others."""
        for name, value in other.to_dict().items():
            setattr(self, name, getattr(self, name) + value)


def _utf8_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def make_summary(job: Job, opened: Opened, counts: Counts, seconds: float) -> dict[str, Any]:
    """Return the summary of a run.

    Args:
        job: What was to do.
        opened: What it was done with.
        counts: What was found.
        seconds: That the run took, with those of runs it went on from.
    """
    rejected = sum(counts.rejects.values())
    return {
        "model": opened.model.reference,
        "second_opinion": opened.second
        and {
            "model": opened.second.reference,
            "sentences": counts.read_again,
            "share": counts.read_again / max(1, counts.sentences),
        },
        "inputs": list(job.inputs),
        "output": job.output,
        "records": counts.records + rejected,
        "tagged": counts.records,
        "rejected": rejected,
        "rejects": dict(counts.rejects.most_common()),
        "encodings": dict(counts.encodings.most_common()),
        "sentences": counts.sentences,
        "unfamiliar_share": counts.unfamiliar / max(1, counts.sentences),
        "topics": {
            topic: {
                "records": counts.topics[topic],
                "share": counts.topics[topic] / max(1, counts.records),
            }
            for topic in opened.model.scorer.topics
        },
        "duplicates": counts.duplicates if job.dedupe else None,
        "repeated_ids": counts.repeated_ids,
        "text_bytes": counts.text_bytes,
        "seconds": round(seconds, 3),
        "megabytes_per_second": round(counts.text_bytes / 1e6 / max(1e-9, seconds), 3),
    }


def write_summary(summary: dict[str, Any], output: Path) -> None:
    """Write a summary beside the output.

    Raises:
        OutputError: It cannot be written.
    """
    text = json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
    write_text(beside(output, ".summary.json"), text)
