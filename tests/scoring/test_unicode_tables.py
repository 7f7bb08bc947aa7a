import re
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from topicml.scoring.kernel import BLANK, CASED, IGNORABLE, LATIN, LETTER, WORD, UnicodeTables
from topicml.scoring.unicode_tables import POINTS, unicode_tables

EVERYTHING = [chr(point) for point in range(sys.maxunicode + 1)]
BITS = {"word": WORD, "blank": BLANK, "letter": LETTER, "latin": LATIN}
PATTERNS = {"word": r"\w", "blank": r"\s", "letter": r"[^\W\d_]", "latin": "[A-Za-zÀ-ÖØ-öø-ɏ]"}


@pytest.fixture(scope="module")
def tables() -> UnicodeTables:
    return unicode_tables()


def points_with(tables: UnicodeTables, bit: int) -> set[int]:
    return set(np.flatnonzero(tables.classes & bit).tolist())


def test_tables_have_all_code_points(tables: UnicodeTables) -> None:
    assert POINTS == len(EVERYTHING) == 1_114_112
    assert tables.lower.shape == tables.classes.shape == (POINTS,)
    assert (tables.lower.dtype, tables.classes.dtype) == (np.int32, np.uint8)


def test_bytes_are_solid_but_for_the_blanks_of_ascii(tables: UnicodeTables) -> None:
    blanks = np.flatnonzero(tables.solid == 0).tolist()
    assert blanks == [n for n in range(128) if chr(n).isspace()]
    assert set(blanks) <= points_with(tables, BLANK)
    assert not points_with(tables, CASED | IGNORABLE) & set(blanks)


def test_lower_case_is_that_of_str_and_only_one_letter_has_a_longer_one(
    tables: UnicodeTables,
) -> None:
    lowered = [letter.lower() for letter in EVERYTHING]
    assert [ord(letter) for letter in EVERYTHING if len(letter.lower()) != 1] == [0x130]
    assert lowered[0x130] == "i\u0307"
    lowered[0x130] = "\u0130"
    np.testing.assert_array_equal(tables.lower, [ord(letter) for letter in lowered])
    assert (tables.lower != np.arange(POINTS)).sum() > 1000


def test_no_other_letter_is_lowered_by_what_stands_around_it() -> None:
    for around in ("a{}a", "a{} ", " {}a"):
        found = {
            ord(letter)
            for letter in EVERYTHING
            if around.format(letter).lower() != around.format(letter.lower())
        }
        assert found <= {ord("Σ")}


@pytest.mark.parametrize("name", PATTERNS)
def test_classes_are_those_of_regular_expressions(tables: UnicodeTables, name: str) -> None:
    matches = re.compile(PATTERNS[name]).match
    expected = {point for point, letter in enumerate(EVERYTHING) if matches(letter)}
    assert points_with(tables, BITS[name]) == expected
    assert expected


def test_blanks_are_where_split_splits(tables: UnicodeTables) -> None:
    splits = {point for point, letter in enumerate(EVERYTHING) if len(f"a{letter}a".split()) == 2}
    assert points_with(tables, BLANK) == splits == set(whitespace())


def whitespace() -> Iterator[int]:
    yield from (*range(9, 14), *range(28, 33), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B))
    yield from (0x2028, 0x2029, 0x202F, 0x205F, 0x3000)


def test_no_letter_is_two_kinds_that_exclude_each_other(tables: UnicodeTables) -> None:
    assert not points_with(tables, WORD) & points_with(tables, BLANK)
    assert not points_with(tables, CASED) & points_with(tables, IGNORABLE)
    assert points_with(tables, LATIN) < points_with(tables, LETTER) < points_with(tables, WORD)


def test_case_classes_say_where_a_sigma_is_final(tables: UnicodeTables) -> None:
    """Unicode's Final_Sigma: a cased letter before, none behind, ignored ones between."""
    for point, letter in enumerate(EVERYTHING):
        cased, ignored = (bool(tables.classes[point] & bit) for bit in (CASED, IGNORABLE))
        assert (f"{letter}Σ".lower()[-1] == "ς") is cased
        assert (f"a{letter}Σ".lower()[-1] == "ς") is (cased or ignored)
        assert (f"aΣ{letter}".lower()[1] == "σ") is cased
        assert (f"aΣ{letter}a".lower()[1] == "σ") is (cased or ignored)


def test_lower_case_of_a_cased_letter_is_cased(tables: UnicodeTables) -> None:
    """The kernel asks the lowered letters before a sigma, and those behind as they are."""
    classes = CASED | IGNORABLE
    np.testing.assert_array_equal(tables.classes[tables.lower] & classes, tables.classes & classes)
