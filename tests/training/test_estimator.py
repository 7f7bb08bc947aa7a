"""The estimator says what ``classify`` says, and is one that scikit-learn's tools can work with."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace

import numpy as np
import pytest
import sklearn
from backgrounds import ADAPTED, home_background
from hypothesis import example, given
from hypothesis import strategies as st
from samples import home_dataset, with_labels
from scorers import HARD_TEXTS
from scorers import TEXTS as TEXTS_DRAWN
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.utils import estimator_checks

from topicml.errors import TrainingError
from topicml.tagging.tagger import tag_sentences
from topicml.training import estimator, natural_mix
from topicml.training.estimator import TopicTagger
from topicml.training.export import make_scorer
from topicml.training.features import Parameters
from topicml.training.fit import fit_model

DATA = home_dataset()
TEXTS = list(DATA.texts)
QUICK = TopicTagger(char_ngrams=None, topics=DATA.topics)
ODD_TEXTS = [
    "Subscribe to our garden newsletter: onions, soup, butter",
    "Der Koch und die Köchin braten das Gemüse in der Küche auf dem Herd.",
    "玉ねぎをバターで炒める。",
    "Quarks vibrate inside hadrons unless gluons fry.",
    "Fry the on-\nions in but\u00adter.",
    "42",
    "",
]
FOLDS = GroupKFold(2)
MODEL = fit_model(DATA, Parameters(char_ngrams=None))
LOW = replace(MODEL.decision, thresholds=np.array([0.3, 0.4]), relevance_threshold=0.35)
WORDS = st.sampled_from(
    ["onions ", "Butter", "-\n", "\u00ad", "soil ", "seeds\n> ", "der die und "]
)
TEXT = TEXTS_DRAWN | st.lists(WORDS | TEXTS_DRAWN, max_size=8).map("".join)


@pytest.fixture(scope="module", params=["from nothing", "adapted"])
def fitted(request):
    adapted = request.param == "adapted"
    model = (
        fit_model(DATA, ADAPTED, home_background())
        if adapted
        else fit_model(DATA, Parameters(char_ngrams=(3, 4)))
    )
    # low enough that all that is likely at all is a tag, unless a sentence is refused
    decision = replace(model.decision, thresholds=np.array([0.3, 0.4]), relevance_threshold=0.35)
    return replace(model, decision=decision)


@pytest.fixture(scope="module")
def quick():
    return clone(QUICK).fit(TEXTS, DATA.Y, groups=DATA.groups)


def test_says_what_the_scorer_says_of_ordinary_and_of_odd_texts(fitted):
    scorer = make_scorer(fitted.pipeline, DATA.topics, fitted.decision)
    texts = [*TEXTS, *ODD_TEXTS]
    probabilities, given, reasons = tag_sentences(scorer, texts)
    tagger = TopicTagger.of(fitted, DATA.topics)
    np.testing.assert_array_equal(tagger.predict(texts), given)
    np.testing.assert_allclose(tagger.predict_proba(texts), probabilities, rtol=0, atol=1e-12)
    assert {"boilerplate", "not_english", "unfamiliar", "no_topic"} <= set(reasons)
    refused = np.array([reason is not None for reason in reasons])
    likely = (probabilities >= fitted.decision.thresholds).any(axis=1)
    assert (refused & likely).any()  # so thresholds alone would say something else
    assert tagger.topics_ == DATA.topics


@given(texts=st.lists(TEXT, min_size=1, max_size=5))
@example(texts=HARD_TEXTS)
def test_says_what_the_scorer_says_of_any_text(texts):
    scorer = make_scorer(MODEL.pipeline, DATA.topics, LOW)
    tagger = TopicTagger.of(replace(MODEL, decision=LOW), DATA.topics)
    probabilities, tags, _ = tag_sentences(scorer, texts)
    np.testing.assert_array_equal(tagger.predict(texts), tags)
    np.testing.assert_allclose(tagger.predict_proba(texts), probabilities, rtol=0, atol=1e-9)


def test_relevance_is_the_scorers(fitted):
    scorer = make_scorer(fitted.pipeline, DATA.topics, fitted.decision)
    found = TopicTagger.of(fitted, DATA.topics).predict_relevance(TEXTS)
    np.testing.assert_allclose(found, scorer.score_texts(TEXTS).relevance, rtol=0, atol=1e-12)


def test_parameters_are_those_of_a_training_with_their_defaults():
    given = TopicTagger().get_params()
    defaults = {field.name: field.default for field in fields(Parameters)}
    assert {name: given[name] for name in defaults} == defaults
    assert given.keys() - defaults.keys() == {"kind", "language", "topics", "n_jobs"}


def test_fit_is_the_fit_of_a_training(quick):
    expected = TopicTagger.of(MODEL, DATA.topics)
    assert expected.get_params() == quick.get_params()
    np.testing.assert_array_equal(quick.predict_proba(TEXTS), expected.predict_proba(TEXTS))
    np.testing.assert_array_equal(quick.thresholds_["topics"], MODEL.decision.thresholds)
    assert quick.thresholds_["relevance"] == MODEL.decision.relevance_threshold


def test_clone_is_unfitted_and_refits_to_the_same(fitted):
    tagger = TopicTagger.of(fitted, DATA.topics)
    again = clone(tagger)
    assert not hasattr(again, "pipeline_")
    assert again.get_params() == tagger.get_params()
    start = home_background() if tagger.background else None
    again.fit(TEXTS, DATA.Y, groups=DATA.groups, background_model=start)
    np.testing.assert_array_equal(again.predict_proba(TEXTS), tagger.predict_proba(TEXTS))


def test_refit_from_a_background_asks_for_it(fitted):
    tagger = clone(TopicTagger.of(fitted, DATA.topics))
    if not tagger.background:
        pytest.skip("starts from nothing")
    with pytest.raises(TrainingError, match="starts from a background model"):
        tagger.fit(TEXTS, DATA.Y, groups=DATA.groups)
    tagger.set_params(background=False).fit(TEXTS, DATA.Y, groups=DATA.groups)
    assert tagger.score(TEXTS, DATA.Y) == 1


def test_persisted_it_is_hardly_larger_than_its_pipeline_and_the_same_each_time(fitted):
    both = [pickle.dumps(TopicTagger.of(fitted, DATA.topics)) for _ in range(2)]
    assert both[0] == both[1]
    assert len(both[0]) < len(pickle.dumps(fitted.pipeline)) + 1000
    loaded = pickle.loads(both[0])  # noqa: S301
    assert pickle.dumps(loaded.predict_proba(TEXTS)) == pickle.dumps(
        TopicTagger.of(fitted, DATA.topics).predict_proba(TEXTS)
    )


def test_jobs_are_those_of_the_training(monkeypatch):
    asked = []
    monkeypatch.setattr(estimator, "fit_model", lambda *given: asked.append(given) or MODEL)
    for jobs in (None, 2):
        clone(QUICK).set_params(n_jobs=jobs).fit(TEXTS, DATA.Y, groups=DATA.groups)
    assert [given[-1] for given in asked] == [1, 2]


def test_groups_are_what_cross_validation_keeps_together(quick):
    alone = clone(QUICK).fit(TEXTS, DATA.Y)
    assert (alone.predict_proba(TEXTS) != quick.predict_proba(TEXTS)).any()
    numbers = np.unique(DATA.groups, return_inverse=True)[1]
    numbered = clone(QUICK).fit(TEXTS, DATA.Y, groups=numbers)
    np.testing.assert_array_equal(numbered.predict_proba(TEXTS), quick.predict_proba(TEXTS))
    with pytest.raises(TrainingError, match="belong to one article"):
        clone(QUICK).fit(TEXTS, DATA.Y, groups=["one"] * len(TEXTS))


def test_what_was_drawn_at_random_and_what_was_written_is_heeded(monkeypatch):
    monkeypatch.setattr(natural_mix, "_FEWEST_DRAWN", 5)
    monkeypatch.setattr(natural_mix, "STRATA", 2)
    drawn = np.arange(len(TEXTS)) % 4 == 3
    sources = np.where(DATA.groups == "winter", "authored", "article")
    data = replace(DATA, drawn=drawn, sources=sources)
    model = fit_model(data, Parameters(char_ngrams=None))
    tagger = clone(QUICK).fit(TEXTS, DATA.Y, DATA.groups, sources=sources, drawn=drawn)
    expected = TopicTagger.of(model, DATA.topics).predict_proba(TEXTS)
    np.testing.assert_array_equal(tagger.predict_proba(TEXTS), expected)
    plain = clone(QUICK).fit(TEXTS, DATA.Y, DATA.groups)
    assert (plain.predict_proba(TEXTS) != expected).any()


def test_score_is_micro_f1(quick):
    assert quick.score(TEXTS, DATA.Y) == 1.0
    wrong = with_labels(DATA, (0, slice(None)), [0, 1]).Y
    tags = quick.predict(TEXTS)
    expected = 2 * (tags & wrong).sum() / (tags.sum() + wrong.sum())
    assert quick.score(TEXTS, wrong) == pytest.approx(expected)
    without = np.ones(len(TEXTS))
    without[0] = 0
    assert quick.score(TEXTS, wrong, without) == 1.0


@pytest.mark.parametrize("topics", [1, 2])
def test_scikit_learns_scorers_and_folds_take_it(topics):
    tagger, Y = clone(QUICK).set_params(topics=DATA.topics[:topics]), DATA.Y[:, :topics]
    folds = {"groups": DATA.groups, "cv": FOLDS}
    probabilities = cross_val_predict(tagger, TEXTS, Y, method="predict_proba", **folds)
    assert probabilities.shape == Y.shape
    scoring = ["f1_micro", "average_precision"] if topics > 1 else ["f1"]
    scores = cross_validate(tagger, TEXTS, Y, scoring=scoring, error_score="raise", **folds)
    assert all((scores[f"test_{name}"] > 0.6).all() for name in scoring)


def test_scikit_learn_searches_its_parameters():
    search = GridSearchCV(QUICK, {"min_df": np.array([1, 2])}, cv=FOLDS, error_score="raise")
    search.fit(TEXTS, DATA.Y, groups=DATA.groups)
    assert search.best_estimator_.min_df == search.best_params_["min_df"]
    assert (search.cv_results_["mean_test_score"] > 0.6).all()


def test_groups_can_be_routed_to_the_folds_inside():
    with sklearn.config_context(enable_metadata_routing=True):
        routed = clone(QUICK).set_fit_request(groups=True)
        scores = cross_val_score(
            routed, TEXTS, DATA.Y, params={"groups": DATA.groups}, cv=FOLDS, error_score="raise"
        )
    assert (scores > 0.6).all()


CHECKS = (
    *("cloneable", "tags_renamed", "repr"),
    *("check_valid_tag_types", "check_no_attributes_set_in_init", "check_mixin_order"),
    *("check_parameters_default_constructible", "check_do_not_raise_errors_in_init_or_set_params"),
    *("check_get_params_invariance", "check_set_params"),
)


@pytest.mark.parametrize(
    "check", [c if c[:5] == "check" else f"check_estimator_{c}" for c in CHECKS]
)
def test_scikit_learns_checks_that_need_no_numbers_pass(check):
    if not hasattr(estimator_checks, check):
        pytest.skip("not in this scikit-learn")
    getattr(estimator_checks, check)("TopicTagger", clone(QUICK))


def test_fit_changes_no_parameter_and_forgets_the_fit_before(quick):
    tagger = clone(QUICK)
    before = dict(vars(tagger))
    assert tagger.fit(TEXTS[::-1], DATA.Y[::-1]) is tagger
    assert before.items() <= vars(tagger).items()
    tagger.fit(TEXTS, DATA.Y, groups=DATA.groups)
    np.testing.assert_array_equal(tagger.predict_proba(TEXTS), quick.predict_proba(TEXTS))
    assert vars(tagger).keys() == vars(quick).keys()


def test_each_sentence_is_judged_by_itself(quick):
    order = np.random.default_rng(0).permutation(len(TEXTS))
    shuffled = [TEXTS[i] for i in order]
    np.testing.assert_array_equal(quick.predict(shuffled), quick.predict(TEXTS)[order])
    one_by_one = np.vstack([quick.predict_proba([text]) for text in TEXTS])
    np.testing.assert_allclose(one_by_one, quick.predict_proba(TEXTS), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(quick.predict(np.array(TEXTS)), quick.predict(tuple(TEXTS)))


def test_is_a_classifier_of_several_outputs_over_strings():
    pytest.importorskip("sklearn", minversion="1.6")  # earlier ones have no tags of this kind
    tags = QUICK.__sklearn_tags__()
    assert is_classifier(QUICK)
    assert (tags.input_tags.string, tags.input_tags.two_d_array) == (True, False)
    assert tags.classifier_tags.multi_label


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_relevance"])
def test_unfitted_it_says_so(method):
    with pytest.raises(NotFittedError):
        getattr(QUICK, method)(TEXTS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"X": "one string"}, "not one string"),
        ({"X": TEXTS[:-1]}, "inconsistent numbers of samples"),
        ({"groups": ["a", "b"]}, "inconsistent numbers of samples"),
        ({"Y": DATA.Y * 2}, "MultiLabelBinarizer"),
        ({"Y": DATA.Y[:, 0]}, "Expected 2D array"),
        ({"Y": DATA.Y[:, :1]}, "Y has 1 columns, and the topics are cooking, gardening"),
        ({"C": -1.0}, "C cannot be -1.0"),
        ({"class_weight": "heavy"}, "class_weight cannot be 'heavy'"),
        (
            {"topics": ("cooking", "cooking")},
            "Y has 2 columns, and the topics are cooking, cooking",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(change, said):
    arrays = {"X": TEXTS, "Y": DATA.Y, "groups": DATA.groups}
    given = {name: change.get(name, value) for name, value in arrays.items()}
    tagger = clone(QUICK).set_params(**{k: v for k, v in change.items() if k not in arrays})
    with pytest.raises(ValueError, match=said):
        tagger.fit(**given)


def test_sentence_that_is_no_string_is_named(quick):
    with pytest.raises(TypeError, match="sentence 1 is no string but float"):
        quick.predict(["A loaf.", float("nan")])


def test_columns_without_names_are_numbered():
    assert TopicTagger(char_ngrams=None).fit(TEXTS, DATA.Y).topics_ == ("0", "1")
