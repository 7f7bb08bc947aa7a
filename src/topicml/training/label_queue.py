"""Which sentences to label next: those that would teach most, and no two alike.

Settles, "Active Learning Literature Survey", 2009, has the measures of what a label would teach
and their sources; which of them is the default, and why: docs/decisions/label-queue.md.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import rankdata
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize

from topicml.labels.checks import has_near_duplicate, near_duplicates, without_case
from topicml.labels.records import LabelRecord
from topicml.labels.texts import sha1_of
from topicml.scheme import Kind
from topicml.scoring.features import FeatureBlock
from topicml.tagging.abstention import REASONS
from topicml.tagging.articles import TaggedArticle
from topicml.tagging.second_opinion import margins
from topicml.tagging.thresholds import Thresholds
from topicml.training.background import fixed_vectorizer
from topicml.training.pool import LONGEST, SHORTEST

Strategy = Literal["combined", "entropy", "confidence", "margin", "novelty", "diversity", "random"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)

LEFT_OUT = ("not_english", "boilerplate")
"""Reasons to abstain that make a sentence not worth a label."""

_COMBINED: dict[Strategy, float] = {"entropy": 1.0, "novelty": 0.2}
"""What ``combined`` goes by: ranks, weighted."""

SIMILARITY = 0.3
"""What being the same as one that was picked before costs, in ranks of 0 to 1."""

_FEWEST_LOOKED_AT = 2000
_LOOKED_AT = 10  # times the sentences wanted
_NEW_NAMED = 5
_ROWS_AT_ONCE = 200

Floats = NDArray[np.float64]


class Place(NamedTuple):
    """Where a sentence stands: its document, and characters of the text."""

    document: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Candidates:
    """n unlabelled sentences, each once, and what a model says of them.

    Attributes:
        texts: n.
        places: n.
        probabilities: n by T.
        relevance: n.
    """

    texts: tuple[str, ...]
    places: tuple[Place, ...]
    probabilities: Floats
    relevance: Floats

    def __len__(self) -> int:
        return len(self.texts)


class Nearest(NamedTuple):
    """The topic that is nearest to being decided the other way, and what it must reach for that."""

    topic: int
    probability: float
    threshold: float


@dataclass(frozen=True, slots=True)
class Queued:
    """A sentence to label, and why.

    Attributes:
        row: Among the candidates.
        strategy: That put it here.
        value: What the strategy makes of it, as a rank among all candidates, from 0 to 1.
        entropy: Of its topics, in bits.
        confidence: Probability that its likeliest topics are all right.
        nearest: The topic nearest to its threshold.
        novelty: Share of its words and pairs of words that no label has.
        new: Some of these.
        similarity: To what is most like it above it in the queue, from 0 to 1.
    """

    row: int
    strategy: Strategy
    value: float
    entropy: float
    confidence: float
    nearest: Nearest
    novelty: float
    new: tuple[str, ...]
    similarity: float


def label_record(queued: Queued, candidates: Candidates, topics: Sequence[str]) -> dict[str, Any]:
    """Return a queued sentence as a label that is yet to be given, with the reasons beside.

    It is a label record with the status ``skipped``, which the label commands read and which
    nothing is trained on; ``chosen`` is the strategy, ``random`` for those drawn at random.
    """
    text, place = candidates.texts[queued.row], candidates.places[queued.row]
    record = LabelRecord(
        id=f"{place.document}:{place.start}-{sha1_of(text)[:8]}",
        article=place.document,
        text=text,
        topics=(),
        status="skipped",
        start=place.start,
        end=place.end,
        chosen=queued.strategy,
    )
    nearest = queued.nearest
    reasons = {
        "value": round(queued.value, 4),
        "entropy": round(queued.entropy, 4),
        "confidence": round(queued.confidence, 4),
        "nearest": topics[nearest.topic],
        "probability": round(nearest.probability, 4),
        "threshold": round(nearest.threshold, 4),
        "novelty": round(queued.novelty, 4),
        "new": list(queued.new),
        "similarity": round(queued.similarity, 4),
    }
    return {**json.loads(record.to_json()), "reasons": reasons}


def gather(
    groups: Iterable[Sequence[TaggedArticle]], labelled: Iterable[str] = ()
) -> tuple[Candidates, Counter[str]]:
    """Return the sentences of tagged articles that may be labelled, and count the others.

    Args:
        groups: Articles, some at a time.
        labelled: Texts that have a label.

    Returns:
        The candidates, and how many sentences were left out, by reason: ``LEFT_OUT``, ``length``
        (under 20 characters, or over 600), ``labelled``, and ``repeated``.
    """
    left_out: Counter[str] = Counter()
    seen = {without_case(text): "labelled" for text in labelled}
    texts, places, rows = [], [], []
    for article in (article for group in groups for article in group):
        for n, ((start, end), code) in enumerate(
            zip(article.spans, article.codes.tolist(), strict=True)
        ):
            text = article.text[start:end]
            why = _why_not(text, REASONS[code]) or seen.get(without_case(text))
            if why is not None:
                left_out[why] += 1
                continue
            seen[without_case(text)] = "repeated"
            texts.append(text)
            places.append(Place(article.id, start, end))
            rows.append(np.append(article.probabilities[n], article.relevance[n]))
    found = np.array(rows) if rows else np.zeros((0, 1))
    return Candidates(tuple(texts), tuple(places), found[:, :-1], found[:, -1]), left_out


def _why_not(text: str, reason: str | None) -> str | None:
    if reason in LEFT_OUT:
        return reason
    return None if SHORTEST <= len(text) <= LONGEST else "length"


def choose_next(
    candidates: Candidates,
    labelled: Sequence[str],
    thresholds: Thresholds,
    blocks: Sequence[FeatureBlock],
    kind: Kind = "multilabel",
    *,
    strategy: Strategy = "combined",
    limit: int = 100,
    random_share: float = 0.0,
    seed: int = 0,
) -> list[Queued]:
    """Return the sentences to label next: those drawn at random, then the most instructive first.

    Near copies of labelled sentences, and of those picked before, are passed over. The best by
    the strategy alone are looked at: ten times as many as are wanted, 2,000 at least.

    Args:
        candidates: n sentences.
        labelled: Sentences that have a label.
        thresholds: What a sentence must reach to be given a topic.
        blocks: Terms of the model; sentences are alike where these are.
        kind: Of the scheme. Topics of a multiclass one exclude each other, and are measured so.
        strategy: ``combined`` goes by entropy and a little by novelty, and keeps away from what
            was picked before.
        limit: The most.
        random_share: Of the limit, drawn at random whatever the strategy: calibration and
            thresholds go by how common topics are among these.
        seed: Of ``random``, and of the order among equals.
    """
    model = thresholds, blocks, kind
    drawn = _choose(candidates, labelled, *model, "random", round(random_share * limit), seed)
    known = [*labelled, *(candidates.texts[one.row] for one in drawn)]
    return drawn + _choose(candidates, known, *model, strategy, limit - len(drawn), seed)


def _choose(
    candidates: Candidates,
    labelled: Sequence[str],
    thresholds: Thresholds,
    blocks: Sequence[FeatureBlock],
    kind: Kind,
    strategy: Strategy,
    limit: int,
    seed: int,
) -> list[Queued]:
    """Return the sentences to label next by one strategy, the best first."""
    if not len(candidates) or not limit:
        return []
    words = _Words(labelled)
    value = _values(candidates, thresholds, words, kind, strategy, seed)
    order = np.lexsort((np.random.default_rng(seed).random(len(value)), -value))
    looked_at = order[: max(_FEWEST_LOOKED_AT, _LOOKED_AT * limit)]
    is_copy = has_near_duplicate([candidates.texts[row] for row in looked_at], labelled)
    rows = looked_at[~is_copy]
    texts = [candidates.texts[row] for row in rows]
    X = _features(texts, blocks)
    start = np.zeros(len(rows))
    if strategy == "diversity" and labelled:
        start = _highest_similarity(X, _features(labelled, blocks))
    cost = {"combined": SIMILARITY, "diversity": 1.0}.get(strategy, 0.0)
    picked = pick(value[rows], X, near_duplicates(texts), limit, cost, start)
    return [
        _explained(
            *(candidates, int(rows[place]), strategy, float(value[rows[place]])),
            *(similarity, thresholds, words, kind),
        )
        for place, similarity in picked
    ]


def pick(
    value: Floats,
    X: sparse.csr_matrix,
    pairs: Sequence[tuple[int, int, float]],
    limit: int,
    cost: float,
    start: Floats,
) -> list[tuple[int, float]]:
    """Pick the best, one after the other, each less like those before it.

    Maximal marginal relevance (Carbonell and Goldstein, "The Use of MMR", 1998); where all are
    of one value it is the greedy k-center of Sener and Savarese ("Active Learning for
    Convolutional Neural Networks: A Core-Set Approach", 2018).

    Args:
        value: m values, the best first.
        X: m by features, rows of unit length.
        pairs: Near copies; one of each is picked at most.
        limit: The most.
        cost: Of being the same as one picked before.
        start: m, similarity to what was there before.

    Returns:
        Places, and the similarity of each to those before it.
    """
    copies: dict[int, list[int]] = {}
    for first, second, _ in pairs:
        copies.setdefault(first, []).append(second)
        copies.setdefault(second, []).append(first)
    similarity, left = start.copy(), np.ones(len(value), dtype=np.bool_)
    picked: list[tuple[int, float]] = []
    while len(picked) < limit and left.any():
        place = int(np.argmax(np.where(left, value - cost * similarity, -np.inf)))
        picked.append((place, float(similarity[place])))
        left[[place, *copies.get(place, [])]] = False
        np.maximum(similarity, (X @ X[place].T).toarray().ravel(), out=similarity)
    return picked


def entropy_of(probabilities: Floats, kind: Kind = "multilabel") -> Floats:
    """Return the entropy of n sentences' topics, in bits: each by itself, or of all together."""
    p = np.clip(probabilities, 1e-12, 1 - 1e-12)
    bits: Floats = -(p * np.log2(p)).sum(axis=1)
    return bits if kind == "multiclass" else bits - ((1 - p) * np.log2(1 - p)).sum(axis=1)


def confidence_of(probabilities: Floats, kind: Kind = "multilabel") -> Floats:
    """Return the probability that the likeliest topics of n sentences are all right."""
    if kind == "multiclass":
        highest: Floats = probabilities.max(axis=1)
        return highest
    likeliest: Floats = np.maximum(probabilities, 1 - probabilities).prod(axis=1)
    return likeliest


class _Words:
    """The words and pairs of words that labels have."""

    def __init__(self, labelled: Iterable[str]) -> None:
        self._of = CountVectorizer(ngram_range=(1, 2)).build_analyzer()
        self._known = {word for text in labelled for word in self._of(text)}

    def new(self, text: str) -> tuple[list[str], float]:
        """Return those of a text that no label has, and their share."""
        words = list(dict.fromkeys(self._of(text)))
        found = [word for word in words if word not in self._known]
        return found, len(found) / max(1, len(words))


def _values(
    candidates: Candidates,
    thresholds: Thresholds,
    words: _Words,
    kind: Kind,
    strategy: Strategy,
    seed: int,
) -> Floats:
    """Return the rank of n candidates by what a strategy goes by, from 0 to 1."""
    p = candidates.probabilities
    if strategy == "combined":
        by = [_values(candidates, thresholds, words, kind, one, seed) for one in _COMBINED]
        found = np.array([*_COMBINED.values()]) @ by
    elif strategy == "entropy":
        found = entropy_of(p, kind)
    elif strategy == "confidence":
        found = -confidence_of(p, kind)
    elif strategy == "margin" and kind == "multiclass":
        found = -_leads(p)
    elif strategy == "margin":
        found = -margins(p, candidates.relevance, thresholds)
    elif strategy == "novelty":
        found = np.array([words.new(text)[1] for text in candidates.texts])
    elif strategy == "random":
        found = np.random.default_rng([seed, 1]).random(len(candidates))
    else:
        found = np.zeros(len(candidates))
    ranks: Floats = rankdata(found) / len(found)
    return ranks


def _leads(probabilities: Floats) -> Floats:
    """Return by how much the likeliest topic's log-odds are above the next one's, of n sentences.

    Of topics that exclude each other, the next one takes its place once they are as likely.
    """
    highest = np.sort(np.clip(probabilities, 1e-12, 1.0), axis=1)[:, -2:]
    lead: Floats = np.log(highest[:, 1] / highest[:, 0])
    return lead


def _nearest(own: Floats, thresholds: Thresholds, kind: Kind) -> Nearest:
    """Return the topic nearest to its threshold; in a multiclass scheme the second likeliest.

    What that one must reach there is the probability of the likeliest.
    """
    if kind == "multiclass":
        topic, first = np.argsort(own, kind="stable")[-2:]
        return Nearest(int(topic), float(own[topic]), float(own[first]))
    limits = np.broadcast_to(thresholds.topics, own.shape)
    topic = np.argmin(np.abs(own - limits))
    return Nearest(int(topic), float(own[topic]), float(limits[topic]))


def _features(texts: Sequence[str], blocks: Sequence[FeatureBlock]) -> sparse.csr_matrix:
    """Return the model's features of n sentences, as rows of unit length."""
    if not texts:
        return sparse.csr_matrix((0, sum(len(block.idf) for block in blocks)))
    parts = [fixed_vectorizer(block).transform(texts) for block in blocks]
    return normalize(sparse.hstack(parts).tocsr(), copy=False)


def _highest_similarity(X: sparse.csr_matrix, others: sparse.csr_matrix) -> Floats:
    """Return for each of n rows the similarity to what is most like it among others."""
    blocks = range(0, X.shape[0], _ROWS_AT_ONCE)
    highest = [(X[n : n + _ROWS_AT_ONCE] @ others.T).max(axis=1) for n in blocks]
    return np.concatenate([one.toarray().ravel() for one in highest] or [np.zeros(0)])


def _explained(
    candidates: Candidates,
    row: int,
    strategy: Strategy,
    value: float,
    similarity: float,
    thresholds: Thresholds,
    words: _Words,
    kind: Kind,
) -> Queued:
    own = candidates.probabilities[row]
    new, novelty = words.new(candidates.texts[row])
    return Queued(
        row=row,
        strategy=strategy,
        value=value,
        entropy=float(entropy_of(own[None], kind)[0]),
        confidence=float(confidence_of(own[None], kind)[0]),
        nearest=_nearest(own, thresholds, kind),
        novelty=novelty,
        new=tuple(new[:_NEW_NAMED]),
        similarity=similarity,
    )
