"""A sentence as the model reads it: where words and n-grams stand in the sentence itself."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scorers import HARD_TEXTS, TEXTS

from topicml.explain.reading import Reading, read_sentence
from topicml.scoring.features import FeatureBlock
from topicml.text.normalise import IGNORABLE, LINE_BREAKS, as_scored

WRAPPED = st.text(st.sampled_from(f"ab-‐> .'İΣﬁ\u0301🤝{IGNORABLE}{LINE_BREAKS}"), max_size=40)
TEXTS_OF_ALL_KINDS = st.one_of(TEXTS, WRAPPED)


def words_of(text: str) -> list[str]:
    reading = read_sentence(text)
    return [text[slice(*reading.place_of_word(word))] for word in range(len(reading.words))]


def block_of(analyzer: str, ngrams: tuple[int, int], *terms: str) -> FeatureBlock:
    vocabulary = {term: number for number, term in enumerate(terms)}
    ones = np.ones(len(terms))
    return FeatureBlock(analyzer, ngrams, False, vocabulary, ones, ones[:, None])


def found(reading: Reading, block: FeatureBlock) -> list[tuple[str, str, list[int]]]:
    names = [*block.vocabulary]
    return [
        (names[o.term], reading.text[slice(*reading.place(o))], list(o.owners))
        for o in reading.occurrences(block)
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The U.S.-Japan alliance’s range: 3.5 km.", "The U.S. Japan alliance’s range 3.5 km"),
        ("“Never,” said J. K. Ito—twice …", "Never said J K Ito twice …"),
        ("İstanbul'da ﬁve caf\u0301es 🤝🏽", "İstanbul'da ﬁve caf es 🤝🏽"),
        ("de-\nfense of Japan-\nU.S. ties", "de-\nfense of Japan U.S. ties"),
        ("sof\u00adt hy\u200bphen", "sof\u00adt hy\u200bphen"),
        ("> quoted\n> mail", "> quoted mail"),
        (" \n\t", ""),
        ("", ""),
    ],
)
def test_words_are_as_a_reader_sees_them(text: str, words: str) -> None:
    assert words_of(text) == words.split(" ") * bool(words)


def test_ngrams_are_found_where_they_stand() -> None:
    reading = read_sentence("The de-\nfense of İzmir, THE defense")
    words = block_of("word", (1, 2), "the", "defense", "the defense", "of", "zmir")
    assert found(reading, words) == [
        ("the", "The", [0]),
        ("defense", "de-\nfense", [1]),
        ("of", "of", [2]),
        ("zmir", "zmir", [3]),  # the dot of the small i is no letter to Python
        ("the", "THE", [4]),
        ("defense", "defense", [5]),
        ("the defense", "The de-\nfense", [0, 1]),
        ("the defense", "THE defense", [4, 5]),
    ]
    characters = block_of("char_wb", (3, 4), "def", "r, ", " i\u0307", "fen")
    assert found(reading, characters) == [
        ("def", "de-\nf", [1, 1, 1]),
        ("fen", "fen", [1, 1, 1]),
        (" i\u0307", "İ", [3, 3, 3]),
        ("r, ", "r,", [3, 3, 3]),
        ("def", "def", [5, 5, 5]),
        ("fen", "fen", [5, 5, 5]),
    ]


def test_characters_belong_to_the_words_they_lie_in_and_marks_to_the_word_before() -> None:
    reading = read_sentence("«ab-cd»")
    block = block_of("char_wb", (9, 9), " «ab-cd» ")
    assert found(reading, block) == [(" «ab-cd» ", "«ab-cd»", [0, 0, 0, 0, 0, 1, 1, 1, 1])]


def test_token_shorter_than_all_ngrams_is_counted_once() -> None:
    reading = read_sentence("a bb")
    block = block_of("char_wb", (4, 6), " a ", " bb ", "a ")
    assert found(reading, block) == [(" a ", "a", [0, 0, 0]), (" bb ", "bb", [1, 1, 1, 1])]


def test_words_are_taken_out_with_the_marks_around_them() -> None:
    reading = read_sentence("“Never,” said the\nU.S.-Japan — alliance.")
    assert reading.without([]) == "“Never,” said the U.S.-Japan — alliance."
    assert reading.without([0, 1]) == "the U.S.-Japan — alliance."
    assert reading.without([3]) == "“Never,” said the -Japan — alliance."
    assert reading.without([3, 4]) == "“Never,” said the — alliance."
    assert reading.without([5]) == "“Never,” said the U.S.-Japan alliance."


@given(TEXTS_OF_ALL_KINDS)
@example("A" * 10_000)
@example("a-\n" * 3_000)
def test_places_are_in_order_and_hold_what_is_read(text: str) -> None:
    reading = read_sentence(text)
    spans = [reading.place_of_word(word) for word in range(len(reading.words))]
    ends = [0, *(end for _, end in spans)]
    for (start, end), (first, last), before in zip(spans, reading.words, ends, strict=False):
        assert before <= start < end <= len(text)
        kept = iter(text[start:end])
        assert all(character in kept for character in reading.read[first:last])
    covered = "".join(text[start:end] for start, end in spans)
    assert re.findall(r"\w", as_scored(text)) == re.findall(r"\w", covered)


@given(TEXTS_OF_ALL_KINDS, st.data())
def test_what_is_left_is_read_as_it_stands(text: str, data: st.DataObject) -> None:
    reading = read_sentence(text)
    every = range(len(reading.words))
    removed = data.draw(st.sets(st.sampled_from(every))) if every else set()
    left = reading.without(sorted(removed))
    assert as_scored(left) == left
    assert len(re.findall(r"\w", left)) == len(re.findall(r"\w", reading.read)) - sum(
        len(re.findall(r"\w", reading.read[slice(*reading.words[word])])) for word in removed
    )


@pytest.mark.parametrize("text", HARD_TEXTS, ids=range(len(HARD_TEXTS)))
def test_every_character_between_blanks_belongs_to_a_word(text: str) -> None:
    reading = read_sentence(text)
    assert len(reading.owners) == len(reading.lowered)
    for character, owner in zip(reading.lowered, reading.owners, strict=True):
        assert (owner == -1) is character.isspace()
