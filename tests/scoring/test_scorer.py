import array
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from conftest import Tiny
from hypothesis import given
from hypothesis import strategies as st
from scorers import (
    HARD_TEXTS,
    SAME_KEYS,
    SIGMAS,
    TEXTS,
    Witnesses,
    assert_same,
    expected_scores,
    make_witnesses,
    models,
    random_pipeline,
    two_backends,
    write_sea_scorer,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion

from topicml.models.estimator import load_estimator
from topicml.models.folder import SCORER, open_model
from topicml.models.store import ModelStore
from topicml.scheme import Scheme
from topicml.scoring.scorer import Scorer, Scores
from topicml.scoring.scorer_file import load_scorer
from topicml.text.packed import pack_texts
from topicml.training.features import Parameters

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
SENTENCES = ["Japan’s command", "日米同盟の NATO", "", "the fleet", "a treaty", "Straße 🤝🏽"]
PIECES = st.lists(
    st.binary(max_size=8) | st.sampled_from([text.encode() for text in (*SENTENCES, "İΣ ")]),
    max_size=12,
).map(b"".join)


@pytest.fixture(scope="module")
def current(root: Path) -> Witnesses:
    folder = ModelStore(root / "models").find()
    return two_backends(load_estimator(open_model(folder)).pipeline_, folder / SCORER)


@pytest.fixture(scope="module")
def sea(tmp_path_factory: pytest.TempPathFactory) -> Witnesses:
    path = tmp_path_factory.mktemp("sea") / SCORER
    return two_backends(write_sea_scorer(path), path)


def both(witnesses: Witnesses, score: Callable[[Scorer], Scores]) -> Scores:
    """What the reference scorer finds, and the compiled kernel, too."""
    found = score(witnesses.reference)
    assert_same(score(witnesses.compiled), found)
    for part in found:
        assert (part >= 0).all()
        assert (part <= 1).all() or part is found.word_count
    return found


def test_probabilities_are_the_pipelines_on_all_labelled_sentences(
    current: Witnesses, root: Path
) -> None:
    texts = [
        json.loads(line)["text"]
        for name in ("articles", "authored")
        for line in (root / f"data/labels/{name}.jsonl").read_text(encoding="utf-8").split("\n")
        if line
    ]
    probabilities, relevance = expected_scores(current.pipeline, texts)
    found = current.compiled.score_texts(texts)
    np.testing.assert_allclose(found.probabilities, probabilities, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.relevance, relevance, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(current.compiled.predict_proba(texts), found.probabilities)
    assert probabilities.std() > 0.05
    assert relevance.std() > 0.05
    assert found.known_share.max() == 1
    current.assert_agree(texts if SOAK else texts[::8])


@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_probabilities_are_the_pipelines_on_any_text(current: Witnesses, texts: list[str]) -> None:
    current.assert_agree(texts)


@pytest.mark.parametrize("text", HARD_TEXTS, ids=lambda text: ascii(text)[:20])
def test_probabilities_are_the_pipelines_on_hard_text(current: Witnesses, text: str) -> None:
    current.assert_agree([text])


def test_probabilities_are_the_pipelines_on_all_hard_texts_at_once(current: Witnesses) -> None:
    current.assert_agree([*HARD_TEXTS, *HARD_TEXTS[::-1]])


def test_probabilities_are_the_pipelines_on_a_token_of_a_megabyte(current: Witnesses) -> None:
    text = "alliance" * 12_500 + "x" * 900_000
    current.assert_agree(
        ["the treaty", text, "the treaty", f"{text} the treaty"][: 4 if SOAK else 3]
    )


@given(model=models(), texts=st.lists(TEXTS, max_size=6))
def test_drawn_models_agree_on_any_text(
    model: tuple[Witnesses, list[str]], texts: list[str]
) -> None:
    witnesses, known = model
    witnesses.assert_agree([*texts, *known])


@given(model=models(), data=st.data())
def test_drawn_models_agree_on_the_words_they_know(
    model: tuple[Witnesses, list[str]], data: st.DataObject
) -> None:
    witnesses, known = model
    words = st.sampled_from([word for text in known for word in text.split()])
    repeated = st.tuples(words, st.integers(1, 70)).map(lambda pair: " ".join([pair[0]] * pair[1]))
    texts = st.lists(words | repeated | words.map(str.upper), max_size=20).map(" ".join)
    witnesses.assert_agree(data.draw(st.lists(texts, min_size=1, max_size=3)))


@given(model=models(SIGMAS), texts=st.lists(SIGMAS, min_size=1, max_size=20))
def test_drawn_models_agree_on_sigma_wherever_it_stands(
    model: tuple[Witnesses, list[str]], texts: list[str]
) -> None:
    witnesses, known = model
    witnesses.assert_agree([*texts, *known])


def test_sigma_is_lowered_as_python_does_wherever_it_stands() -> None:
    around = [
        "".join(part) for n in range(4) for part in itertools.product("aΣ' 1\u0301", repeat=n)
    ]
    texts = [f"{before}Σ{after}" for before in around for after in around]
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3))
    features = FeatureUnion([("char_wb", vectorizer.fit(texts))])
    pipeline = random_pipeline(features, 3, np.random.default_rng(0))
    witnesses = make_witnesses(pipeline, np.full(3, 0.5), 0.5)
    witnesses.assert_agree(texts if SOAK else texts[::7])
    final, other = witnesses.reference.predict_proba(["aς", "aσ"])
    assert np.abs(final - other).max() > 0.01


