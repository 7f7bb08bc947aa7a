"""How many words must be known is chosen by sentences that the model has not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from backgrounds import ADAPTED, home_background
from samples import apart, home_dataset

from topicml.scoring.scorer import FEWEST_KNOWN
from topicml.scoring.scorer_file import load_scorer
from topicml.tagging.tagger import tag_sentences
from topicml.training.cross_validation import splits_of, vectorizer_for
from topicml.training.evaluation import cross_validated_predictions
from topicml.training.export import export_scorer, scorer_of_words
from topicml.training.familiarity import LEAST_KNOWN, choose_fewest_known, known_shares
from topicml.training.features import Parameters
from topicml.training.fit import fit_model

QUICK = Parameters(char_ngrams=None)


@pytest.mark.parametrize("parameters", [QUICK, replace(QUICK, min_df=2), ADAPTED])
def test_shares_are_those_that_a_scorer_finds(parameters):
    data = home_dataset()
    background = home_background() if parameters.background else None
    splits = splits_of(data, background)
    shares, sizes = known_shares(data, splits, parameters, background)
    assert sizes.min() >= 4
    for train, test in splits:
        words = vectorizer_for(parameters, background, [data.texts[n] for n in train])
        scores = scorer_of_words(words, data.topics).score_texts([data.texts[n] for n in test])
        np.testing.assert_allclose(shares[test], scores.known_share)


def test_what_nearly_all_held_out_sentences_reach_is_asked_for():
    data = home_dataset()
    splits = data.grouped_splits()
    shares, _ = known_shares(data, splits, QUICK, None)
    found = choose_fewest_known(data, splits, QUICK)
    assert found == max(shares.min(), LEAST_KNOWN)  # 2 % of 32 is none
    assert LEAST_KNOWN < found < FEWEST_KNOWN


def test_the_limit_is_never_above_that_of_many_labels():
    data = home_dataset()
    rows = np.arange(len(data))
    assert choose_fewest_known(data, [(rows, rows)], QUICK) == FEWEST_KNOWN
    assert choose_fewest_known(data, [(rows[:1], rows)], QUICK) == LEAST_KNOWN
    marks = replace(data, texts=("?!",) * len(data))
    assert choose_fewest_known(marks, [(rows, rows)], QUICK) == FEWEST_KNOWN


def test_a_small_vocabulary_does_not_refuse_what_it_is_made_for(tmp_path):
    """Each sentence has as many words that no other has; under 0.4 of its words are known."""
    data = home_dataset()
    data = replace(data, texts=tuple(apart(t, f"w{n}x") for n, t in enumerate(data.texts)))
    evaluation = cross_validated_predictions(data, "article", QUICK).evaluate()
    assert evaluation.headlines["micro_f1"].value > 0.5  # with 0.4 every one is refused: 0
    model = fit_model(data, QUICK)
    export_scorer(model.pipeline, data.topics, model.decision, tmp_path / "scorer.npz")
    scorer = load_scorer(tmp_path / "scorer.npz")
    assert scorer.fewest_known == model.decision.fewest_known < FEWEST_KNOWN
    new = [apart("Fry the onions in butter.", "new"), apart("Wholly novel utterances.", "n")]
    _, given, reasons = tag_sentences(scorer, new)
    assert (given[0].tolist(), reasons[1]) == ([True, False], "unfamiliar")
    _, _, reasons = tag_sentences(replace(scorer, fewest_known=FEWEST_KNOWN), new)
    assert reasons == ["unfamiliar", "unfamiliar"]
