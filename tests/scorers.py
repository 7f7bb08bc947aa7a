"""Models and texts for the scorer: a small one, drawn ones, and witnesses that must agree."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline

from topicml.scoring.scorer import Scorer, Scores
from topicml.scoring.scorer_file import load_scorer
from topicml.training.calibration import Decision
from topicml.training.export import export_scorer
from topicml.training.features import Parameters, make_classifier, make_pipeline

SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2007\u200a\u2028\u2029\u202f\u205f\u3000"
CASES = "İıẞßΣσςǅŉſﬁⅧⓐªᾼʰ"
MARKS = "\u0301\u0307\u0345\u00ad\u200b\u200d\u202e\u2060\ufe0f"
SIGNS = "'’·.:_-×÷0٣²½€\x00\x7f\ufffd\U0010ffff"
OTHERS = "日本語العאבд한ไทय़𐐀𝔸"
WORDS = ("treaty ", "Japan’s ", "NATO ", "a ", "the fleet ", "ΟΔΟΣ ", "🤝🏽", "👩‍✈️", "🇯🇵")
LETTERS = st.one_of(
    st.characters(exclude_categories=()),
    *map(st.sampled_from, (SPACES, CASES, MARKS, SIGNS, OTHERS, WORDS, "aAbBeEnN")),
    st.integers(60, 70).map("n".__mul__),  # about as long as a token that is cached
)
TEXTS = st.lists(LETTERS, max_size=60).map("".join)
SIGMAS = st.text(st.sampled_from("ΣΣΣσςAaİßʰ1_'.:- \u0301\u00ad\u0345\ud800\n日"), max_size=40)
HARD_TEXTS = [
    "",
    " ",
    "a",
    "NUL\x00 inside\x00words",
    "İstanbul ve IRAK komutanlığı",
    "Die Straße nach Büchel, STRASSE",
    "ΟΔΥΣΣΕΥΣ και ΣΑΣ",
    "cafe\u0301 nai\u0308ve",
    "الجيش الأمريكي והצבא",
    "the alliance 🤝🏽 stands 👩‍✈️",
    "tab\tand\u2028line\u00a0space\x1funit",
    "command".join(SPACES),
    "日米同盟の抑止力 " * 30,
    "\ud800 treaty \udfff",
    "3 × 4 ÷ 2 日 Ⱥ \u212a ǅ ŉ ﬁ",
    "treaty " * 500,
    "treaty\n" * 5000,
    " ".join(["treaty"] * 1024),  # as many tokens as are cached of a text, and one more
    " ".join(["treaty"] * 1025),
    "alliance" * 8,  # as many letters as a cached token has, and one more
    "alliance" * 8 + "s",
    "x" * 5000,
    " " * 5000,
    "Σ" * 3000,
    " ".join(f"command{n} of the {n}th alliance" for n in range(1500)),
]

SAME_KEYS = [  # different words that are alike in a sum of their letters
    ("fkwqpgfcsnkjlh", "dronnckgiriinl"),
    ("mskolmmkkhnm", "mskolmmkkhnmoqhmnqnp"),
    ("rnlmromqmkllkl", "rnlmromqmkllkloqippnonqo"),
]

SEA_TEXTS = [
    "the fleet sails at dawn",
    "the fleet sails home",
    "bread is baked at dawn",
    "bread is baked at home",
    "the fleet sails with bread",
    "nothing is at home",
]
SEA_LABELS = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [1, 1], [0, 0]])
SEA_TOPICS = ["sea", "food"]
SEA_DECISION = Decision(
    weights=np.eye(3),
    offset=np.zeros(3),
    thresholds=np.array([0.4, 0.6]),
    relevance_threshold=0.35,
    precision_thresholds=np.array([[0.2, 0.3, np.nan], [0.1, np.nan, np.nan]]),
    precisions=(0.5, 0.75, 0.9),
)

_BASE = ("the fleet sails at dawn", "The fleet sails at Dawn: 日本 ΟΔΟΣ")
_RANGES = [(low, high) for low in range(1, 7) for high in range(low, 7)]


class Witnesses(NamedTuple):
    """One model three times: scikit-learn's, and a scorer for each backend."""

    pipeline: Any
    reference: Scorer
    compiled: Scorer

    def assert_agree(self, texts: Sequence[str]) -> None:
        """Same decisions; probabilities within 1e-9, and of the two backends within 1e-11."""
        found = self.reference.score_texts(texts)
        assert_same(self.compiled.score_texts(texts), found)
        probabilities, relevance = expected_scores(self.pipeline, texts)
        np.testing.assert_allclose(found.probabilities, probabilities, rtol=0, atol=1e-9)
        np.testing.assert_allclose(found.relevance, relevance, rtol=0, atol=1e-9)
        for scores in (found, self.compiled.score_texts(texts)):
            np.testing.assert_array_equal(
                scores.probabilities >= self.reference.thresholds,
                probabilities >= self.reference.thresholds,
            )
            np.testing.assert_array_equal(
                scores.relevance >= self.reference.relevance_threshold,
                relevance >= self.reference.relevance_threshold,
            )
        np.testing.assert_array_equal(found.known_share, known_shares(self.pipeline, texts))
        assert_letters_counted(found, texts)


def assert_same(found: Scores, expected: Scores) -> None:
    """The same scores to rounding, and the same counts."""
    for name, one, other in zip(Scores._fields, found, expected, strict=True):
        if name in ("probabilities", "relevance"):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-11)
        else:
            np.testing.assert_array_equal(one, other)


