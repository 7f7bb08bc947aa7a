"""Near copies of wire stories are found, other stories are not, and memory has a bound."""

import hashlib
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topicml.batch.near_duplicates import MOST_REMEMBERED, DuplicateIndex, signature

ROOT = Path(__file__).resolve().parents[2]
Random = np.random.Generator
Story = list[str]  # its paragraphs, the headline first


# Copies as wires make them


@cache
def sentences() -> list[str]:
    lines = (ROOT / "data/labels/authored.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


@cache
def headlines() -> list[str]:
    return [line.rstrip(".") for line in sentences() if 6 <= len(line.split()) <= 14]


def real_stories() -> list[Story]:
    paths = sorted((ROOT / "data/raw").glob("*.txt"))
    return [[line for line in path.read_text("utf-8").split("\n") if line] for path in paths]


def made_story(random: Random, fewest: int, most: int, ending: Sequence[str] = ()) -> Story:
    """A headline and paragraphs of two sentences; the ending counts among the sentences."""
    count = int(random.integers(fewest, most + 1)) - len(ending)
    drawn = [sentences()[i] for i in random.choice(len(sentences()), count, replace=False)]
    body = [*drawn, *ending]
    paragraphs = [" ".join(body[i : i + 2]) for i in range(0, len(body), 2)]
    return [headline(random), *paragraphs]


def headline(random: Random) -> str:
    return str(random.choice(headlines()))


def place(random: Random) -> str:
    return str(random.choice(["BRUSSELS, 3 May (Wire) - ", "Oslo — ", "WASHINGTON, D.C. (W) – "]))


def byline(random: Random) -> str:
    return str(random.choice(["By Ann Example, staff writer", "By J. R. Writer and K. Other"]))


def mistyped(paragraph: str, random: Random) -> str:
    """One word in a hundred is another."""
    wrong = random.random(10_000) < 0.01
    words = enumerate(paragraph.split(" "))
    return " ".join(word[::-1] + "x" if wrong[i] else word for i, word in words)


FOOTER = "Reporting by the wire desk, editing by the night desk. All rights reserved."
OTHER_MARKS = str.maketrans({"'": "’", '"': "“", ",": None, "-": " – "})
EDITS: list[Callable[[Story, Random], Story]] = [
    lambda story, random: [headline(random), *story[1:]],
    lambda story, random: [story[0], byline(random), *story[1:]],
    lambda story, random: [story[0], place(random) + story[1], *story[2:]],
    lambda story, _: [paragraph.translate(OTHER_MARKS) for paragraph in story],
    lambda story, _: [story[0].upper(), *(line.upper() for line in story[1:2]), *story[2:]],
    lambda story, _: story[:-1],  # the last paragraph is cut
    lambda story, _: [*story, FOOTER],
    lambda story, _: [line.replace(" ", "\n", 3) for line in story],
    lambda story, random: [mistyped(line, random) for line in story],
]


def copied(story: Story, edits: int, random: Random) -> Story:
    for number in sorted(random.choice(len(EDITS), edits, replace=False)):
        story = EDITS[number](story, random)
    return story


def answer(index: DuplicateIndex, id_: str, story: Story) -> str | None:
    return index.first_of(id_, signature("\n".join(story)))


def recall(stories: list[Story], edits: int, times: int = 1) -> float:
    """Share of copies found; a copy taken for one of another story fails."""
    random = np.random.default_rng(edits)
    index = DuplicateIndex(1000)
    for i, story in enumerate(stories):
        assert answer(index, str(i), story) is None
    found = []
    for i, story in [*enumerate(stories)] * times:
        first = answer(index, f"copy {len(found)} of {i}", copied(story, edits, random))
        assert first is None or first == str(i) or first.endswith(f" of {i}")
        found.append(first is not None)
    return sum(found) / len(found)


@pytest.mark.parametrize(("edits", "floor"), [(1, 1.0), (3, 1.0), (5, 0.98), (9, 0.95)])
def test_copies_of_real_articles_are_found(edits: int, floor: float) -> None:
    assert recall(real_stories(), edits, times=40) >= floor


@pytest.mark.parametrize(("edits", "floor"), [(1, 0.99), (3, 0.96), (5, 0.85)])
def test_copies_of_stories_of_300_words_are_found(edits: int, floor: float) -> None:
    random = np.random.default_rng(0)
    assert recall([made_story(random, 10, 28) for _ in range(300)], edits) >= floor


@pytest.mark.parametrize("share", [0.2, 0.3, 0.4])
def test_stories_that_share_an_ending_are_not_copies(share: float) -> None:
    random = np.random.default_rng(0)
    ending = sentences()[: round(share * 20)]
    index = DuplicateIndex()
    stories = [made_story(random, 20, 20, ending) for _ in range(400)]
    assert [answer(index, str(i), story) for i, story in enumerate(stories)] == [None] * 400


def test_a_bulletin_with_other_names_and_figures_is_not_a_copy() -> None:
    random = np.random.default_rng(0)
    template = " ".join(sentences()[:20]).split()
    index = DuplicateIndex()
    for i in range(100):
        other = random.random(len(template)) < 0.1
        words = [f"{i}x{n}" if other[n] else word for n, word in enumerate(template)]
        assert index.first_of(str(i), signature(" ".join(words))) is None


# What counts as the same


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("The “Baltic” fleet’s ﬁrst ship", "the 'baltic' fleet's FIRST ship"),
        ("Straße  nach\tKyjiw\n\n", "STRASSE nach Kyjiw"),
        ("naïve café", "nai\u0308ve cafe\u0301"),
        ("A ship — grey — sailed…", "a ship, grey, sailed"),
    ],
)
def test_case_marks_and_white_space_do_not_count(text: str, same: str) -> None:
    assert signature(text) == signature(same)


WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "mnrst"]


@given(st.integers(2, 19), st.data())
def test_short_texts_have_only_exact_copies(count: int, data: st.DataObject) -> None:
    words = WORDS[:count]
    index = DuplicateIndex(10)
    assert index.first_of("a", signature(" ".join(words))) is None
    changed = data.draw(st.integers(0, count - 1))
    other = [*words[:changed], "other", *words[changed + 1 :]]
    assert index.first_of("b", signature(" ".join(other))) is None
    assert index.first_of("c", signature(", ".join(words).upper())) == "a"


def test_texts_of_twenty_words_have_near_copies() -> None:
    index = DuplicateIndex(10)
    index.first_of("a", signature(" ".join(WORDS[:20])))
    assert index.first_of("b", signature(" ".join([*WORDS[:20], "more"]))) == "a"


@pytest.mark.parametrize("text", ["", " \n", "… — !?", "\ud800", "😀"])
def test_texts_without_words_are_nobodys_copies(text: str) -> None:
    index = DuplicateIndex(10)
    assert [index.first_of(id_, signature(text)) for id_ in "ab"] == [None, None]
    assert len(index) == 0


def test_order_of_words_and_paragraphs_counts() -> None:
    assert signature("ship sails north") != signature("north sails ship")
    assert signature("ships ail") != signature("ship sail")
    words = WORDS[:100]
    index = DuplicateIndex(10)
    assert index.first_of("a", signature(" ".join(words))) is None
    assert index.first_of("b", signature(" ".join(words[::-1]))) is None