@pytest.mark.parametrize(("one", "other"), [*SAME_KEYS, *(pair[::-1] for pair in SAME_KEYS)])
def test_words_with_the_same_key_are_told_apart(one: str, other: str) -> None:
    blocks = [(kind, TfidfVectorizer(analyzer=kind)) for kind in ("word", "char_wb")]
    blocks[1][1].ngram_range = (2, 4)
    features = FeatureUnion(blocks).fit([f"the {one}", f"{one} sails"])
    pipeline = random_pipeline(features, 3, np.random.default_rng(0))
    witnesses = make_witnesses(pipeline, np.full(3, 0.5), 0.5)
    witnesses.assert_agree([other, one, f"{one} {other}", f"{other} {one}", f"{other} {other}"])
    assert both(witnesses, lambda scorer: scorer.score_texts([other])).known_share == 0


def character_witnesses(texts: list[str]) -> Witnesses:
    """A random model that knows the words and characters of the texts."""
    blocks = [(kind, TfidfVectorizer(analyzer=kind)) for kind in ("word", "char_wb")]
    blocks[1][1].ngram_range = (1, 3)
    pipeline = random_pipeline(FeatureUnion(blocks).fit(texts), 3, np.random.default_rng(0))
    return make_witnesses(pipeline, np.full(3, 0.5), 0.5)


@pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 15, 16, 17, 24, 63, 64, 65, 66])
@pytest.mark.parametrize("letters", ["ab", "éè", "ñ\u0085"])
def test_chunks_that_differ_in_one_place_are_told_apart(size: int, letters: str) -> None:
    """What stands between blanks is known again by its bytes, wherever it is in a buffer."""
    one, other = letters
    count = -(-size // len(one.encode()))
    chunks = [one * n + other + one * (count - 1 - n) for n in range(0, count, -(-count // 9))]
    texts = [*chunks, one * count, f" {chunks[0]}", " ".join([*chunks, *chunks]), *chunks[::-1]]
    character_witnesses(["the fleet", *texts[: len(chunks) + 1]]).assert_agree(texts)


@pytest.mark.parametrize("blank", ["\u0085", "\u3000", " "])
def test_most_terms_that_a_text_can_have_find_room(blank: str) -> None:
    """Tokens of one letter, with as little as can be between them."""
    piece = blank.join("abcdefgh") + blank
    texts = [" ".join([piece * 2] * 700), " ".join([piece] * 800), piece * 2]
    witnesses = character_witnesses(["the fleet", *texts])
    for _ in range(8):
        witnesses.assert_agree([text[n:] for n, text in enumerate(texts)])


@given(texts=st.lists(TEXTS, min_size=2, max_size=8), data=st.data())
def test_texts_are_scored_alike_together_and_alone(
    current: Witnesses, texts: list[str], data: st.DataObject
) -> None:
    together = both(current, lambda scorer: scorer.score_texts(texts))
    for row in data.draw(st.permutations(range(len(texts)))):
        alone = both(current, lambda scorer, row=row: scorer.score_texts([texts[row]]))
        assert_same(alone, Scores(*(part[row : row + 1] for part in together)))


BUFFERS: dict[str, Callable[[bytes], Any]] = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "part": lambda data: memoryview(b"abc" + data + b"def")[3:-3],
    "array": lambda data: array.array("B", data),
    "numpy": lambda data: np.frombuffer(data, dtype=np.uint8),
    "arrow": pa.py_buffer,
}


@pytest.mark.parametrize("kind", BUFFERS)
def test_any_buffer_of_bytes_is_read(current: Witnesses, kind: str) -> None:
    data, offsets = pack_texts(SENTENCES)
    buffer = BUFFERS[kind](data)
    expected = both(current, lambda scorer: scorer.score_texts(SENTENCES))
    assert_same(both(current, lambda scorer: scorer.score(buffer, offsets)), expected)
    assert bytes(memoryview(buffer)) == data
    assert np.ptp(expected.probabilities) > 0.01


@pytest.mark.parametrize("kind", BUFFERS)
def test_empty_buffer_holds_empty_texts(current: Witnesses, kind: str) -> None:
    buffer = BUFFERS[kind](b"")
    found = both(current, lambda scorer: scorer.score(buffer, [0, 0, 0]))
    assert_same(found, current.reference.score_texts(["", ""]))
    assert len(current.reference.score(buffer, [0]).relevance) == 0


@pytest.mark.parametrize(
    "kind", [list, tuple, np.int32, np.uint32, np.int64, np.uint64, array.array], ids=str
)
def test_any_whole_numbers_are_offsets(current: Witnesses, kind: Any) -> None:
    data, offsets = pack_texts(SENTENCES)
    numbers = offsets.tolist()
    if kind in (list, tuple):
        given_as = kind(numbers)
    else:
        given_as = array.array("q", numbers) if kind is array.array else np.array(numbers, kind)
    found = both(current, lambda scorer: scorer.score(data, given_as))
    assert_same(found, current.reference.score_texts(SENTENCES))


def arrow_offsets(texts: Any) -> Any:
    kind = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    numbers = np.frombuffer(texts.buffers()[1], dtype=kind)
    return numbers[texts.offset : texts.offset + len(texts) + 1]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()], ids=str)
@pytest.mark.parametrize("part", [slice(None), slice(2, 5), slice(1, None), slice(3, 3)], ids=str)
def test_arrow_arrays_are_scored_as_they_lie(current: Witnesses, kind: Any, part: slice) -> None:
    texts = pa.array([*SENTENCES, None, "the end"], kind)[part]
    buffer, offsets = texts.buffers()[2], arrow_offsets(texts)
    expected = current.reference.score_texts([text or "" for text in texts.to_pylist()])
    assert_same(both(current, lambda scorer: scorer.score(buffer, offsets)), expected)
    assert expected.probabilities.shape == (len(texts), 9)


@pytest.mark.parametrize(
    "offsets",
    [
        [],
        [-1, 3],
        [0, 3, 2],
        [0, 16],
        [3, 0],
        [[0, 3]],
        3,
        [0, 2**63 - 1],
        [0, 2**63],
        [0, 2**64 - 1],
        [0, 2**70],
        [5, -(2**63), -1, 3],  # differences that are positive if they overflow
        [0.0, 1.5],
        [0, float("nan")],
        ["0", "3"],
        [0, None],
        np.array([2**64 - 1, 3], dtype=np.uint64),
    ],
    ids=str,
)
def test_offsets_not_in_order_inside_the_buffer_are_refused(sea: Witnesses, offsets: Any) -> None:
    for scorer in (sea.reference, sea.compiled):
        with pytest.raises(ValueError, match=r"offsets|texts"):
            scorer.score(b"the fleet sails", offsets)


def test_topics_that_exclude_each_other_add_up_to_one(sea: Witnesses) -> None:
    for scorer in (sea.reference, sea.compiled):
        each = scorer.score_texts(HARD_TEXTS)
        found = replace(scorer, scheme=Scheme("multiclass")).score_texts(HARD_TEXTS)
        odds = each.probabilities / (1 - each.probabilities)
        expected = odds / odds.sum(axis=1, keepdims=True)
        assert found.probabilities == pytest.approx(expected, abs=1e-12)
        assert (found.relevance == each.relevance).all()


@given(data=PIECES, cuts=st.lists(st.integers(0, 100), max_size=4))
def test_any_bytes_are_scored_each_text_for_itself(
    current: Witnesses, data: bytes, cuts: list[int]
) -> None:
    offsets = sorted(min(cut, len(data)) for cut in (*cuts, 0, 100))
    together = both(current, lambda scorer: scorer.score(data, offsets))
    for row, (start, end) in enumerate(itertools.pairwise(offsets)):
        part = data[start:end]
        alone = both(current, lambda scorer, part=part: scorer.score(part, [0, len(part)]))
        assert_same(alone, Scores(*(values[row : row + 1] for values in together)))


def as_text(data: bytes) -> str:
    """Read UTF-8, surrogates among it, and every byte that is none as U+FFFD."""
    letters = []
    while data:
        for length in (1, 2, 3, 4):
            try:
                letters.append(data[:length].decode("utf-8", "surrogatepass"))
            except UnicodeDecodeError:
                continue
            break
        else:
            letters.append("\ufffd")
            length = 1
        data = data[length:]
    return "".join(letters)


@given(model=models(), parts=st.lists(PIECES, min_size=1, max_size=6))
def test_bytes_that_are_no_utf8_are_read_as_replacement_characters(
    model: tuple[Witnesses, list[str]], parts: list[bytes]
) -> None:
    offsets = np.cumsum([0, *map(len, parts)])
    found = both(model[0], lambda scorer: scorer.score(b"".join(parts), offsets))
    expected = model[0].reference.score_texts([as_text(part) for part in parts])
    for one, other in zip(found, expected, strict=True):
        # what is longer in bytes may be added up in another order
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


MALFORMED = [
    *(b"\x80", b"\xbf", b"\xc0", b"\xc1", b"\xf5", b"\xf8", b"\xff", b"\xe2\x82", b"\xf0\x9f\xa4"),
    *(b"\xc3(", b"\xe2(\x82", b"\xe2\x82(", b"\xf0(\x9f\xa4", b"\xf0\x9f(\xa4", b"\xf0\x9f\xa4("),
    *(b"\xc1\xa1", b"\xe0\x81\xa1", b"\xf0\x80\x81\xa1"),  # longer forms of the letter a
    *(b"\xf4\x90\x80\x80", b"\xf7\xbf\xbf\xbf", b"\xf8\x80\x80\x80\x80"),
    *(b"\xc3\xc3\xa9", b"\xce\xa3\xce", b"\xe2\xce\xa3"),
]


@pytest.mark.parametrize("data", MALFORMED, ids=bytes.hex)
def test_malformed_sequence_is_read_as_replacement_characters(
    current: Witnesses, data: bytes
) -> None:
    for around in (b"%b", b"fleet%bfleet", b"the %b fleet", b"FLEET\xce\xa3%b", b"%bnd %bt"):
        text = around.replace(b"%b", data)
        found = both(current, lambda scorer, text=text: scorer.score(text, [0, len(text)]))
        assert_same(found, current.reference.score_texts([as_text(text)]))


@pytest.mark.parametrize("letter", ["é", "İ", "Σ", "日", "🤝"])
def test_letter_cut_by_the_end_of_a_text_is_not_read_on_in_the_next(
    current: Witnesses, letter: str
) -> None:
    data = f"the fleetΣ{letter} sails".encode()
    first = data.index(letter.encode())
    for cut in range(first + 1, first + len(letter.encode())):
        offsets = [0, cut, len(data)]
        found = both(current, lambda scorer, offsets=offsets: scorer.score(data, offsets))
        heads = [as_text(data[:cut]), as_text(data[cut:])]
        assert "\ufffd" in heads[0]
        assert_same(found, current.reference.score_texts(heads))


@pytest.mark.parametrize("words", [(1, 1), (1, 2), (1, 4)])
def test_share_of_known_words_counts_words_of_two_letters_and_more(
    tmp_path: Path, words: tuple[int, int]
) -> None:
    path = tmp_path / SCORER
    witnesses = two_backends(write_sea_scorer(path, Parameters(word_ngrams=words)), path)
    shares = {
        "the FLEET": 1.0,
        "the fleet sank": 2 / 3,
        "the the sank sank": 0.5,
        "I the a x": 1.0,  # one letter is no word
        "sank swiftly": 0.0,
        "": 1.0,
        "a b c": 1.0,
    }
    found = both(witnesses, lambda scorer: scorer.score_texts(list(shares)))
    assert found.known_share.tolist() == list(shares.values())


def test_share_of_known_words_is_whole_where_single_words_are_no_features(tmp_path: Path) -> None:
    path = tmp_path / SCORER
    witnesses = two_backends(write_sea_scorer(path, Parameters(word_ngrams=(2, 2))), path)
    found = both(witnesses, lambda scorer: scorer.score_texts(["sank swiftly", "the fleet"]))
    assert found.known_share.tolist() == [1.0, 1.0]


def test_no_text_gives_no_row(tiny: Tiny) -> None:
    scorer = load_scorer(tiny.folder / SCORER)
    for _ in range(2):
        assert scorer.predict_proba([]).shape == (0, 3)
        assert {part.shape for part in scorer.score_texts([])} == {(0, 3), (0,)}
        scorer.use("compiled")


def test_text_with_no_known_term_gets_the_intercepts(tiny: Tiny) -> None:
    witnesses = two_backends(None, tiny.folder / SCORER)
    expected = 1 / (1 + np.exp(-witnesses.reference.intercepts))
    found = both(witnesses, lambda scorer: scorer.score_texts(["ΩΩ", ""]))
    assert expected.shape == (4,)
    np.testing.assert_allclose(found.probabilities, [expected[:3]] * 2, rtol=1e-12)
    np.testing.assert_allclose(found.relevance, [expected[3]] * 2, rtol=1e-12)
    assert found.known_share.tolist() == [0.0, 1.0]


def test_log_odds_however_large_overflow_nothing(sea: Witnesses) -> None:
    for size in (40.0, 800.0, 1e300):
        intercepts = np.array([size, -size, 0.0])
        for scorer in (sea.reference, sea.compiled):
            found = replace(scorer, intercepts=intercepts).score_texts([""])
            np.testing.assert_allclose(found.probabilities, [[1.0, 0.0]], rtol=0, atol=1e-15)
            assert found.relevance.tolist() == [0.5]


def test_scoring_imports_no_scikit_learn(tiny: Tiny) -> None:
    program = (
        "import sys, pathlib; from topicml.scoring.scorer_file import load_scorer;"
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
    assert not loaded & {"sklearn", "scipy", "joblib", "rich", "pickle5", "numba"}
