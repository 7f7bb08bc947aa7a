"""Checks of all label files together: what is wrong, and what is worth a look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from topicml.errors import did_you_mean
from topicml.labels.near_duplicates import near_duplicates
from topicml.labels.records import LabelRecord
from topicml.taxonomy import Taxonomy

MANY_TOPICS = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong (``error``) or worth a look (``note``) in a label file."""

    severity: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.where}: {self.what}"


def check_labels(
    files: Mapping[Path, Sequence[LabelRecord]],
    taxonomy: Taxonomy,
    raw: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Check all label files together.

    Args:
        files: Records by file.
        taxonomy: Gives the known topics.
        raw: Text of each article by id, to check offsets against.

    Returns:
        Errors: unknown topics, duplicate ids, offsets that do not give the
        sentence, contradictions (one text, two label sets), duplicates and near-duplicates
        among authored sentences, article sentences without offsets. Notes: more than three
        topics.
    """
    findings: list[Finding] = []
    located = [
        (f"{path}:{record.line or number}", record)
        for path, records in files.items()
        for number, record in enumerate(records, start=1)
    ]
    findings += _check_records(located, taxonomy, raw or {})
    findings += _check_duplicates(located)
    findings += _check_near_duplicates(located)
    return sorted(findings, key=lambda f: f.severity)


def _check_records(
    located: Iterable[tuple[str, LabelRecord]], taxonomy: Taxonomy, raw: Mapping[str, str]
) -> list[Finding]:
    findings = []
    for where, record in located:
        findings += [
            Finding(
                "error",
                where,
                f"unknown topic {topic!r}. {did_you_mean(topic, taxonomy.topic_ids)}"
                f"Known topics: {', '.join(taxonomy.topic_ids)}",
            )
            for topic in record.topics
            if topic not in taxonomy.topic_ids
        ]
        if len(record.topics) > MANY_TOPICS:
            findings.append(
                Finding("note", where, f"{len(record.topics)} topics on {record.id!r}: look again")
            )
        if record.article not in raw or record.source != "article":
            continue
        if record.start is None or record.end is None:
            findings.append(Finding("error", where, f"{record.id!r} has no start and end"))
        else:
            found = raw[record.article][record.start : record.end]
            if found != record.text:
                findings.append(
                    Finding("error", where, f"offsets of {record.id!r} give {found[:60]!r}")
                )
    return findings


def _check_duplicates(located: Iterable[tuple[str, LabelRecord]]) -> list[Finding]:
    findings = []
    ids: dict[str, str] = {}
    texts: dict[str, tuple[str, LabelRecord]] = {}
    for where, record in located:
        if record.id in ids:
            findings.append(
                Finding("error", where, f"duplicate id {record.id!r}, first at {ids[record.id]}")
            )
        ids.setdefault(record.id, where)
        normalized = _normalized_text(record)
        if normalized in texts:
            other_where, other = texts[normalized]
            if other.topics != record.topics:
                findings.append(
                    Finding("error", where, f"same text as {other_where}, other topics")
                )
            elif "authored" in (record.source, other.source):
                findings.append(Finding("error", where, f"same text as {other_where}"))
        texts.setdefault(normalized, (where, record))
    return findings


def _normalized_text(record: LabelRecord) -> str:
    return " ".join(record.text.lower().split())


def _check_near_duplicates(located: Sequence[tuple[str, LabelRecord]]) -> list[Finding]:
    """Find pairs of different sentences that share most of their words."""
    return [
        Finding(
            "error",
            located[second][0],
            f"{located[second][1].id!r} shares {overlap:.0%} of its words with "
            f"{located[first][1].id!r} ({located[first][0]})",
        )
        for first, second, overlap in near_duplicates([record.text for _, record in located])
        if "authored" in (located[first][1].source, located[second][1].source)
        and _normalized_text(located[first][1]) != _normalized_text(located[second][1])
    ]
