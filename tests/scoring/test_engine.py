import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scorers import (
    HARD_TEXTS,
    SEA_TEXTS,
    TEXTS,
    Witnesses,
    make_witnesses,
    random_pipeline,
    two_forms,
    write_sea_scorer,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion

from topicml.models.folder import SCORER
from topicml.scoring import compiled, engine, kernel
from topicml.scoring.scorer import Scorer, Scores, pack_texts
from topicml.scoring.scorer_file import load_scorer
from topicml.training.features import Parameters

THREADS = 4
CLASH = -1  # a size that no chunk has


@pytest.fixture(scope="module", autouse=True)
def forms_stay_as_they_are() -> Iterator[None]:
    """No scorer takes the compiled form by itself, however much it has read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "BULK", 1 << 62)
        yield


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sea") / SCORER
    write_sea_scorer(path, Parameters(char_ngrams=(1, 5)))
    return path


@pytest.fixture
def forms(path: Path) -> Witnesses:
    """Scorers that have scored nothing yet."""
    return two_forms(None, path)


def assert_same(found: Scores, expected: Scores) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def many_words(count: int, letters: int) -> str:
    """A text of different words, each with parts that the model knows."""
    return " ".join(f"{'fleet' * letters}{n}"[-letters:] for n in range(count))


@pytest.mark.parametrize("form", ["plain", "compiled"])
def test_four_threads_find_what_one_finds(forms: Witnesses, path: Path, form: str) -> None:
    texts = [*HARD_TEXTS, *SEA_TEXTS * 5, *(f"fleet{n} bread{n}" for n in range(200))]
    expected = forms.plain.score_texts(texts)
    scorer: Scorer = getattr(forms, form) if form == "compiled" else load_scorer(path)
    start = threading.Barrier(THREADS)

    def score(number: int) -> Scores:
        start.wait()
        order = np.random.default_rng(number).permutation(len(texts))
        parts = [scorer.score_texts([texts[n] for n in part]) for part in np.array_split(order, 20)]
        return Scores(
            *(np.concatenate(part)[np.argsort(order)] for part in zip(*parts, strict=True))
        )

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            results = list(pool.map(score, range(THREADS)))
    finally:
        sys.setswitchinterval(interval)
    for found in results:
        assert_same(found, expected)


def test_only_the_compiled_form_lets_other_threads_run(forms: Witnesses) -> None:
    """Where no thread is ever asked to give way, one runs only when another lets it."""
    data, offsets = pack_texts(["the fleet sails with bread " * 100])
    counter = [0]
    is_done = threading.Event()

    def count() -> None:
        while not is_done.is_set():
            counter[0] += 1
            time.sleep(0)  # gives way, so that this thread never holds up the other

    def counted_during(scorer: Scorer, times: int) -> int:
        places = np.zeros(times, dtype=np.int64), np.full(times, offsets[1])
        scorer.score(data, offsets)  # whatever is made for the first text is made now
        before = counter[0]
        scorer.score_spans(data, *places)
        return counter[0] - before

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    thread = threading.Thread(target=count, daemon=True)
    try:
        thread.start()
        counts = counted_during(forms.plain, 50), counted_during(forms.compiled, 5_000)
    finally:
        is_done.set()
        sys.setswitchinterval(interval)
        thread.join(60)
    assert counts[0] < 10  # numpy's own functions give way once or twice
    assert counts[1] > 100


@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_results_do_not_depend_on_what_was_scored_before(
    used: Witnesses, path: Path, texts: list[str]
) -> None:
    expected = load_scorer(path).score_texts(texts)
    for scorer in (used.plain, used.compiled):
        for _ in range(2):
            assert_same(scorer.score_texts(texts), expected)


@pytest.fixture(scope="module")
def used(path: Path) -> Witnesses:
    return two_forms(None, path)


@pytest.mark.parametrize(("letters", "counts"), [(8, (5_000, 140_000)), (60, (3_000, 40_000))])
def test_tokens_are_forgotten_where_there_is_no_room(
    forms: Witnesses, path: Path, letters: int, counts: tuple[int, int]
) -> None:
    """More tokens, letters and terms than are remembered, in both forms."""
    first = [many_words(500, letters), *SEA_TEXTS]
    expected = load_scorer(path).score_texts(first)
    for scorer, count in zip((forms.plain, forms.compiled), counts, strict=True):
        assert_same(scorer.score_texts(first), expected)
        words = many_words(count, letters).split(" ")
        texts = [" ".join(words[n : n + 1000]) for n in range(0, count, 1000)]
        found = scorer.score_texts([*texts, *first])
        assert_same(Scores(*(part[-len(first) :] for part in found)), expected)
        last = load_scorer(path).score_texts(texts[-1:])
        assert_same(Scores(*(part[len(texts) - 1 : len(texts)] for part in found)), last)


def test_what_was_half_done_is_not_kept(
    forms: Witnesses, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C may come at any time, and the scorer be used again."""
    expected = load_scorer(path).score_texts(SEA_TEXTS)
    forms.plain.score_texts(SEA_TEXTS[::2])

    def stop_in_the_middle(*arguments: Any) -> None:
        memory: kernel.Memory = arguments[-1]
        memory.used[0] = memory.used[3] = 0
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(kernel, "make_room", stop_in_the_middle)
        with pytest.raises(KeyboardInterrupt):
            forms.plain.score_texts(SEA_TEXTS[::-1])
    assert_same(forms.plain.score_texts(SEA_TEXTS[1:]), Scores(*(part[1:] for part in expected)))


def test_failing_to_get_room_costs_nothing_but_the_call(
    forms: Witnesses, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise MemoryError

    for scorer in (forms.plain, forms.compiled):
        expected = load_scorer(path).score_texts(SEA_TEXTS)
        scorer.score_texts(SEA_TEXTS)
        with monkeypatch.context() as patch:
            patch.setattr(np, "ones", refuse)
            with pytest.raises(MemoryError):
                scorer.score_texts(["bread " * 1000])
        assert_same(scorer.score_texts(SEA_TEXTS), expected)


def test_gigabytes_in_one_thread_do_not_wear_out_what_is_counted(
    forms: Witnesses, path: Path
) -> None:
    texts = [*SEA_TEXTS, "bread and bread and the fleet"]
    expected = load_scorer(path).score_texts(texts)
    for scorer in (forms.plain, forms.compiled):
        scorer.score_texts(SEA_TEXTS[:1])
        ((_, memory, _),) = scorer.engine._threads.__dict__.values()
        memory.used[4] = 1 << 40
        assert_same(scorer.score_texts(texts), expected)


KINDS_OF_CHUNKS = [
    lambda n: f"someone.{n:04d}@example.com",
    lambda n: f"IMG_2024{n:04d}.jpg",
    lambda n: f"fleet-{n:06d}.pdf",
    lambda n: f"2024-05-{n % 28:02d}T{n // 28:02d}:00:00.000Z",
    lambda n: f"https://fleet.example/{n}/sails.html",
    lambda n: f"international-{n}-organisation",
    lambda n: f"{n}",
    lambda n: chr(0x4E00 + n) * 3,
]


@pytest.mark.parametrize("make", KINDS_OF_CHUNKS)
def test_chunks_that_are_much_alike_find_places_of_their_own(make: Callable[[int], str]) -> None:
    records = [0] * (4096 * kernel.RECORD)
    for n in range(1000):
        buffer = f"fleets {make(n)}".encode()
        eights = engine._Eights(np.frombuffer(buffer, dtype=np.uint8))
        record = kernel.find_chunk(buffer, eights, 7, len(buffer), records, b"")
        assert record >= 0
        assert records[record + kernel.SIZE] == 0
        records[record + kernel.SIZE] = CLASH


def test_room_grows_with_the_longest_text(forms: Witnesses, path: Path) -> None:
    texts = ["bread", "the fleet " * 1000, "the fleet", "sails " * 5000, "", "the fleet"]
    expected = [load_scorer(path).score_texts([text]) for text in texts]
    for scorer in (forms.plain, forms.compiled):
        for text, scores in zip(texts, expected, strict=True):
            assert_same(scorer.score_texts([text]), scores)


def test_texts_may_lie_anywhere_in_the_buffer(forms: Witnesses) -> None:
    data = "bread, the fleet sails; 日本 at dawn".encode()
    spans = [(7, 16), (0, 5), (7, 22), (3, 3), (0, len(data)), (7, 16)]
    expected = forms.plain.score_texts([data[start:end].decode() for start, end in spans])
    starts, ends = zip(*spans, strict=True)
    for scorer in (forms.plain, forms.compiled):
        assert_same(scorer.score_spans(data, starts, ends), expected)


@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        ([0], [6]),
        ([-1], [3]),
        ([3], [2]),
        ([0, 1], [5]),
        ([0], []),
        ([0], [2**63]),
        ([2**63], [2**63]),
        ([0.5], [3]),
        ([[0]], [[1]]),
        (0, 5),
        ([-(2**63)], [2**63 - 1]),
    ],
)
def test_spans_outside_the_buffer_are_refused(forms: Witnesses, starts: Any, ends: Any) -> None:
    for scorer in (forms.plain, forms.compiled):
        with pytest.raises(ValueError, match=r"starts|texts|offsets"):
            scorer.score_spans(b"fleet", starts, ends)
        assert len(scorer.score_spans(b"fleet", [], []).relevance) == 0


