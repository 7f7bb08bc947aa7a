"""Checks of all label files together: what is wrong, and what is worth a look."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from topicml.errors import LabelError
from topicml.labels.records import LabelRecord
from topicml.labels.references import LabelReference
from topicml.labels.refused import refused_labels, refused_note
from topicml.taxonomy import Taxonomy

MANY_TOPICS = 3
NEAR_DUPLICATE = 0.6
"""Jaccard overlap of two sentences' words above which they are near-duplicates."""

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


_Pairs = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]
_Located = tuple[str, LabelRecord]
_LocatedLabel = tuple[str, LabelRecord | LabelReference]


def check_labels(
    files: Mapping[Path, Sequence[LabelRecord]],
    taxonomy: Taxonomy,
    raw: Mapping[str, str] | None = None,
    without_text: Mapping[Path, Sequence[LabelReference]] | None = None,
) -> list[Finding]:
    """Check all label files together.

    Args:
        files: Records by file.
        taxonomy: Gives the known topics.
        raw: Text of each article by id, to check offsets against.
        without_text: Labels by reference whose texts are not here, by file.

    Returns:
        Errors: unknown topics, duplicate ids, offsets that do not give the
        sentence, contradictions (one text, two label sets), duplicates and near-duplicates
        among authored sentences, article sentences without offsets, in a multiclass scheme
        none or several topics. Notes: more than three topics, texts without a word, sentences
        with a topic that no model would tag.
    """
    located = _located(files)
    references = _located(without_text or {})
    findings = [
        *_check_topics([*located, *references], taxonomy),
        *_check_offsets(located, raw or {}),
        *_check_words(located),
        *_check_ids([*located, *references]),
        *_check_duplicates(located),
        *_check_references(references),
        *_check_near_duplicates(located),
        *_check_refused(located, taxonomy),
    ]
    return sorted(findings, key=lambda f: f.severity)


_Label = TypeVar("_Label", LabelRecord, LabelReference)


def _located(files: Mapping[Path, Sequence[_Label]]) -> list[tuple[str, _Label]]:
    return [
        (f"{path}:{label.line or number}", label)
        for path, labels in files.items()
        for number, label in enumerate(labels, start=1)
    ]


def _check_topics(located: Iterable[_LocatedLabel], taxonomy: Taxonomy) -> Iterator[Finding]:
    for where, record in located:
        for topic in record.topics:
            try:
                taxonomy.check([topic], where)
            except LabelError as err:
                yield Finding("error", where, f"{err.what}. {err.hint}")
        if taxonomy.scheme.is_multiclass:
            if len(record.topics) != 1 and record.status != "skipped":
                what = f"{len(record.topics)} topics on {record.id!r}, not exactly one"
                yield Finding("error", where, what)
        elif len(record.topics) > MANY_TOPICS:
            what = f"{len(record.topics)} topics on {record.id!r}: look again"
            yield Finding("note", where, what)


def _check_refused(located: Sequence[_Located], taxonomy: Taxonomy) -> Iterator[Finding]:
    places = {id(record): where for where, record in located}
    found = refused_labels([record for _, record in located], taxonomy.scheme)
    for reason, records in found.items():
        yield Finding("note", places[id(records[0])], refused_note(reason, records))


def _check_offsets(located: Iterable[_Located], raw: Mapping[str, str]) -> Iterator[Finding]:
    for where, record in located:
        if record.article not in raw or record.source != "article":
            continue
        found = raw[record.article][record.start : record.end]
        if record.start is None or record.end is None:
            yield Finding("error", where, f"{record.id!r} has no start and end")
        elif found != record.text:
            yield Finding("error", where, f"offsets of {record.id!r} give {found[:60]!r}")


def _check_words(located: Iterable[_Located]) -> Iterator[Finding]:
    for where, record in located:
        if not _WORDS(record.text):
            yield Finding("note", where, f"{record.id!r} has no word: nothing is learned from it")


def _check_ids(located: Iterable[_LocatedLabel]) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for where, record in located:
        if record.id in first:
            what = f"duplicate id {record.id!r}, first at {first[record.id]}"
            yield Finding("error", where, what)
        first.setdefault(record.id, where)


