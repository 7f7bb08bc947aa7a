import sys
import threading
import time
from collections.abc import Callable
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
    assert_same,
    make_witnesses,
    random_pipeline,
    two_backends,
    write_sea_scorer,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion

from topicml import compiling
from topicml.models.folder import SCORER
from topicml.scoring import backends, compiled, compiler, kernel, reference
from topicml.scoring.scorer import Scorer, Scores
from topicml.scoring.scorer_file import load_scorer
from topicml.text.packed import pack_texts
from topicml.training.features import Parameters

THREADS = 4


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sea") / SCORER
    write_sea_scorer(path, Parameters(char_ngrams=(1, 5)))
    return path


@pytest.fixture
def both(path: Path) -> Witnesses:
    """Scorers that have scored nothing yet."""
    return two_backends(None, path)


def many_words(count: int, letters: int) -> str:
    """A text of different words, each with parts that the model knows."""
    return " ".join(f"{'fleet' * letters}{n}"[-letters:] for n in range(count))


@pytest.mark.parametrize("backend", ["reference", "compiled"])
def test_four_threads_find_what_one_finds(both: Witnesses, path: Path, backend: Any) -> None:
    texts = [*HARD_TEXTS, *SEA_TEXTS * 5, *(f"fleet{n} bread{n}" for n in range(200))]
    expected = both.reference.score_texts(texts)
    scorer = load_scorer(path)
    scorer.use(backend)
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


def test_only_the_compiled_kernel_lets_other_threads_run(both: Witnesses) -> None:
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
        counts = counted_during(both.reference, 50), counted_during(both.compiled, 5_000)
    finally:
        is_done.set()
        sys.setswitchinterval(interval)
        thread.join(60)
    assert counts[0] < 50  # numpy's own functions give way a few times
    assert counts[1] > 100


@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_results_do_not_depend_on_what_was_scored_before(
    used: Witnesses, path: Path, texts: list[str]
) -> None:
    expected = load_scorer(path).score_texts(texts)
    for scorer in (used.reference, used.compiled):
        for _ in range(2):
            assert_same(scorer.score_texts(texts), expected)


@pytest.fixture(scope="module")
def used(path: Path) -> Witnesses:
    return two_backends(None, path)


@pytest.mark.parametrize(
    ("letters", "count"), [(8, 140_000), pytest.param(60, 40_000, marks=pytest.mark.soak)]
)
@pytest.mark.parametrize("backend", ["reference", "compiled"])
def test_tokens_are_forgotten_where_there_is_no_room(
    path: Path, backend: Any, letters: int, count: int
) -> None:
    """More tokens, letters and terms than are cached."""
    first = [many_words(500, letters), *SEA_TEXTS]
    expected = load_scorer(path).score_texts(first)
    scorer = load_scorer(path)
    scorer.use(backend)
    assert_same(scorer.score_texts(first), expected)
    words = many_words(count, letters).split(" ")
    texts = [" ".join(words[n : n + 1000]) for n in range(0, count, 1000)]
    found = scorer.score_texts([*texts, *first])
    assert_same(Scores(*(part[-len(first) :] for part in found)), expected)
    last = load_scorer(path).score_texts(texts[-1:])
    assert_same(Scores(*(part[len(texts) - 1 : len(texts)] for part in found)), last)


def test_reference_scorer_keeps_so_many_tokens_and_no_long_ones(path: Path) -> None:
    scorer = load_scorer(path)
    tokens = scorer.backends._reference._tokens
    scorer.score_texts([f"fleet {'x' * 64} {'x' * 65}"])
    assert set(tokens) == {"fleet", "x" * 64}
    scorer.score_texts([many_words(reference._MOST_TOKENS - 1, 8)])
    assert len(tokens) == 1  # all were forgotten for the last one
    assert_same(scorer.score_texts(SEA_TEXTS), load_scorer(path).score_texts(SEA_TEXTS))


