"""The reference scorer against figures worked out by hand; agreement is in ``test_scorer``."""

import math

import numpy as np
import pytest

from topicml.scoring.features import FeatureBlock
from topicml.scoring.reference import ReferenceScorer
from topicml.text.packed import pack_texts


def block(
    analyzer: str, longest: int, terms: list[str], *, sublinear: bool = False
) -> FeatureBlock:
    """Terms with idf 1, 2, 3 … and a column of coefficients for each."""
    count = len(terms)
    vocabulary = {term: n for n, term in enumerate(terms)}
    return FeatureBlock(
        analyzer, (1, longest), sublinear, vocabulary, np.arange(1.0, count + 1), np.eye(count)
    )


def score(feature_block: FeatureBlock, *texts: str) -> tuple[list[list[float]], list[list[int]]]:
    buffer, offsets = pack_texts(texts)
    scorer = ReferenceScorer([feature_block])
    log_odds, counts = scorer.score(memoryview(buffer), offsets[:-1], offsets[1:])
    return log_odds.tolist(), counts.tolist()


@pytest.mark.parametrize("sublinear", [False, True])
def test_words_are_weighed_by_tf_idf_of_length_one(sublinear: bool) -> None:
    terms = ["the", "fleet", "the fleet"]
    found, counts = score(block("word", 2, terms, sublinear=sublinear), "The FLEET, the a2", "")
    tfidf = [(1 + math.log(2) if sublinear else 2) * 1.0, 2.0, 3.0]
    length = math.sqrt(sum(value * value for value in tfidf))
    assert found[0] == pytest.approx([value / length for value in tfidf], rel=1e-15)
    assert found[1] == [0.0, 0.0, 0.0]
    # words, known ones, runs of letters, letters, Latin letters
    assert counts == [[4, 3, 4, 12, 12], [0, 0, 0, 0, 0]]


def test_characters_are_counted_inside_tokens_with_a_blank_before_and_behind() -> None:
    terms = [" a", "a ", "ab", " ab ", "b a"]
    found, counts = score(block("char_wb", 4, terms), "ab  Ab", "a 日")
    tfidf = [2.0, 0.0, 6.0, 8.0, 0.0]
    length = math.sqrt(sum(value * value for value in tfidf))
    assert found[0] == pytest.approx([value / length for value in tfidf], rel=1e-15)
    assert found[1] == pytest.approx([1 / math.sqrt(5), 2 / math.sqrt(5), 0, 0, 0], rel=1e-15)
    assert counts == [[2, 0, 2, 4, 4], [0, 0, 2, 2, 1]]


def test_token_shorter_than_all_ngrams_is_one_by_itself() -> None:
    short = block("char_wb", 5, [" a ", "a ", " ab", " ab "])._replace(ngram_range=(4, 5))
    found, _ = score(short, "a", "ab", "abc")
    assert found == [[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]


def test_bytes_that_are_no_utf8_are_read_one_by_one() -> None:
    scorer = ReferenceScorer([block("char_wb", 2, ["\ufffd\ufffd", "\ud800"])])
    data = b"\xe2\x82 \xed\xa0\x80"
    found, _ = scorer.score(memoryview(data), np.array([0, 3]), np.array([2, len(data)]))
    assert found.tolist() == [[1, 0], [0, 1]]