def _check_duplicates(located: Iterable[_Located]) -> Iterator[Finding]:
    first: dict[str, _Located] = {}
    for where, record in located:
        other_where, other = first.setdefault(_normalized_text(record), (where, record))
        if other.topics != record.topics:
            yield Finding("error", where, f"same text as {other_where}, other topics")
        elif other is not record and "authored" in (record.source, other.source):
            yield Finding("error", where, f"same text as {other_where}")


def _check_references(located: Iterable[tuple[str, LabelReference]]) -> Iterator[Finding]:
    """Find contradictions among sentences whose texts are not here: the SHA-1 is."""
    first: dict[str, tuple[str, LabelReference]] = {}
    for where, label in located:
        other_where, other = first.setdefault(label.pointer.sha1, (where, label))
        if other.topics != label.topics:
            yield Finding("error", where, f"same text as {other_where}, other topics")


def _normalized_text(record: LabelRecord) -> str:
    return without_case(record.text)


def without_case(text: str) -> str:
    """Return a text by which equal ones are told, whatever their case and white space."""
    return " ".join(text.lower().split())


def _check_near_duplicates(located: Sequence[_Located]) -> list[Finding]:
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


def near_duplicates(texts: Sequence[str]) -> list[tuple[int, int, float]]:
    """Return (i, j, overlap) with i < j for texts whose word sets overlap above 0.6.

    Overlap is Jaccard's: words in both by words in either. Computed in row blocks of a
    sparse product, so memory stays bounded.
    """
    pairs: list[tuple[int, int, float]] = []
    for first, second, overlap in _near_pairs(texts, len(texts)):
        close = first < second
        pairs += zip(
            first[close].tolist(), second[close].tolist(), overlap[close].tolist(), strict=True
        )
    return sorted(pairs)


def has_near_duplicate(texts: Sequence[str], others: Sequence[str]) -> NDArray[np.bool_]:
    """Return for each of n texts whether its words overlap above 0.6 with those of another."""
    found = np.zeros(len(texts), dtype=np.bool_)
    for first, second, _ in _near_pairs([*texts, *others], len(texts)):
        found[first[second >= len(texts)]] = True
    return found


def _near_pairs(texts: Sequence[str], count: int) -> Iterator[_Pairs]:
    """Yield rows, other rows and overlaps above 0.6, for the first ``count`` texts."""
    X = _words_of(texts)
    if not X.nnz:
        return
    sizes = np.asarray(X.sum(axis=1)).ravel()
    rare = _rarest_words(X)
    for block in range(0, count, _ROWS_AT_ONCE):
        candidates = (rare[block : min(block + _ROWS_AT_ONCE, count)] @ rare.T).tocoo()
        first, second = candidates.row + block, candidates.col
        shared = np.asarray(X[first].multiply(X[second]).sum(axis=1)).ravel()
        overlap = shared / (sizes[first] + sizes[second] - shared)
        close = overlap > NEAR_DUPLICATE
        yield first[close], second[close], overlap[close]


def _words_of(texts: Sequence[str]) -> Any:
    """Return which words each of n texts has: n by words, in alphabetical order.

    By hand, since scikit-learn takes a second to import.
    """
    words = [{*_WORDS(text.lower())} for text in texts]
    column = {word: n for n, word in enumerate(sorted(set().union(*words)))}
    columns = np.array([column[word] for row in words for word in sorted(row)], dtype=np.int32)
    ends = np.cumsum([0, *map(len, words)])
    return sparse.csr_matrix(
        (np.ones(len(columns), np.int32), columns, ends), (len(texts), len(column))
    )


def _rarest_words(X: Any) -> Any:
    """Return the rarest words of each text, so many that near-duplicates must share one.

    Of a text's n words such a pair shares 0.6 n; so not all of the n - 0.6 n + 1 rarest, in one
    order for all texts, can be missing from the other (Chaudhuri, Ganti and Kaushik, "A Primitive
    Operator for Similarity Joins in Data Cleaning", 2006).
    """
    order = np.argsort(np.asarray(X.sum(axis=0)).ravel(), kind="stable")
    ranked = X[:, order].tocsr()
    ranked.sort_indices()
    sizes = np.diff(ranked.indptr)
    place = np.arange(ranked.nnz) - np.repeat(ranked.indptr[:-1], sizes)
    ranked.data *= place <= np.repeat(sizes - np.ceil(NEAR_DUPLICATE * sizes - 1e-9), sizes)
    ranked.eliminate_zeros()
    return ranked
