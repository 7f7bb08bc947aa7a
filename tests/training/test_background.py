from __future__ import annotations

import hashlib

import numpy as np
import pytest
from backgrounds import home_background, make_background
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import home_dataset, with_relevance
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from topicml.labels.texts import sha1_of
from topicml.scoring.probabilities import sigmoid
from topicml.training.background import (
    fit_background,
    fold_of,
    log_odds_of,
    most_useful,
)
from topicml.training.logistic import fit_logistic

TEXTS = ["Fry the onions.", "Prune the hedge, then the roses.", "", "Zweifellos unbekannt"]
NEW_TEXTS = ["A zebra ate the roses", "Another zebra ate", "One zebra", "Two lynxes", "Lynxes"]


@pytest.fixture(scope="module")
def home():
    return home_background()


def naive_sha1(text):
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def test_fold_of_a_group_is_the_same_everywhere():
    assert naive_sha1("winter") == "1ef41af4175fe164bf14a260fdf226218961c106"
    assert fold_of("winter", 4) == 0x1EF41AF4175FE164BF14A260FDF226218961C106 % 4 == 2


@settings(deadline=None)
@given(group=st.text(), folds=st.integers(1, 20))
def test_fold_is_one_of_the_folds(group, folds):
    digits = naive_sha1(group)
    assert sha1_of(group) == digits
    assert fold_of(group, folds) == int(digits, 16) % folds < folds


def test_folds_take_about_as_many_groups_each():
    counts = np.bincount([fold_of(f"article {n}", 5) for n in range(1000)])
    assert counts.min() > 150


def naive_features(blocks, texts):
    """scikit-learn's own TF-IDF with the terms and idf of each block."""
    parts = []
    for block in blocks:
        counts = TfidfVectorizer(
            analyzer=block.analyzer,
            ngram_range=block.ngram_range,
            sublinear_tf=True,
            vocabulary=block.vocabulary,
            use_idf=False,
            norm=None,
        ).fit_transform(texts)
        weighted = counts.toarray() * block.idf
        lengths = np.linalg.norm(weighted, axis=1, keepdims=True)
        parts.append(weighted / np.where(lengths == 0, 1, lengths))
    return np.hstack(parts)


def test_log_odds_are_the_coefficients_of_sklearns_features(home):
    expected = naive_features(home.blocks, TEXTS) @ home.coefficients + home.intercepts
    np.testing.assert_allclose(home.predict(TEXTS), expected, atol=1e-9)
    np.testing.assert_array_equal(
        home.predict(TEXTS), log_odds_of(home.blocks, home.intercepts, TEXTS)
    )
    assert np.ptp(expected) > 0.1


def test_vectorizer_keeps_columns_and_idf_and_puts_new_words_behind(home):
    vectorizer = home.vectorizer(NEW_TEXTS, min_df=2)
    (_, words), (_, characters) = vectorizer.transformer_list
    old = home.blocks[0]
    names = words.get_feature_names_out().tolist()
    assert names == [*old.vocabulary, "ate", "lynxes", "zebra", "zebra ate"]
    np.testing.assert_array_equal(words.idf_, [*old.idf, *[max(old.idf)] * 4])
    assert characters.get_feature_names_out().tolist() == [*home.blocks[1].vocabulary]
    np.testing.assert_array_equal(characters.idf_, home.blocks[1].idf)


@pytest.mark.parametrize("min_df", [1, 2, 3])
def test_new_words_are_those_of_enough_texts(home, min_df):
    words = home.vectorizer(NEW_TEXTS, min_df).transformer_list[0][1].vocabulary_
    fitted = TfidfVectorizer(ngram_range=(1, 2), min_df=min_df).fit(NEW_TEXTS).vocabulary_
    assert words.keys() == home.blocks[0].vocabulary.keys() | fitted.keys()
    assert sorted(words.values()) == list(range(len(words)))


def test_features_without_a_new_word_are_the_backgrounds_own(home):
    vectorizer = home.vectorizer(["Fry the onions."], min_df=1)
    found = vectorizer.transform(TEXTS).toarray()
    np.testing.assert_allclose(found, naive_features(home.blocks, TEXTS), atol=1e-12)


def test_coefficients_of_new_words_are_zero_and_the_others_in_their_columns(home):
    vectorizer = home.vectorizer(NEW_TEXTS, min_df=1)
    names = vectorizer.get_feature_names_out()
    coefficients = home.extended_coefficients(vectorizer)
    assert coefficients.shape == (3, len(names))
    known = {
        f"{block.analyzer}__{term}": block.coefficients[column]
        for block in home.blocks
        for term, column in block.vocabulary.items()
    }
    for name, column in zip(names, coefficients.T, strict=True):
        np.testing.assert_array_equal(column, known.get(name, np.zeros(3)))
    assert len(known) < len(names)


def test_extended_model_says_of_known_words_what_the_background_says(home):
    vectorizer = home.vectorizer(NEW_TEXTS, min_df=1)
    texts = [TEXTS[0], home_dataset().texts[0]]
    found = vectorizer.transform(texts) @ home.extended_coefficients(vectorizer).T
    np.testing.assert_allclose(found + home.intercepts, home.predict(texts), atol=1e-9)