def test_what_was_half_done_is_not_kept(
    both: Witnesses, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C may come at any time, and the scorer be used again."""
    expected = load_scorer(path).score_texts(SEA_TEXTS)
    both.compiled.score_texts(SEA_TEXTS[::2])

    def stop_in_the_middle(*arguments: Any) -> None:
        cache = arguments[4].cache
        cache.used[0] = cache.used[3] = 0
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(compiled, "compile_kernel", lambda: {"add_texts": stop_in_the_middle})
        with pytest.raises(KeyboardInterrupt):
            both.compiled.score_texts(SEA_TEXTS[::-1])
    assert_same(both.compiled.score_texts(SEA_TEXTS[1:]), Scores(*(part[1:] for part in expected)))


def test_interrupted_reference_scorer_keeps_nothing_half_done(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = load_scorer(path).score_texts(SEA_TEXTS)
    scorer = load_scorer(path)

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    for function in ("_character_terms", "_word_terms", "_add_log_odds"):
        with monkeypatch.context() as patch:
            patch.setattr(reference, function, stop)
            with pytest.raises(KeyboardInterrupt):
                scorer.score_texts(SEA_TEXTS)
    assert_same(scorer.score_texts(SEA_TEXTS), expected)


def test_failing_to_get_room_costs_nothing_but_the_call(
    both: Witnesses, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise MemoryError

    expected = load_scorer(path).score_texts(SEA_TEXTS)
    for scorer in (both.reference, both.compiled):
        scorer.score_texts(SEA_TEXTS)
        with monkeypatch.context() as patch:
            patch.setattr(np, "ones", refuse)
            patch.setattr(np, "repeat", refuse)
            with pytest.raises(MemoryError):
                scorer.score_texts(["bread " * 1000])
        assert_same(scorer.score_texts(SEA_TEXTS), expected)


def test_gigabytes_in_one_thread_do_not_wear_out_what_is_counted(
    both: Witnesses, path: Path
) -> None:
    texts = [*SEA_TEXTS, "bread and bread and the fleet"]
    expected = load_scorer(path).score_texts(texts)
    both.compiled.score_texts(SEA_TEXTS[:1])
    scorer = both.compiled.backends._compiled
    assert scorer is not None
    scorer._threads.context.cache.used[4] = 1 << 40
    assert_same(both.compiled.score_texts(texts), expected)


KINDS_OF_TOKENS = [
    lambda n: f"someone.{n:04d}@example.com",
    lambda n: f"IMG_2024{n:04d}.jpg",
    lambda n: f"fleet-{n:06d}.pdf",
    lambda n: f"2024-05-{n % 28:02d}T{n // 28:02d}:00:00.000Z",
    lambda n: f"https://fleet.example/{n}/sails.html",
    lambda n: f"international-{n}-organisation",
    lambda n: f"{n}",
    lambda n: chr(0x4E00 + n) * 3,
]


@pytest.mark.parametrize("make", KINDS_OF_TOKENS)
def test_tokens_that_are_much_alike_find_slots_of_their_own(
    both: Witnesses, make: Callable[[int], str]
) -> None:
    texts = [f"fleets {make(n)}" for n in range(1000)]
    both.compiled.score_texts([*texts, *texts])
    scorer = both.compiled.backends._compiled
    assert scorer is not None
    assert scorer._threads.context.cache.used[0] == 1 + len({make(n) for n in range(1000)})


def test_room_grows_with_the_longest_text(both: Witnesses, path: Path) -> None:
    texts = ["bread", "the fleet " * 1000, "the fleet", "sails " * 5000, "", "the fleet"]
    expected = [load_scorer(path).score_texts([text]) for text in texts]
    for scorer in (both.reference, both.compiled):
        for text, scores in zip(texts, expected, strict=True):
            assert_same(scorer.score_texts([text]), scores)


def test_texts_may_lie_anywhere_in_the_buffer(both: Witnesses) -> None:
    data = "bread, the fleet sails; 日本 at dawn".encode()
    spans = [(7, 16), (0, 5), (7, 22), (3, 3), (0, len(data)), (7, 16)]
    expected = both.reference.score_texts([data[start:end].decode() for start, end in spans])
    starts, ends = zip(*spans, strict=True)
    for scorer in (both.reference, both.compiled):
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
def test_spans_outside_the_buffer_are_refused(both: Witnesses, starts: Any, ends: Any) -> None:
    for scorer in (both.reference, both.compiled):
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


def test_a_new_scorer_takes_the_kernel_once_enough_was_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "BULK", 1000)
    monkeypatch.setattr(compiler, "is_compiled_kept", lambda: True)
    scorer = load_scorer(path)
    expected = load_scorer(path).score_texts(SEA_TEXTS)
    assert scorer.score(b" " * 999, [0, 999]).word_count.tolist() == [0]
    assert scorer.backend == "reference"
    assert scorer.backends._compiled is None
    assert_same(scorer.score_texts(SEA_TEXTS), expected)  # these are counted before they are read
    assert scorer.backend == "compiled"
    assert scorer.backends._compiled is not None


def test_where_the_kernel_is_not_compiled_yet_more_must_be_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "BULK", 1000)
    monkeypatch.setattr(backends, "BULK_TO_COMPILE", 2000)
    monkeypatch.setattr(compiler, "is_compiled_kept", lambda: False)
    scorer = load_scorer(path)
    for size, backend in ((1999, "reference"), (1, "compiled")):
        scorer.score(b" " * size, [0, size])
        assert scorer.backend == backend


def test_what_is_used_can_be_chosen(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "BULK", 0)
    monkeypatch.setattr(backends, "BULK_TO_COMPILE", 0)
    scorer = load_scorer(path)
    assert scorer.backend == "compiled"
    scorer.use("reference")
    scorer.score_texts(SEA_TEXTS)
    assert scorer.backend == "reference"
    assert scorer.backends._compiled is None
    scorer.use("compiled")
    scorer.score_texts(SEA_TEXTS)
    assert scorer.backend == "compiled"
    assert scorer.backends._compiled is not None
    monkeypatch.setattr(backends, "BULK", 1 << 62)
    scorer.use("auto")
    assert scorer.backend == "compiled"  # it has started, so that it costs nothing


@pytest.mark.parametrize("choice", ["auto", "compiled"])
def test_without_a_usable_numba_the_reference_scorer_does_all(
    path: Path, monkeypatch: pytest.MonkeyPatch, choice: Any
) -> None:
    monkeypatch.setattr(backends, "BULK", 0)
    monkeypatch.setattr(backends, "BULK_TO_COMPILE", 0)
    monkeypatch.setattr(compiling, "is_usable", lambda: False)
    scorer = load_scorer(path)
    scorer.use(choice)
    assert_same(scorer.score_texts(SEA_TEXTS), load_scorer(path).score_texts(SEA_TEXTS))
    assert scorer.backend == "reference"
    assert scorer.backends._compiled is None


def test_one_thread_starts_the_kernel_and_the_others_wait(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, most, started = 0, 0, []

    class Slow(compiled.CompiledScorer):
        def __init__(self, blocks: Any) -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            time.sleep(0.05)
            super().__init__(blocks)
            started.append(self)
            running -= 1

    monkeypatch.setattr(compiled, "CompiledScorer", Slow)
    scorers = [load_scorer(path), load_scorer(path)]
    for scorer in scorers:
        scorer.use("compiled")
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda n: scorers[n % 2].score_texts(SEA_TEXTS), range(THREADS)))
    assert most == 1
    assert len(started) == len(scorers)


def test_all_models_and_buffers_share_one_compiled_kernel(tmp_path: Path) -> None:
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
        scorer.use("compiled")
        for buffer in buffers:
            scorer.score(buffer, offsets)
            scorer.score(buffer, offsets.astype(np.int32)[1:3])
    copied = replace(scorer, intercepts=np.array(scorer.intercepts))
    copied.score_texts(SEA_TEXTS)
    for function in kernel.ENTRIES:
        assert len(compiler.compile_kernel()[function.__name__].signatures) == 1