@pytest.mark.parametrize("topics", [1, 2, 3, 4, 7, 8, 20])
def test_any_number_of_topics_is_added_up(topics: int) -> None:
    """Columns are added four at a time, and those behind the last are none."""
    rng = np.random.default_rng(topics)
    features = FeatureUnion([("word", TfidfVectorizer())]).fit(SEA_TEXTS)
    witnesses = make_witnesses(random_pipeline(features, topics, rng), np.full(topics, 0.5), 0.5)
    witnesses.assert_agree([*SEA_TEXTS, ""])
    assert witnesses.compiled.predict_proba(SEA_TEXTS).shape == (6, topics)


def test_bulk_takes_the_compiled_form_where_numba_is_installed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(engine, "BULK", 1000)
    monkeypatch.setattr(compiled, "compile_kernel", spy(asked, compiled.compile_kernel))
    scorer = load_scorer(path)
    expected = load_scorer(path).score_texts(SEA_TEXTS)
    read = 0
    while not asked:
        assert_same(scorer.score_texts(SEA_TEXTS), expected)
        read += sum(map(len, SEA_TEXTS))
    assert read - sum(map(len, SEA_TEXTS)) < 1000 <= read
    asked.clear()
    scorer = load_scorer(path)
    monkeypatch.setattr(compiled, "is_usable", lambda: False)
    scorer.engine.compile()
    for _ in range(20):
        assert_same(scorer.score_texts(SEA_TEXTS), expected)
    assert not asked


