"""Small background models, made of a vectoriser and of numbers drawn at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from samples import SENTENCES, home_dataset

from topicml.labels.texts import sha1_of
from topicml.scoring.features import FeatureBlock
from topicml.training.background import Background
from topicml.training.features import Parameters, make_vectorizer

ADAPTED = Parameters(background=True, min_df=1, C=1.0)
"""Parameters of a training that starts from a background, for few sentences."""

_FEATURES = Parameters(word_ngrams=(1, 2), char_ngrams=(3, 4))
_OTHER_TEXTS = (
    "The chef fries the fish in a pan of hot oil.",
    "A gardener waters the bulbs and the hedge.",
    "The bus to the village was on time.",
)


def make_background(
    topics: Sequence[str],
    texts: Sequence[str],
    seen: Sequence[str] = (),
    folds_of_seen: Sequence[int] = (),
    folds: int = 3,
    seed: int = 0,
) -> Background:
    """Return a background with the terms of texts.

    Args:
        topics: T topic ids.
        texts: What its vocabulary and idf are of.
        seen: n sentences that it has learned from.
        folds_of_seen: The fold of each.
        folds: K.
        seed: Of its coefficients and log-odds.
    """
    rng = np.random.default_rng(seed)
    outputs = len(topics) + 1
    vectorizer = make_vectorizer(_FEATURES).fit(texts)
    return Background(
        topics=tuple(topics),
        blocks=tuple(_block(step, outputs, rng) for _, step in vectorizer.transformer_list),
        intercepts=rng.normal(size=outputs),
        seen={sha1_of(text): row for row, text in enumerate(seen)},
        folds=np.array(folds_of_seen, dtype=np.int8),
        log_odds=rng.normal(size=(folds, len(seen), outputs)).astype(np.float16),
        Y=(rng.random((len(seen), len(topics))) < 0.3).astype(np.int8),
        real=np.ones(len(seen), dtype=np.bool_),
        drawn=np.zeros(len(seen), dtype=np.bool_),
    )


def _block(step, outputs, rng):
    terms = step.get_feature_names_out()
    return FeatureBlock(
        analyzer=step.analyzer,
        ngram_range=tuple(step.ngram_range),
        sublinear_tf=step.sublinear_tf,
        vocabulary={str(term): n for n, term in enumerate(terms)},
        idf=step.idf_,
        coefficients=rng.normal(size=(len(terms), outputs)),
    )


def home_background(seed: int = 0) -> Background:
    """Return one for the sentences on home life: spring, summer and autumn are folds 0, 1 and 2.

    Winter it has not seen; by its name it falls into fold 2. It knows the words of spring and a
    few others.
    """
    data = home_dataset()
    places = {group: fold for fold, group in enumerate(SENTENCES)}
    seen = np.flatnonzero(data.groups != "winter")
    return make_background(
        data.topics,
        [*data.texts[:8], *_OTHER_TEXTS],
        [data.texts[row] for row in seen],
        [places[group] for group in data.groups[seen].tolist()],
        folds=4,
        seed=seed,
    )
