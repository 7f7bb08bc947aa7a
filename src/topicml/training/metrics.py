"""How good predictions are: per topic, averaged, calibrated, with intervals.

Every figure is computed D + 1 times: with all D documents, and without each of them, which is
what intervals are made of (``intervals``). Most are made of sums over sentences, and a sum
without a document is the whole less the document's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicml.scheme import Kind
from topicml.training.error_rates import ErrorRates, find_error_rates
from topicml.training.intervals import (
    UNDEFINED,
    Floats,
    Interval,
    Jackknife,
    format_interval,
    leave_one_out,
    share_interval,
)

Labels = NDArray[np.int8]

RELIABILITY_BINS = 10
HEADLINES = (
    "micro_f1",
    "macro_f1",
    "samples_f1",
    "macro_average_precision",
    "false_tag_rate",
    "expected_calibration_error",
)
_JACKKNIFED: Mapping[Kind, Sequence[str]] = {  # the calibration error has no interval
    "multilabel": HEADLINES[:5],
    "multiclass": ("accuracy", "macro_f1", "micro_f1", "macro_average_precision"),
}
TOPIC_FIGURES = ("precision", "recall", "f1", "average_precision")
FEW_DOCUMENTS = 20
"""Under which a caution goes with the figures."""

FEWEST_SENTENCES_OF_TOPIC, FEWEST_DOCUMENTS_OF_TOPIC = 20, 10
"""That must carry a topic for its figures to have intervals."""

_FEWEST_COMPARED, _FEWEST_DOCUMENTS_COMPARED = 5, 3  # that carry it, for a difference of its F1
_FEWEST_WITHOUT_TOPIC = 30  # sentences, for the rate of false tags

_LENGTHS = (10, 20, 40)
"""Words that the shorter sentences have at most, for calibration by length."""

_WITHOUT_INTERVAL = (
    *("micro_precision", "micro_recall", "brier"),
    *("document_micro_f1", "document_macro_f1"),
)


@dataclass(frozen=True, slots=True)
class TopicScores:
    """One topic's scores; undefined ones (no sentence carries it) are None.

    Attributes:
        support: Sentences that carry it.
        documents: Documents that do.
        intervals: Of the ``TOPIC_FIGURES``.
    """

    topic: str
    support: int
    precision: float | None
    recall: float | None
    f1: float | None
    average_precision: float | None
    brier: float
    expected_calibration_error: float
    documents: int
    intervals: dict[str, Interval]


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Predictions of all topics whose probability falls in one tenth."""

    lower: float
    upper: float
    count: int
    mean_probability: float
    observed_share: float


@dataclass(frozen=True, slots=True)
class CalibrationPart:
    """How well probabilities fit for some of the sentences: those of a source, or of a length.

    Attributes:
        part: Such as ``authored`` or ``11 to 20 words``.
        mean_probability: Over all topics.
        observed_share: Of the topics that are there.
        error: The mean of the topics' calibration errors.
    """

    part: str
    sentences: int
    documents: int
    mean_probability: float
    observed_share: float
    error: Interval


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All figures of one evaluation; ``to_dict`` gives the JSON shape.

    Where there is real text, the headline calibration error and ``reliability`` are of it alone.
    """

    sentences: int
    documents: int
    headlines: dict[str, Interval]
    micro_precision: float
    micro_recall: float
    topics: tuple[TopicScores, ...]
    reliability: tuple[ReliabilityBin, ...]
    brier: float
    document_micro_f1: float
    document_macro_f1: float
    calibration: tuple[CalibrationPart, ...] = ()
    cautions: tuple[str, ...] = ()
    error_rates: tuple[ErrorRates, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    def figure_rows(self) -> list[tuple[str, str, str]]:
        """Return name, value and interval of each averaged figure, as text for a table."""
        rows = [
            (key.replace("_", " "), *format_interval(asdict(row)))
            for key, row in self.headlines.items()
        ]
        return rows + [
            (key.replace("_", " "), f"{getattr(self, key):.3f}", "") for key in _WITHOUT_INTERVAL
        ]


@dataclass(frozen=True, slots=True)
class Documents:
    """Which document each of n sentences is of.

    Attributes:
        rows: n, the number of each sentence's document.
        count: D.
    """

    rows: NDArray[np.intp]
    count: int

    @classmethod
    def of(cls, names: NDArray[np.str_]) -> Documents:
        """Number documents by their names."""
        different, rows = np.unique(names, return_inverse=True)
        return cls(rows, len(different))

    def sums(self, values: NDArray[Any]) -> Floats:
        """Return the sums of n by m values over each document's sentences, D by m."""
        totals = np.zeros((self.count, *values.shape[1:]))
        np.add.at(totals, self.rows, values)
        return totals

    def having(self, values: NDArray[Any]) -> int:
        """Return how many documents have a sentence of which a value, n by m, is not 0."""
        rows = np.asarray(values, dtype=np.bool_).reshape(len(values), -1).any(axis=1)
        return len(np.unique(self.rows[rows]))