def test_known_sentences_keep_their_fold_and_others_go_by_their_group(home):
    spring, autumn = home_dataset().texts[0], home_dataset().texts[16]
    found = home.folds_of([spring, "New.", autumn, "New."], ["winter", "winter", "x", "spring"])
    assert found.tolist() == [0, fold_of("winter", 4), 2, fold_of("spring", 4)]


@pytest.mark.parametrize("fold", range(4))
def test_log_odds_without_a_fold_are_the_stored_ones_and_of_new_text_its_own(home, fold):
    texts = [home_dataset().texts[row] for row in (3, 30, 20, 0)]
    found = home.log_odds_without(fold, texts)
    np.testing.assert_array_equal(found[[0, 2, 3]], home.log_odds[fold][[3, 20, 0]])
    np.testing.assert_allclose(found[1], home.predict([texts[1]])[0], atol=1e-12)
    assert found.dtype == np.float64


def test_labels_that_are_news_weigh_more():
    data, background = home_dataset(), home_background()
    known = np.array([*background.Y, *data.Y[24:]], dtype=np.int8)  # winter it has not seen
    changed = known.copy()
    changed[3, 0] = 1 - changed[3, 0]
    weights = background.weights_of(data.texts, changed)
    news = sorted({*np.flatnonzero(weights > 1).tolist()})
    assert news == [3, *range(24, len(data))]
    assert {*weights.tolist()} == {1.0, 10.0}


@pytest.mark.parametrize(("count", "weight"), [(59, 10.0), (200, 3.0), (2_000, 1.0)])
def test_many_labels_that_are_news_weigh_no_more_than_sixty_do(count, weight):
    data, background = home_dataset(), home_background()
    texts = [*data.texts[:24], *(f"a sentence of number {n}" for n in range(count))]
    labels = np.vstack([background.Y[:24], np.zeros((count, background.Y.shape[1]), np.int8)])
    assert {*background.weights_of(texts, labels)[24:].tolist()} == {weight}
    assert {*background.weights_of(texts, labels)[:24].tolist()} == {1.0}


def test_no_sentence_at_all_has_no_log_odds(home):
    assert home.log_odds_without(0, []).shape == (0, 3)
    assert home.folds_of([], []).tolist() == []


def test_background_that_has_seen_nothing_predicts_all():
    background = make_background(("a", "b"), home_dataset().texts)
    np.testing.assert_array_equal(background.log_odds_without(1, TEXTS), background.predict(TEXTS))


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 12))
def test_most_useful_columns_are_those_of_a_naive_count(seed, count):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 3, (7, 9)) * rng.random((7, 9))
    coefficients = rng.normal(size=(3, 9))
    moves = []
    for column in range(9):
        power = sum(X[row, column] ** 2 for row in range(7)) / 7
        moves.append((-sum(c**2 * power for c in coefficients[:, column]), column))
    expected = sorted(column for _, column in sorted(moves)[:count])
    assert most_useful(csr_matrix(X), coefficients, count).tolist() == expected


def test_of_equally_useful_columns_the_first_are_kept():
    assert most_useful(csr_matrix(np.ones((2, 4))), np.ones((1, 4)), 2).tolist() == [0, 1]


POOL = [
    text
    for n in range(10)
    for text in (
        f"The baker kneads dough, number {n}.",
        f"The orchard stands in bloom, number {n}.",
        f"Nobody came at all, number {n}.",
    )
]
TEACHER = np.tile([[4.0, -4.0, 4.0], [-4.0, 4.0, 4.0], [-4.0, -4.0, -4.0]], (10, 1))


def fitted(**others):
    data = home_dataset()
    return fit_background(POOL, TEACHER.astype(np.float16), data.texts, data.Y, **others)


def signs_of(blocks, term):
    return np.sign(blocks[0].coefficients[blocks[0].vocabulary[term]]).tolist()


def test_words_of_the_pool_alone_are_learned_from_soft_targets():
    blocks, _ = fitted()
    assert signs_of(blocks, "dough") == [1, -1, 1]
    assert signs_of(blocks, "orchard") == [-1, 1, 1]
    assert signs_of(blocks, "nobody") == [-1, -1, -1]


def test_words_of_the_labels_alone_are_learned_from_hard_targets():
    blocks, _ = fitted()
    assert signs_of(blocks, "butter")[0] == signs_of(blocks, "soil")[1] == 1


def test_teacher_and_labels_are_followed():
    blocks, intercepts = fitted()
    data = home_dataset()
    assert ((log_odds_of(blocks, intercepts, POOL) > 0) == (TEACHER > 0)).all()
    said = log_odds_of(blocks, intercepts, data.texts)[:, :2] > 0
    assert (said == data.Y).mean() > 0.9


def test_the_opposite_teacher_teaches_the_opposite():
    data = home_dataset()
    blocks, _ = fit_background(POOL, -TEACHER, data.texts, data.Y)
    assert signs_of(blocks, "dough") == [-1, 1, -1]