def expected_scores(pipeline: Any, texts: Sequence[str]) -> tuple[Any, Any]:
    """scikit-learn's probabilities of the topics, and of relevance."""
    X = pipeline[:-1].transform(texts)
    return pipeline[-1].predict_proba(X), pipeline[-1].predict_relevance(X)


def known_shares(pipeline: Any, texts: Sequence[str]) -> list[float]:
    """Shares of the words that are terms, as scikit-learn finds words."""
    for _, vectorizer in pipeline["features"].transformer_list:
        if vectorizer.analyzer == "word" and vectorizer.ngram_range[0] == 1:
            found = [vectorizer.build_tokenizer()(text.lower()) for text in texts]
            known = [sum(word in vectorizer.vocabulary_ for word in words) for words in found]
            return [n / len(words) if words else 1.0 for n, words in zip(known, found, strict=True)]
    return [1.0] * len(texts)


def assert_letters_counted(found: Scores, texts: Sequence[str]) -> None:
    """Words of letters, and Latin letters among all, are as ``re`` finds them."""
    words = [re.findall(r"[^\W\d_]+", text.lower()) for text in texts]
    assert found.word_count.tolist() == [len(found) for found in words]
    letters = ["".join(found) for found in words]
    latin = [len(re.findall("[A-Za-zÀ-ɏ]", text)) for text in letters]
    shares = [n / len(text) if text else 1.0 for n, text in zip(latin, letters, strict=True)]
    assert found.latin_share.tolist() == shares


def make_witnesses(pipeline: Any, thresholds: Any, relevance_threshold: float) -> Witnesses:
    """Export a pipeline and load it for both backends."""
    count = len(thresholds)
    decision = Decision(
        weights=np.eye(count + 1),
        offset=np.zeros(count + 1),
        thresholds=thresholds,
        relevance_threshold=relevance_threshold,
        precision_thresholds=np.full((count, 1), np.nan),
        precisions=(0.9,),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scorer.npz"
        export_scorer(pipeline, [f"topic-{n}" for n in range(count)], decision, path)
        return two_backends(pipeline, path)


def two_backends(pipeline: Any, path: Path) -> Witnesses:
    """Load a scorer file once for each backend."""
    reference, compiled = load_scorer(path), load_scorer(path)
    reference.use("reference")
    compiled.use("compiled")
    return Witnesses(pipeline, reference, compiled)


def write_sea_scorer(path: Path, parameters: Parameters | None = None) -> Pipeline:
    """Write the scorer of a pipeline fitted on six sentences; return the pipeline."""
    pipeline = make_pipeline(parameters or Parameters()).fit(SEA_TEXTS, SEA_LABELS)
    export_scorer(pipeline, SEA_TOPICS, SEA_DECISION, path)
    return pipeline


def random_pipeline(features: FeatureUnion, topics: int, rng: np.random.Generator) -> Pipeline:
    """Return fitted features with coefficients drawn at random, many of them zero."""
    classifier = make_classifier(Parameters())
    classifier.shares_ = np.full(topics + 1, 0.5)
    rows = [rng.normal(0, 3, len(features.get_feature_names_out())) for _ in range(topics + 1)]
    *classifier.estimators_, classifier.relevance_ = [
        _regression(row * (rng.random(len(row)) < 0.7), rng.normal(0, 2)) for row in rows
    ]
    return Pipeline([("features", features), ("classifier", classifier)])


def _regression(coefficients: Any, intercept: float) -> LogisticRegression:
    regression = LogisticRegression()
    regression.classes_ = np.array([0, 1])
    regression.coef_, regression.intercept_ = coefficients[np.newaxis], np.array([intercept])
    return regression


@st.composite
def features(draw: st.DrawFn, texts: st.SearchStrategy[str] = TEXTS) -> tuple[Any, list[str]]:
    """Draw TF-IDF features, and the texts that they were fitted on."""
    # a term with a surrogate has no UTF-8, which the file of a scorer asks for
    drawn = draw(st.lists(texts, max_size=6))
    fitted_on = [*_BASE, *(t.encode("utf-8", "replace").decode("utf-8") for t in drawn)]
    kinds = draw(st.sampled_from([("word",), ("char_wb",), ("word", "char_wb")]))
    common = {"sublinear_tf": draw(st.booleans()), "min_df": draw(st.integers(1, 2))}
    ranges = {
        "word": draw(st.sampled_from([r for r in _RANGES if r[1] <= 4])),
        "char_wb": draw(st.sampled_from(_RANGES)),
    }
    blocks = [
        (kind, TfidfVectorizer(analyzer=kind, ngram_range=ranges[kind], **common)) for kind in kinds
    ]
    return FeatureUnion(blocks).fit(fitted_on), fitted_on


@st.composite
def models(draw: st.DrawFn, texts: st.SearchStrategy[str] = TEXTS) -> tuple[Witnesses, list[str]]:
    """Draw a model, and the texts that its vocabulary is of."""
    fitted, fitted_on = draw(features(texts))
    topics = draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    pipeline = random_pipeline(fitted, topics, rng)
    thresholds = rng.uniform(0.05, 0.95, topics + 1)
    return make_witnesses(pipeline, thresholds[:-1], float(thresholds[-1])), fitted_on