def evaluate_predictions(
    topics: tuple[str, ...],
    Y: Labels,
    probabilities: Floats,
    tags: Labels,
    documents: NDArray[np.str_],
    *,
    kind: Kind = "multilabel",
    sources: NDArray[np.str_] | None = None,
    lengths: NDArray[np.intp] | None = None,
    drawn: NDArray[np.bool_] | None = None,
) -> Evaluation:
    """Score predictions against labels.

    Args:
        topics: T topic ids.
        Y: n by T labels of 0 and 1.
        probabilities: n by T.
        tags: n by T, 1 where a topic is given.
        documents: n document names; intervals are over documents, since sentences of one are
            alike.
        kind: Of the scheme. A multiclass one has no sentences without a topic to tag falsely,
            and accuracy says how many have their topic.
        sources: n sources, for calibration by source.
        lengths: n numbers of words, for calibration by length.
        drawn: n, whether a sentence was drawn at random, for error rates on ordinary text.
    """
    by = Documents.of(documents)
    ranking = average_precisions(Y, probabilities, by)
    jackknifes = headline_jackknifes(Y, ranking, tags, by)
    headlines = {name: share_interval(jackknifes[name]) for name in _JACKKNIFED[kind]}
    real = _real_text(sources, len(Y))
    headlines["expected_calibration_error"] = calibration_error(Y[real], probabilities[real])
    counts = _counts(Y, tags, by)
    micro_precision, micro_recall, _ = _micro(*counts)
    each = Documents(np.arange(by.count), by.count)
    document_Y, document_tags = ((by.sums(y) > 0).astype(np.int8) for y in (Y, tags))
    on_documents = _counts(document_Y, document_tags, each)
    rates = (*_scores(*counts), ranking)
    scored = tuple(
        _topic_scores(topic, Y[:, t], probabilities[:, t], tags[:, t], by, [r[:, t] for r in rates])
        for t, topic in enumerate(topics)
    )
    return Evaluation(
        sentences=len(Y),
        documents=by.count,
        headlines=headlines,
        micro_precision=float(micro_precision[0]),
        micro_recall=float(micro_recall[0]),
        topics=scored,
        reliability=reliability_table(Y[real], probabilities[real]),
        brier=float(np.mean((probabilities - Y) ** 2)),
        document_micro_f1=float(_micro(*on_documents)[2][0]),
        document_macro_f1=float(_macro_f1(*on_documents)[0]),
        calibration=_calibration_parts(Y, probabilities, documents, sources, lengths),
        cautions=_cautions(by.count, scored),
        error_rates=find_error_rates(topics, Y, probabilities, tags, documents, real, drawn),
    )


