import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Tiny
from hypothesis import given
from hypothesis import strategies as st

from topicml.errors import ModelError
from topicml.features import Parameters, make_pipeline
from topicml.models.folder import SCORER
from topicml.models.store import ModelStore
from topicml.scorer import Scorer, char_wb_ngrams, export_scorer, load_scorer, word_ngrams
from topicml.training import Decision

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
    "treaty " * 500,
    "x" * 5000,
    "\ud800 treaty \udfff",
]
LETTERS = st.one_of(
    st.characters(exclude_categories=()),
    st.sampled_from("İıẞßΣσς\u0301\u200d🤝\u0000\u00a0\u202eא"),
    st.sampled_from(["treaty ", "Japan’s ", "command ", "the ", "NATO ", "a "]),
)
TEXTS = st.lists(LETTERS, max_size=60).map("".join)


SEA_TEXTS = [
    "the fleet sails at dawn",
    "the fleet sails home",
    "bread is baked at dawn",
    "bread is baked at home",
    "the fleet sails with bread",
    "nothing is at home",
]
SEA_LABELS = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [1, 1], [0, 0]])
SEA_DECISION = Decision(
    weights=np.eye(3),
    offset=np.zeros(3),
    thresholds=np.array([0.4, 0.6]),
    relevance_threshold=0.35,
    precision_thresholds=np.array([[0.2, 0.3, np.nan], [0.1, np.nan, np.nan]]),
    precisions=(0.5, 0.75, 0.9),
)


def relevance(pipeline: Any, texts: list[str]) -> Any:
    return pipeline[-1].predict_relevance(pipeline[:-1].transform(texts))


def assert_same(scorer: Scorer, pipeline: Any, texts: list[str]) -> None:
    found = scorer.score(texts)
    expected = pipeline.predict_proba(texts)
    np.testing.assert_allclose(found.probabilities, expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.relevance, relevance(pipeline, texts), rtol=0, atol=1e-9)
    np.testing.assert_array_equal(scorer.predict_proba(texts), found.probabilities)
    assert ((found.known_share >= 0) & (found.known_share <= 1)).all()


@pytest.fixture(scope="module")
def current(root: Path) -> tuple[Scorer, Any]:
    import joblib

    folder = ModelStore(root / "models").find()
    return load_scorer(folder / SCORER), joblib.load(folder / "pipeline.joblib")


