"""The label store: checks, statistics, and agreement between annotators."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import cohen_kappa_score

from topicml.errors import LabelError, did_you_mean
from topicml.labels.records import Annotation, LabelRecord
from topicml.taxonomy import Taxonomy

NEAR_DUPLICATE = 0.6
"""Jaccard overlap of two sentences' words above which they are near-duplicates."""

MOST_TOPICS = 3
_ROWS_AT_ONCE = 1000
_WORDS = re.compile(r"\w+").findall


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong (``error``) or worth a look (``note``) in a label file."""

    severity: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class TopicStats:
    """How often a topic occurs, and how often alone."""

    topic: str
    sentences: int
    alone: int


@dataclass(frozen=True, slots=True)
class TopicAgreement:
    """Two annotators on one topic: how often each gave it, and Cohen's kappa.

    Kappa (Cohen, "A Coefficient of Agreement for Nominal Scales", 1960) is None where
    both gave the topic to no sentence, or to every one.
    """

    topic: str
    first: int
    second: int
    kappa: float | None


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
        Errors: unknown topics, ids that stand twice, offsets that do not give the
        sentence, contradictions (one text, two label sets), duplicates and near-duplicates
        among authored sentences, article sentences without offsets. Notes: more than three
        topics.
    """
    findings: list[Finding] = []
    placed = [
        (f"{path}:{record.line or number}", record)
        for path, records in files.items()
        for number, record in enumerate(records, start=1)
    ]
    findings += _check_each(placed, taxonomy, raw or {})
    findings += _check_identities(placed)
    findings += _check_overlaps(placed)
    return sorted(findings, key=lambda f: f.severity)


def _check_each(
    placed: Iterable[tuple[str, LabelRecord]], taxonomy: Taxonomy, raw: Mapping[str, str]
) -> list[Finding]:
    findings = []
    for where, record in placed:
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
        if len(record.topics) > MOST_TOPICS:
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


def _check_identities(placed: Iterable[tuple[str, LabelRecord]]) -> list[Finding]:
    findings = []
    ids: dict[str, str] = {}
    texts: dict[str, tuple[str, LabelRecord]] = {}
    for where, record in placed:
        if record.id in ids:
            findings.append(
                Finding("error", where, f"id {record.id!r} also stands in {ids[record.id]}")
            )
        ids.setdefault(record.id, where)
        folded = _folded(record)
        if folded in texts:
            other_where, other = texts[folded]
            if other.topics != record.topics:
                findings.append(
                    Finding("error", where, f"same text as {other_where}, other topics")
                )
            elif "authored" in (record.source, other.source):
                findings.append(Finding("error", where, f"same text as {other_where}"))
        texts.setdefault(folded, (where, record))
    return findings


def _folded(record: LabelRecord) -> str:
    return " ".join(record.text.lower().split())


def _check_overlaps(placed: Sequence[tuple[str, LabelRecord]]) -> list[Finding]:
    """Find pairs of different sentences that share most of their words."""
    return [
        Finding(
            "error",
            placed[second][0],
            f"{placed[second][1].id!r} shares {overlap:.0%} of its words with "
            f"{placed[first][1].id!r} ({placed[first][0]})",
        )
        for first, second, overlap in near_duplicates([record.text for _, record in placed])
        if "authored" in (placed[first][1].source, placed[second][1].source)
        and _folded(placed[first][1]) != _folded(placed[second][1])
    ]


def near_duplicates(texts: Sequence[str]) -> list[tuple[int, int, float]]:
    """Return (i, j, overlap) with i < j for texts whose word sets overlap above 0.6.

    Overlap is Jaccard's: words in both by words in either. Computed in row blocks of a
    sparse product, so memory stays bounded.
    """
    if not texts:
        return []
    vectorizer = CountVectorizer(binary=True, analyzer=lambda text: _WORDS(text.lower()))
    try:
        X = vectorizer.fit_transform(texts).astype(np.int32).tocsr()
    except ValueError:  # no text has a word
        return []
    sizes = np.asarray(X.sum(axis=1)).ravel()
    pairs: list[tuple[int, int, float]] = []
    for start in range(0, X.shape[0], _ROWS_AT_ONCE):
        shared = (X[start : start + _ROWS_AT_ONCE] @ X.T).tocoo()
        first, second = shared.row + start, shared.col
        overlap = shared.data / (sizes[first] + sizes[second] - shared.data)
        close = (overlap > NEAR_DUPLICATE) & (first < second)
        pairs += zip(
            first[close].tolist(), second[close].tolist(), overlap[close].tolist(), strict=True
        )
    return sorted(pairs)


def label_stats(records: Iterable[LabelRecord], taxonomy: Taxonomy) -> list[TopicStats]:
    """Count each topic's sentences, all and those with no other topic."""
    counts: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    for record in records:
        counts.update(record.topics)
        if len(record.topics) == 1:
            alone.update(record.topics)
    return [TopicStats(topic, counts[topic], alone[topic]) for topic in taxonomy.topic_ids]


def agreement(
    first: Sequence[Annotation], second: Sequence[Annotation], taxonomy: Taxonomy
) -> list[TopicAgreement]:
    """Compare two passes over the same sentences, topic by topic.

    Raises:
        LabelError: The passes share no sentence, or one names an unknown topic.
    """
    for annotation in (*first, *second):
        taxonomy.check(annotation.topics, f"annotation of {annotation.id!r}")
    by_id = {annotation.id: annotation for annotation in second}
    pairs = [(a, by_id[a.id]) for a in first if a.id in by_id]
    if not pairs:
        raise LabelError(
            "the two passes share no sentence", hint="Compare passes over the same ids."
        )
    rows = []
    for topic in taxonomy.topic_ids:
        a = [topic in one.topics for one, _ in pairs]
        b = [topic in other.topics for _, other in pairs]
        defined = len(set(a + b)) > 1
        kappa = float(cohen_kappa_score(a, b)) if defined else None
        rows.append(TopicAgreement(topic, sum(a), sum(b), kappa))
    return rows


def differences(
    first: Sequence[Annotation], second: Sequence[Annotation]
) -> list[tuple[Annotation, Annotation]]:
    """Return the pairs of annotations of one sentence that differ."""
    by_id = {annotation.id: annotation for annotation in second}
    return [(a, by_id[a.id]) for a in first if a.id in by_id and a.topics != by_id[a.id].topics]


def group_sizes(records: Iterable[LabelRecord]) -> dict[str, int]:
    """Count sentences per group, in order of first appearance."""
    sizes: dict[str, int] = defaultdict(int)
    for record in records:
        sizes[record.article] += 1
    return dict(sizes)