def headline_jackknifes(
    Y: Labels, ranking: Floats, tags: Labels, by: Documents
) -> dict[str, Jackknife]:
    """Return the headline figures but the calibration error, with and without each document.

    Macro figures average over the topics that occur. The false-tag rate is the share of
    sentences without a topic that are given one.

    Args:
        Y: n by T labels.
        ranking: D + 1 by T, from ``average_precisions``.
        tags: n by T.
        by: The documents.
    """
    counts = _counts(Y, tags, by)
    empty = np.asarray(Y.sum(axis=1) == 0)
    few = f"fewer than {_FEWEST_WITHOUT_TOPIC} sentences have no topic"
    few_empty = few if empty.sum() < _FEWEST_WITHOUT_TOPIC else None
    carrying = by.having(Y)
    falsely = np.column_stack([empty & tags.any(axis=1), empty])
    samples = np.column_stack([_samples_f1(Y, tags), np.ones(len(Y))])
    right = np.column_stack([(tags == Y).all(axis=1), np.ones(len(Y))])
    return {
        "accuracy": Jackknife.of(_share(right, by), by.count),
        "micro_f1": Jackknife.of(_micro(*counts)[2], by.having(Y | tags)),
        "macro_f1": Jackknife.of(_macro_f1(*counts), carrying),
        "samples_f1": Jackknife.of(_share(samples, by), by.count),
        "macro_average_precision": Jackknife.of(_nanmean(ranking), carrying),
        "false_tag_rate": Jackknife.of(_share(falsely, by), by.having(empty), few_empty),
    }


def average_precisions(Y: Labels, probabilities: Floats, by: Documents) -> Floats:
    """Return each topic's average precision, with all documents and without each: D + 1 by T."""
    columns = zip(Y.T, probabilities.T, strict=True)
    return np.column_stack([topic_average_precision(y, p, by) for y, p in columns])


def topic_average_precision(y: Labels, probability: Floats, by: Documents) -> Floats:
    """Return average precision with all documents and without each, D + 1; NaN without a positive.

    As scikit-learn's ``average_precision_score``: the mean, over sentences that carry the topic,
    of the precision among those that are at least as probable. Only the probabilities of
    sentences that carry it matter, so sentences are counted between these.
    """
    carries = y > 0
    levels = np.unique(probability[carries])  # upwards
    if not len(levels):
        return np.full(by.count + 1, np.nan)
    at = np.searchsorted(levels, probability, side="right")  # 0: less probable than all of them
    ranked, hits = (_counted(by, at, rows, len(levels)) for rows in (at > 0, carries))
    found = np.cumsum(hits[:, ::-1], axis=1)[:, ::-1]  # at least as probable
    above = np.cumsum(ranked[:, ::-1], axis=1)[:, ::-1]
    precision = _ratio(found, above)
    with np.errstate(invalid="ignore"):
        return np.asarray((hits * precision).sum(axis=1) / hits.sum(axis=1))


def _counted(by: Documents, at: NDArray[np.intp], rows: NDArray[np.bool_], levels: int) -> Floats:
    """Return D + 1 by L: how many of some sentences are at each level, with and without each."""
    cells = by.rows[rows] * levels + at[rows] - 1
    counts = np.bincount(cells, minlength=by.count * levels).astype(np.float64)
    return leave_one_out(counts.reshape(by.count, levels))


def calibration_error(Y: Labels, probabilities: Floats) -> Interval:
    """Return the mean of the topics' expected calibration errors, which has no interval.

    Being made of gaps without signs, it is widened by chance, the more the fewer sentences there
    are (Bröcker, Climate Dynamics, 2012; Ferro and Fricker, 2012), and no interval was found that
    holds for good and for bad probabilities alike. What it would be of perfect probabilities, by
    chance alone, is said instead: each gap the mean of a folded normal of the deviation that
    coins would have.
    """
    errors = expected_calibration_errors(Y, probabilities)
    variances = _by_bin(probabilities, probabilities * (1 - probabilities))
    chance = np.sqrt(2 / np.pi * variances).sum(axis=1) / max(len(Y), 1)
    note = f"chance alone: {chance.mean():.3f}"
    return Interval(float(errors.mean()), None, None, note)