def test_probabilities_are_the_pipelines_on_all_labelled_sentences(
    current: tuple[Scorer, Any], root: Path
) -> None:
    scorer, pipeline = current
    texts = [
        json.loads(line)["text"]
        for path in sorted((root / "data/labels").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").split("\n")
        if line
    ]
    assert len(texts) >= 116
    assert_same(scorer, pipeline, texts)
    assert pipeline.predict_proba(texts).std() > 0.05
    assert relevance(pipeline, texts).std() > 0.05


@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_probabilities_are_the_pipelines_on_any_text(
    current: tuple[Scorer, Any], texts: list[str]
) -> None:
    scorer, pipeline = current
    assert_same(scorer, pipeline, texts)


@pytest.mark.parametrize("text", HARD_TEXTS, ids=lambda text: ascii(text)[:20])
def test_probabilities_are_the_pipelines_on_hard_text(
    current: tuple[Scorer, Any], text: str
) -> None:
    scorer, pipeline = current
    assert_same(scorer, pipeline, [text])


@pytest.mark.parametrize(
    "parameters",
    [
        Parameters(word_ngrams=(1, 1), char_ngrams=None, sublinear_tf=False, C=1.0),
        Parameters(word_ngrams=(2, 3), char_ngrams=(1, 4)),
        Parameters(char_ngrams=(5, 5), nb_mixing=0.5, min_df=2),
    ],
    ids=["defaults", "long", "naive-bayes"],
)
def test_every_kind_of_features_survives_the_export(tmp_path: Path, parameters: Parameters) -> None:
    pipeline = make_pipeline(parameters).fit(SEA_TEXTS, SEA_LABELS)
    export_scorer(pipeline, ["sea", "food"], SEA_DECISION, tmp_path / "scorer.npz")
    scorer = load_scorer(tmp_path / "scorer.npz")
    assert scorer.topics == ("sea", "food")
    assert scorer.thresholds.tolist() == [0.4, 0.6]
    assert scorer.relevance_threshold == 0.35
    assert scorer.precisions == (0.5, 0.75, 0.9)
    np.testing.assert_array_equal(scorer.precision_thresholds, SEA_DECISION.precision_thresholds)
    asked = [*SEA_TEXTS, "a", "", "the fleet the fleet sails bread"]
    found = scorer.score(asked)
    np.testing.assert_allclose(
        found.probabilities, pipeline.predict_proba(asked), rtol=0, atol=1e-12
    )
    np.testing.assert_allclose(found.relevance, relevance(pipeline, asked), rtol=0, atol=1e-12)
    assert np.ptp(found.relevance) > 0.01
    np.testing.assert_array_equal(scorer.predict_proba(asked), found.probabilities)


def test_model_that_saw_only_relevant_sentences_finds_all_relevant(tmp_path: Path) -> None:
    rows = SEA_LABELS.any(axis=1)
    texts = [text for text, kept in zip(SEA_TEXTS, rows, strict=True) if kept]
    pipeline = make_pipeline(Parameters()).fit(texts, SEA_LABELS[rows])
    export_scorer(pipeline, ["sea", "food"], SEA_DECISION, tmp_path / "scorer.npz")
    found = load_scorer(tmp_path / "scorer.npz").score([*SEA_TEXTS, ""])
    np.testing.assert_allclose(
        found.probabilities, pipeline.predict_proba([*SEA_TEXTS, ""]), rtol=0, atol=1e-12
    )
    assert found.relevance.min() > 1 - 1e-9
    np.testing.assert_allclose(found.relevance, relevance(pipeline, [*SEA_TEXTS, ""]))


def test_one_topic_survives_the_export(tmp_path: Path) -> None:
    pipeline = make_pipeline(Parameters()).fit(SEA_TEXTS, SEA_LABELS[:, :1])
    table = np.array([[0.1, 0.2, np.nan]])
    decision = replace(SEA_DECISION, thresholds=np.array([0.4]), precision_thresholds=table)
    export_scorer(pipeline, ["sea"], decision, tmp_path / "scorer.npz")
    found = load_scorer(tmp_path / "scorer.npz").score(SEA_TEXTS)
    assert found.probabilities.shape == (6, 1)
    np.testing.assert_allclose(
        found.probabilities, pipeline.predict_proba(SEA_TEXTS), rtol=0, atol=1e-12
    )
    np.testing.assert_allclose(found.relevance, relevance(pipeline, SEA_TEXTS), rtol=0, atol=1e-12)


def test_share_of_known_words_counts_words_of_two_letters_and_more(tmp_path: Path) -> None:
    pipeline = make_pipeline(Parameters()).fit(SEA_TEXTS, SEA_LABELS)
    export_scorer(pipeline, ["sea", "food"], SEA_DECISION, tmp_path / "scorer.npz")
    scorer = load_scorer(tmp_path / "scorer.npz")
    shares = {
        "the FLEET": 1.0,
        "the fleet sank": 2 / 3,
        "the the sank sank": 0.5,
        "I the a x": 1.0,  # one letter is no word
        "sank swiftly": 0.0,
        "": 1.0,
        "a b c": 1.0,
    }
    np.testing.assert_allclose(scorer.score(list(shares)).known_share, list(shares.values()))


def test_share_of_known_words_is_whole_where_single_words_are_no_features(tmp_path: Path) -> None:
    pipeline = make_pipeline(Parameters(word_ngrams=(2, 2))).fit(SEA_TEXTS, SEA_LABELS)
    export_scorer(pipeline, ["sea", "food"], SEA_DECISION, tmp_path / "scorer.npz")
    found = load_scorer(tmp_path / "scorer.npz").score(["sank swiftly", "the fleet"])
    assert found.known_share.tolist() == [1.0, 1.0]


@given(text=TEXTS, shortest=st.integers(1, 4), more=st.integers(0, 3))
def test_ngrams_are_those_of_scikit_learn(text: str, shortest: int, more: int) -> None:
    from sklearn.feature_extraction.text import CountVectorizer

    lowered = text.lower()
    for analyzer, ours in (("word", word_ngrams), ("char_wb", char_wb_ngrams)):
        theirs = CountVectorizer(analyzer=analyzer, ngram_range=(shortest, shortest + more))
        expected = theirs.build_analyzer()(text)
        assert sorted(ours(lowered, shortest, shortest + more)) == sorted(expected)


def test_no_text_gives_no_row(tiny: Tiny) -> None:
    scorer = load_scorer(tiny.folder / SCORER)
    assert scorer.predict_proba([]).shape == (0, 3)
    assert [part.shape for part in scorer.score([])] == [(0, 3), (0,), (0,)]


def test_text_with_no_known_term_gets_the_intercepts(tiny: Tiny) -> None:
    scorer = load_scorer(tiny.folder / SCORER)
    expected = 1 / (1 + np.exp(-scorer.intercepts))
    found = scorer.score(["ΩΩ", ""])
    assert expected.shape == (4,)
    np.testing.assert_allclose(found.probabilities, [expected[:3]] * 2, rtol=1e-12)
    np.testing.assert_allclose(found.relevance, [expected[3]] * 2, rtol=1e-12)
    assert found.known_share.tolist() == [0.0, 1.0]


def test_scorer_file_holds_no_objects(tiny: Tiny) -> None:
    with np.load(tiny.folder / SCORER, allow_pickle=False) as arrays:
        kinds = {arrays[name].dtype.kind for name in arrays.files}
    assert kinds <= {"f", "u"}


def test_scoring_imports_no_scikit_learn(tiny: Tiny) -> None:
    program = (
        "import sys, pathlib; from topicml.scorer import load_scorer;"
        "load_scorer(pathlib.Path(sys.argv[1])).predict_proba(['bread']);"
        "print(*sorted({m.split('.')[0] for m in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tiny.folder / SCORER)],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert "numpy" in loaded
    assert not loaded & {"sklearn", "scipy", "joblib", "rich", "pickle5"}


def test_missing_scorer_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"scorer\.npz: file is missing\. Restore"):
        load_scorer(tmp_path / "scorer.npz")


@pytest.mark.parametrize("keep", [0, 10, 200, -1, -30])
def test_truncated_scorer_is_a_model_error(tiny: Tiny, tmp_path: Path, keep: int) -> None:
    path = tmp_path / "scorer.npz"
    path.write_bytes((tiny.folder / SCORER).read_bytes()[:keep])
    with pytest.raises(ModelError, match="not a readable scorer"):
        load_scorer(path)


def rewrite(source: Path, path: Path, **changes: Any) -> Path:
    with np.load(source) as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    np.savez(path, **{k: v for k, v in {**kept, **changes}.items() if v is not None})
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {"thresholds": np.zeros(2)},
        {"intercepts": np.zeros((4, 1))},
        {"intercepts": np.zeros(3)},  # relevance is missing
        {"precision_thresholds": np.zeros((3, 4))},
        {"precision_thresholds": np.zeros((5, 3))},
        {"precisions": np.zeros(4)},
        {"block0_idf": np.zeros(1)},
        {"block1_coefficients": np.zeros((1, 4))},
        {"block0_settings": None},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_arrays_that_do_not_fit_are_a_model_error(
    tiny: Tiny, tmp_path: Path, changes: dict[str, Any]
) -> None:
    path = rewrite(tiny.folder / SCORER, tmp_path / "scorer.npz", **changes)
    with pytest.raises(ModelError, match="arrays do not fit together"):
        load_scorer(path)


def test_coefficients_without_relevance_are_a_model_error(tiny: Tiny, tmp_path: Path) -> None:
    with np.load(tiny.folder / SCORER) as arrays:
        shortened = arrays["block1_coefficients"][:, :-1]
    path = rewrite(tiny.folder / SCORER, tmp_path / "scorer.npz", block1_coefficients=shortened)
    with pytest.raises(ModelError, match="arrays do not fit together"):
        load_scorer(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"topics": None},
        {"relevance_threshold": None},
        {"relevance_threshold": np.zeros(0)},
        {"precisions": None},
        {"precision_thresholds": None},
        {"block0_settings": np.frombuffer(b"{}", dtype=np.uint8)},
        {"block0_settings": np.frombuffer(b"not json", dtype=np.uint8)},
        {"topics": np.frombuffer(b"\xff\xfe", dtype=np.uint8)},
    ],
    ids=[
        *("no-topics", "no-relevance", "empty-relevance", "no-precisions", "no-precision-table"),
        *("no-settings", "no-json", "no-utf8"),
    ],
)
def test_unreadable_arrays_are_a_model_error(
    tiny: Tiny, tmp_path: Path, changes: dict[str, Any]
) -> None:
    path = rewrite(tiny.folder / SCORER, tmp_path / "scorer.npz", **changes)
    with pytest.raises(ModelError, match="not a readable scorer"):
        load_scorer(path)


def test_pickled_array_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    objects = np.array(["a", None, "c"], dtype=object)
    path = rewrite(tiny.folder / SCORER, tmp_path / "scorer.npz", topics=objects)
    with pytest.raises(ModelError, match="not a readable scorer"):
        load_scorer(path)
