import json
import subprocess
import sys
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
    expected = pipeline.predict_proba(texts)
    np.testing.assert_allclose(scorer.predict_proba(texts), expected, rtol=0, atol=1e-9)
    assert expected.std() > 0.05


@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_probabilities_are_the_pipelines_on_any_text(
    current: tuple[Scorer, Any], texts: list[str]
) -> None:
    scorer, pipeline = current
    np.testing.assert_allclose(
        scorer.predict_proba(texts), pipeline.predict_proba(texts), rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("text", HARD_TEXTS, ids=lambda text: ascii(text)[:20])
def test_probabilities_are_the_pipelines_on_hard_text(
    current: tuple[Scorer, Any], text: str
) -> None:
    scorer, pipeline = current
    np.testing.assert_allclose(
        scorer.predict_proba([text]), pipeline.predict_proba([text]), rtol=0, atol=1e-9
    )


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
    texts = [
        "the fleet sails at dawn",
        "the fleet sails home",
        "bread is baked at dawn",
        "bread is baked at home",
        "the fleet sails with bread",
        "nothing is at home",
    ]
    Y = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [1, 1], [0, 0]])
    pipeline = make_pipeline(parameters).fit(texts, Y)
    export_scorer(pipeline, ["sea", "food"], np.array([0.4, 0.6]), tmp_path / "scorer.npz")
    scorer = load_scorer(tmp_path / "scorer.npz")
    assert scorer.topics == ("sea", "food")
    assert scorer.thresholds.tolist() == [0.4, 0.6]
    asked = [*texts, "a", "", "the fleet the fleet sails bread"]
    np.testing.assert_allclose(
        scorer.predict_proba(asked), pipeline.predict_proba(asked), rtol=0, atol=1e-12
    )


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


def test_text_with_no_known_term_gets_the_intercepts(tiny: Tiny) -> None:
    scorer = load_scorer(tiny.folder / SCORER)
    expected = 1 / (1 + np.exp(-scorer.intercepts))
    np.testing.assert_allclose(scorer.predict_proba(["ΩΩ", ""]), [expected, expected], rtol=1e-12)


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
        {"intercepts": np.zeros((3, 1))},
        {"block0_idf": np.zeros(1)},
        {"block1_coefficients": np.zeros((1, 3))},
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


@pytest.mark.parametrize(
    "changes",
    [
        {"topics": None},
        {"block0_settings": np.frombuffer(b"{}", dtype=np.uint8)},
        {"block0_settings": np.frombuffer(b"not json", dtype=np.uint8)},
        {"topics": np.frombuffer(b"\xff\xfe", dtype=np.uint8)},
    ],
    ids=["no-topics", "no-settings", "no-json", "no-utf8"],
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