def expected_calibration_errors(Y: Labels, probabilities: Floats) -> Floats:
    """Return the expected calibration error of each of T topics.

    Ten bins of equal width (Naeini, Cooper and Hauskrecht, AAAI 2015): the sum of the gaps
    between mean probability and observed share, without signs, each by its share of sentences.
    """
    gaps = _by_bin(probabilities, probabilities - Y)
    return np.asarray(np.abs(gaps).sum(axis=1) / max(len(Y), 1))


def _by_bin(probabilities: Floats, values: Floats) -> Floats:
    """Return the sums of n by T values in the bins of the probabilities, T by bins."""
    topics = probabilities.shape[1]
    bins = (_bins(probabilities) + np.arange(topics) * RELIABILITY_BINS).ravel()
    sums = np.bincount(bins, values.ravel(), minlength=topics * RELIABILITY_BINS)
    return np.asarray(sums.reshape(topics, RELIABILITY_BINS), dtype=np.float64)


def reliability_table(Y: Labels, probabilities: Floats) -> tuple[ReliabilityBin, ...]:
    """Return, per tenth of probability, how often the topic was really there."""
    p, y = probabilities.ravel(), Y.ravel()
    bins = _bins(p)
    return tuple(
        ReliabilityBin(
            lower=b / RELIABILITY_BINS,
            upper=(b + 1) / RELIABILITY_BINS,
            count=int((bins == b).sum()),
            mean_probability=float(p[bins == b].mean()),
            observed_share=float(y[bins == b].mean()),
        )
        for b in np.unique(bins).tolist()
    )


def topic_f1(Y: Labels, tags: Labels, by: Documents) -> tuple[Jackknife, ...]:
    """Return each topic's F1, with and without each document; NaN where it is absent."""
    f1 = _present_f1(*_counts(Y, tags, by))
    return tuple(
        Jackknife.of(
            f1[:, t],
            by.having(y | tags[:, t]),
            _too_rare(y, by, _FEWEST_COMPARED, _FEWEST_DOCUMENTS_COMPARED),
        )
        for t, y in enumerate(Y.T)
    )


def _too_rare(y: Labels, by: Documents, sentences: int, documents: int) -> str | None:
    enough = y.sum() >= sentences and by.having(y) >= documents
    return None if enough else f"fewer than {sentences} sentences or {documents} documents carry it"


def _topic_scores(
    topic: str, y: Labels, probability: Floats, tags: Labels, by: Documents, rates: Sequence[Floats]
) -> TopicScores:
    """Score a topic; ``rates`` are its ``TOPIC_FIGURES``, with and without each document."""
    support, documents = int(y.sum()), by.having(y)
    about = (by.having(tags), documents, by.having(y | tags), documents)
    few = _too_rare(y, by, FEWEST_SENTENCES_OF_TOPIC, FEWEST_DOCUMENTS_OF_TOPIC)
    intervals = {
        name: share_interval(Jackknife.of(value, count, few)) if support else UNDEFINED
        for name, value, count in zip(TOPIC_FIGURES, rates, about, strict=True)
    }
    return TopicScores(
        topic,
        support,
        **{name: intervals[name].value for name in TOPIC_FIGURES},
        brier=float(np.mean((probability - y) ** 2)),
        expected_calibration_error=float(
            expected_calibration_errors(y[:, None], probability[:, None])[0]
        ),
        documents=documents,
        intervals=intervals,
    )


def _calibration_parts(
    Y: Labels,
    probabilities: Floats,
    documents: NDArray[np.str_],
    sources: NDArray[np.str_] | None,
    lengths: NDArray[np.intp] | None,
) -> tuple[CalibrationPart, ...]:
    """Return calibration by source and, of real text where there is any, by length."""
    parts: list[tuple[str, NDArray[np.bool_]]] = []
    if sources is not None:
        parts += [(name, sources == name) for name in np.unique(sources).tolist()]
    if lengths is not None:
        real = _real_text(sources, len(Y))
        edges = (0, *_LENGTHS)
        parts += [
            (f"{low + 1} to {high} words", real & (lengths > low) & (lengths <= high))
            for low, high in zip(edges, _LENGTHS, strict=False)
        ]
        parts.append((f"over {_LENGTHS[-1]} words", real & (lengths > _LENGTHS[-1])))
    return tuple(
        _calibration_part(name, Y[rows], probabilities[rows], Documents.of(documents[rows]))
        for name, rows in parts
        if rows.any()
    )