def spy(asked: list[str], function: Callable[[], Any]) -> Callable[[], Any]:
    def asking() -> Any:
        asked.append(function.__name__)
        return function()

    return asking


def test_all_models_and_buffers_share_one_compiled_form(tmp_path: Path) -> None:
    """A compilation takes ten seconds, so there is one type of each array."""
    kinds = [
        Parameters(char_ngrams=None),
        Parameters(word_ngrams=(2, 3), sublinear_tf=False),
        Parameters(char_ngrams=(1, 6), min_df=2),
    ]
    data, offsets = pack_texts(SEA_TEXTS)
    buffers = [data, bytearray(data), memoryview(data), np.frombuffer(data, dtype=np.uint8)]
    for parameters in kinds:
        write_sea_scorer(tmp_path / SCORER, parameters)
        scorer = load_scorer(tmp_path / SCORER)
        scorer.engine.compile()
        for buffer in buffers:
            scorer.score(buffer, offsets)
            scorer.score(buffer, offsets.astype(np.int32)[1:3])
    copied = replace(scorer, intercepts=np.array(scorer.intercepts))
    copied.score_texts(SEA_TEXTS)
    functions = compiled.compile_kernel()
    for name in ("add_texts", "apply_sigmoid"):
        assert len(functions[name].signatures) == 1