@pytest.mark.parametrize("length", [65_535, 65_536, 65_537, 300_000])
def test_long_texts_are_compared_whole(length: int) -> None:
    random = np.random.default_rng(length)
    text = " ".join(random.choice(WORDS, length // 4).tolist())[:length]
    index = DuplicateIndex(10)
    assert index.first_of("a", signature(text)) is None
    assert signature(text.replace(" ", "\n").upper()) == signature(text)
    assert signature(f" – {text}") == signature(text)
    assert index.first_of("b", signature(f"A new headline\n{text[:-200]}")) == "a"
    assert index.first_of("c", signature(text[: length // 2])) is None


def test_a_text_without_spaces_has_a_signature() -> None:
    assert len(signature("x" * 200_000)) <= 128


def test_a_long_text_takes_memory_of_about_its_own_size() -> None:
    text = "alliance ships sail " * 400_000
    signature("warm")
    tracemalloc.start()
    try:
        signature(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6 * len(text)


def shingles(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}


def test_equal_hashes_tell_the_overlap_of_five_consecutive_words() -> None:
    random = np.random.default_rng(0)
    errors = []
    for _ in range(300):
        words = random.choice(WORDS, 300).tolist()
        cut = int(random.integers(0, 150))
        other = [*words[cut:], *random.choice(WORDS, int(random.integers(0, 100))).tolist()]
        left, right = (np.frombuffer(signature(" ".join(w))[8:], np.uint8) for w in (words, other))
        sets = shingles(words), shingles(other)
        true = len(sets[0] & sets[1]) / len(sets[0] | sets[1])
        errors.append(float((left == right).mean()) - true)
    assert abs(np.mean(errors)) < 0.01
    assert np.std(errors) < 0.045  # at most 0.5 / sqrt(120), were the hashes independent


# Properties

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=400)
STORIES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=60).map(" ".join)


@given(ANY_TEXT)
def test_any_text_has_a_small_signature_and_its_copy_is_found(text: str) -> None:
    made = signature(text)
    assert len(made) in {0, 8, 128}
    index = DuplicateIndex(10)
    assert index.first_of("a", made) is None
    assert index.first_of("b", signature(text)) == ("a" if made else None)


@given(st.lists(STORIES, min_size=1, max_size=12, unique=True), st.data())
def test_exact_copies_are_found_and_answers_name_first_records(
    texts: list[str], data: st.DataObject
) -> None:
    order = data.draw(st.lists(st.sampled_from(texts), max_size=30))
    index = DuplicateIndex(100)
    first: dict[str, str] = {}
    new: set[str] = set()
    for i, text in enumerate(order):
        found = index.first_of(str(i), signature(text))
        assert found is None or found in new
        assert found == first.get(text, found)
        assert found is not None or text not in first
        first[text] = found or str(i)
        new |= {str(i)} if found is None else set()
    assert len(index) == len(new)


SIGNATURES = st.one_of(
    st.integers(0, 9).map(lambda n: n.to_bytes(8, "little")),
    st.integers(0, 9).map(lambda n: hashlib.shake_256(bytes([n])).digest(128)),
)


@given(st.integers(1, 6), st.lists(SIGNATURES, max_size=60))
def test_the_oldest_is_forgotten_first(most: int, made: list[bytes]) -> None:
    index = DuplicateIndex(most)
    remembered: dict[bytes, str] = {}
    for i, each in enumerate(made):
        assert index.first_of(str(i), each) == remembered.get(each)
        remembered.setdefault(each, str(i))
        if len(remembered) > most:
            del remembered[next(iter(remembered))]
        assert len(index) == len(remembered)


@given(st.integers(1, 8), st.lists(SIGNATURES, max_size=40), st.lists(SIGNATURES, max_size=20))
def test_an_index_rebuilt_from_signatures_goes_on_alike(
    most: int, before: list[bytes], after: list[bytes]
) -> None:
    index, rebuilt = DuplicateIndex(most), DuplicateIndex(most)
    answers = [index.first_of(f"b{i}", each) for i, each in enumerate(before)]
    new = [(f"b{i}", each) for i, each in enumerate(before) if answers[i] is None]
    for id_, each in new[-most:]:
        rebuilt.first_of(id_, each)
    for i, each in enumerate(after):
        assert rebuilt.first_of(f"a{i}", each) == index.first_of(f"a{i}", each)


def test_the_first_of_several_near_records_is_named() -> None:
    words = WORDS[:100]
    left, right = ([*words[:5], *words[5 + n :]] for n in (20, 0))
    index = DuplicateIndex(10)
    index.first_of("first", signature(" ".join(left)))
    index.first_of("second", signature(" ".join(right)))
    between = [*words[:5], *words[15:]]
    assert index.first_of("third", signature(" ".join(between))) == "first"


# In any process

PINNED = "ae338ecd6270e5cf6fe55769f6d16a9e7e6b2a94b4947d71e511f08bd4a69a93"


def test_signatures_are_those_that_older_runs_wrote_down() -> None:
    made = b"".join(signature("\n".join(story)) for story in real_stories())
    assert hashlib.sha256(made).hexdigest() == PINNED


@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_hash_seed_of_the_process_changes_nothing(seed: str) -> None:
    texts = [" ".join(sentences()[i : i + 5]) for i in range(0, 60, 3)]
    code = (
        "import json, sys\n"
        "from topicml.batch.near_duplicates import DuplicateIndex, signature\n"
        "index = DuplicateIndex(20)\n"
        "texts = json.load(sys.stdin)\n"
        "made = [signature(text) for text in texts + texts]\n"
        "answers = [index.first_of(str(i), each) for i, each in enumerate(made)]\n"
        "print(json.dumps([[each.hex() for each in made], answers]))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )
    index = DuplicateIndex(20)
    made = [signature(text) for text in texts + texts]
    answers = [index.first_of(str(i), each) for i, each in enumerate(made)]
    assert json.loads(run.stdout) == [[each.hex() for each in made], answers]
    assert answers[20:] == [str(i) for i in range(20)]


# Bounds


def test_the_default_index_stays_under_100_megabytes() -> None:
    tracemalloc.start()
    try:
        index = DuplicateIndex()
        fixed = tracemalloc.get_traced_memory()[0]
        ids = 2_000
        random = np.random.default_rng(0)
        for i in range(ids):
            index.first_of(f"news-2024-05/part-17.jsonl:{i:07}", random.bytes(128))
        each = (tracemalloc.get_traced_memory()[0] - fixed) / ids
    finally:
        tracemalloc.stop()
    assert len(index) == ids
    assert fixed + each * MOST_REMEMBERED < 100_000_000


def test_a_full_index_does_not_grow() -> None:
    random = np.random.default_rng(0)
    index = DuplicateIndex(500)
    made = [random.bytes(128) for _ in range(3_000)]
    for i in range(1_000):
        index.first_of(f"{i:08}", made[i])
    tracemalloc.start()
    try:
        for i in range(1_000, 3_000):
            index.first_of(f"{i:08}", made[i])
        # the ids made now take the place of those made before
        assert tracemalloc.get_traced_memory()[0] < 500 * 100
    finally:
        tracemalloc.stop()
    assert len(index) == 500
    assert index.first_of("again", made[2_500]) == "00002500"
    assert index.first_of("again", made[2_499]) is None


def test_many_records_in_one_bucket_cost_a_bounded_look_up() -> None:
    random = np.random.default_rng(0)
    index = DuplicateIndex(5_000)
    shared = random.bytes(5)
    made = [random.bytes(8) + shared + random.bytes(115) for _ in range(3_000)]
    for i, each in enumerate(made):
        assert index.first_of(str(i), each) is None
    buckets = index._buckets(made[0])
    assert len(index._candidates(buckets)) < 25 * 33
    assert index.first_of("again", made[0]) == "0"


def test_the_forgotten_are_not_looked_at() -> None:
    random = np.random.default_rng(0)
    index = DuplicateIndex(20)
    shared = random.bytes(5)
    made = [random.bytes(8) + shared + random.bytes(115) for _ in range(50)]
    for i, each in enumerate(made):
        index.first_of(str(i), each)
    looked_at = index._candidates(index._buckets(made[-1]))
    assert set(looked_at.tolist()) == set(range(31, 51))


@pytest.mark.parametrize("size", [1, 7, 9, 127, 129])
def test_what_is_no_signature_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"a signature has 8 or 128 bytes, not {size}"):
        DuplicateIndex(10).first_of("a", bytes(size))


@pytest.mark.parametrize("most", [0, -1])
def test_an_index_remembers_at_least_one(most: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        DuplicateIndex(most)