def _calibration_part(
    part: str, Y: Labels, probabilities: Floats, by: Documents
) -> CalibrationPart:
    error = calibration_error(Y, probabilities)
    means = float(probabilities.mean()), float(Y.mean())
    return CalibrationPart(part, len(Y), by.count, *means, error)


def _real_text(sources: NDArray[np.str_] | None, count: int) -> NDArray[np.bool_]:
    """Return which sentences are of real text; all where none is, or where it is unknown."""
    if sources is None or (sources == "authored").all():
        return np.ones(count, dtype=np.bool_)
    return np.asarray(sources != "authored", dtype=np.bool_)


def _cautions(documents: int, topics: Sequence[TopicScores]) -> tuple[str, ...]:
    notes = []
    if documents < FEW_DOCUMENTS:
        are = " is" if documents == 1 else "s are"
        notes.append(f"{documents} document{are} few: figures of others may be far from these")
    rare = [
        t.topic
        for t in topics
        if t.support < FEWEST_SENTENCES_OF_TOPIC or t.documents < FEWEST_DOCUMENTS_OF_TOPIC
    ]
    if rare:
        notes.append(
            f"fewer than {FEWEST_SENTENCES_OF_TOPIC} sentences or {FEWEST_DOCUMENTS_OF_TOPIC} "
            f"documents carry {', '.join(rare)}: no intervals of their own"
        )
    return tuple(notes)


def _bins(probability: Floats) -> NDArray[np.signedinteger[Any]]:
    return np.minimum((probability * RELIABILITY_BINS).astype(np.int64), RELIABILITY_BINS - 1)


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0))


def _share(values: NDArray[Any], by: Documents) -> Floats:
    """Return the sum of the first of two columns by that of the second; NaN for none."""
    part, whole = leave_one_out(by.sums(values)).T
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(whole > 0, part / whole, np.nan))


def _counts(Y: Labels, tags: Labels, by: Documents) -> tuple[Floats, Floats, Floats]:
    """Return hits, tags and support of each topic, with all documents and without each."""
    hits, tagged, support = (leave_one_out(by.sums(part)) for part in (tags & Y, tags, Y))
    return hits, tagged, support


def _micro(hits: Floats, tagged: Floats, support: Floats) -> tuple[Floats, Floats, Floats]:
    """Return precisions, recalls and F1 over all topics together."""
    return _scores(*(part.sum(axis=1) for part in (hits, tagged, support)))


def _scores(hits: Floats, tagged: Floats, support: Floats) -> tuple[Floats, Floats, Floats]:
    """Return precision, recall and F1; zero where nothing was tagged or is there."""
    return _ratio(hits, tagged), _ratio(hits, support), _ratio(2 * hits, tagged + support)


def _present_f1(hits: Floats, tagged: Floats, support: Floats) -> Floats:
    return np.where(support > 0, _scores(hits, tagged, support)[2], np.nan)


def _macro_f1(hits: Floats, tagged: Floats, support: Floats) -> Floats:
    return _nanmean(_present_f1(hits, tagged, support))


def _nanmean(values: Floats) -> Floats:
    """Return the mean of each row, as ``np.nanmean`` does, which warns where all are NaN."""
    return np.asarray(np.ma.masked_invalid(values).mean(axis=1).filled(np.nan))


def _samples_f1(Y: Labels, tags: Labels) -> Floats:
    """Return each sentence's F1; one where labels and tags are both empty."""
    both = (tags & Y).sum(axis=1)
    size = tags.sum(axis=1) + Y.sum(axis=1)
    return np.where(size == 0, 1.0, 2 * both / np.maximum(size, 1))