@pytest.mark.parametrize("features", [500, 10_000])
def test_no_more_terms_are_kept_than_asked_for(features):
    blocks, _ = fitted(features=features)
    kept = [f"{b.analyzer} {term}" for b in blocks for term in b.vocabulary]
    every = [f"{b.analyzer} {term}" for b in fitted()[0] for term in b.vocabulary]
    assert len(kept) == min(features, len(every))
    assert [term for term in every if term in set(kept)] == kept
    assert len(every) > 1000
    for block in blocks:
        assert [*block.vocabulary.values()] == list(range(len(block.idf)))
        assert block.coefficients.shape == (len(block.idf), 3)


def test_terms_that_move_log_odds_most_are_kept_with_their_idf():
    every = fitted()[0]
    X = naive_features(every, [*POOL, *home_dataset().texts])
    coefficients = np.vstack([block.coefficients for block in every])
    moves = (coefficients**2).sum(axis=1) * (X**2).mean(axis=0)
    terms = [(block.analyzer, term) for block in every for term in block.vocabulary]
    idf = dict(zip(terms, np.concatenate([block.idf for block in every]), strict=True))
    blocks, _ = fitted(features=500)
    kept = {(b.analyzer, t): b.idf[n] for b in blocks for t, n in b.vocabulary.items()}
    assert kept == {term: idf[term] for term in kept}
    is_kept = np.array([term in kept for term in terms])
    assert moves[is_kept].min() >= moves[~is_kept].max() - 1e-9


def test_with_all_terms_it_is_sklearns_logistic_regression():
    data = home_dataset()
    texts = [*POOL, *data.texts]
    blocks, intercepts = fitted()
    found = log_odds_of(blocks, intercepts, texts)
    X = naive_features(blocks, texts)
    shares = np.vstack([1 / (1 + np.exp(-TEACHER)), with_relevance(data.Y)])
    labels = np.repeat([1, 0], len(texts))
    for column, share in enumerate(shares.T):
        theirs = LogisticRegression(C=10.0, tol=1e-8, max_iter=5000)
        theirs.fit(np.vstack([X, X]), labels, sample_weight=np.append(share, 1 - share))
        np.testing.assert_allclose(found[:, column], theirs.decision_function(X), atol=0.05)


def test_all_terms_and_their_idf_are_those_of_pool_and_labels():
    texts = [*POOL, *home_dataset().texts]
    words, characters = fitted()[0]
    for block, sizes in ((words, (1, 2)), (characters, (3, 5))):
        theirs = TfidfVectorizer(analyzer=block.analyzer, ngram_range=sizes).fit(texts)
        assert [*block.vocabulary] == theirs.get_feature_names_out().tolist()
        np.testing.assert_allclose(block.idf, theirs.idf_, rtol=1e-5)


def test_the_same_background_comes_of_the_same_texts_and_each_step_is_told():
    told = []
    (first, one), (again, other) = fitted(on_step=told.append), fitted()
    assert one.tobytes() == other.tobytes()
    for a, b in zip(first, again, strict=True):
        assert a.coefficients.tobytes() == b.coefficients.tobytes()
        assert a.idf.tobytes() == b.idf.tobytes()
        assert a.vocabulary == b.vocabulary
    assert told[0] == "Counting terms."
    assert f"to {len(POOL) + 32} sentences." in told[1]
    assert "that contribute most" in told[2]


def test_what_is_applied_of_few_terms_is_what_was_fitted():
    data = home_dataset()
    soft = np.random.default_rng(1).normal(size=(len(data), 4)) * 3
    none = np.zeros((0, 3), dtype=np.int8)
    blocks, intercepts = fit_background(data.texts, soft, [], none, features=200)
    vectorizers = [
        TfidfVectorizer(
            analyzer=block.analyzer,
            ngram_range=block.ngram_range,
            sublinear_tf=True,
            vocabulary=block.vocabulary,
        )
        for block in blocks
    ]
    for vectorizer, block in zip(vectorizers, blocks, strict=True):
        vectorizer.idf_ = block.idf
    X = hstack([vectorizer.transform(data.texts) for vectorizer in vectorizers]).tocsr()
    again, intercept = fit_logistic(X, sigmoid(soft), C=10.0, offsets=np.zeros(soft.shape))
    np.testing.assert_allclose(
        log_odds_of(blocks, intercepts, data.texts), X @ again.T + intercept, atol=0.02
    )


def test_a_kind_of_term_of_which_none_is_kept_is_left_out():
    data = home_dataset()
    soft = with_relevance(data.Y) * 8.0 - 4.0
    blocks, intercepts = fit_background(data.texts, soft, data.texts, data.Y, features=1)
    assert len(blocks) == 1
    assert log_odds_of(blocks, intercepts, data.texts).shape == soft.shape


@pytest.mark.parametrize("texts", [["One zebra.", "Two lynxes."], ["a", "b", "c"], []])
def test_texts_without_a_word_that_is_often_enough_add_none(home, texts):
    vectorizer = home.vectorizer(texts, 3)
    np.testing.assert_array_equal(home.extended_coefficients(vectorizer), home.coefficients.T)
