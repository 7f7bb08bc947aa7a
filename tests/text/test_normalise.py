import pytest
from hypothesis import given
from hypothesis import strategies as st

from topicml.text.normalise import (
    IGNORABLE,
    LINE_BREAKS,
    places_read_otherwise,
    reading_text,
)


@pytest.mark.parametrize(
    ("sentence", "read"),
    [
        ("Extended deter-\nrence holds.", "Extended deterrence holds."),
        ("Extended deter-  \r\n   rence holds.", "Extended deterrence holds."),
        ("Extended deter-\n\nrence holds.", "Extended deterrence holds."),
        ("Extended deter\u00ad\nrence holds.", "Extended deterrence holds."),
        ("Extended deter‐\nrence holds.", "Extended deterrence holds."),
        ("> Extended deter-\n> rence holds.", "> Extended deterrence holds."),
        ("The U.S.-\nJapan alliance", "The U.S.-Japan alliance"),
        ("The Japan-\nU.S. alliance", "The Japan-U.S. alliance"),
        ("An F-\n35 and a post-\nWar order", "An F-35 and a post-War order"),
        ("Ships - \nnew ones - sail.", "Ships - new ones - sail."),
        ("Ships sail\nat  \n   dawn.\n", "Ships sail at dawn."),
        ("Ships sail\u2028at\x85dawn.", "Ships sail at dawn."),
        ("Ships sail\n> at\n> > dawn.", "Ships sail at dawn."),
        ("De\u00adter\u200brence \u200cof\u200d war\u2060s\ufeff", "Deterrence of wars"),
        ("\n", ""),
    ],
)
def test_sentence_as_it_is_read(sentence: str, read: str) -> None:
    assert reading_text(sentence) == read


@pytest.mark.parametrize("sentence", ["", "Ships sail at dawn.", "The U.S.–Japan “pact”\u00a0…"])
def test_sentence_with_nothing_to_do_is_returned_itself(sentence: str) -> None:
    assert reading_text(sentence) is sentence


PIECES = st.sampled_from([*LINE_BREAKS, *IGNORABLE, *"-‐aZé .>", "\r\n", "U.S.", "\ud800"])


@given(st.lists(PIECES, max_size=30).map("".join))
def test_text_that_was_read_reads_the_same(sentence: str) -> None:
    read = reading_text(sentence)
    assert not set(read) & {*LINE_BREAKS, *IGNORABLE}
    assert reading_text(read) == read
    letters = [c for c in sentence if c.isalnum()]
    assert [c for c in read if c.isalnum()] == letters


def test_long_runs_of_space_take_no_longer_than_their_length() -> None:
    gap = " " * 200_000
    assert reading_text(f"Ships{gap}sail\nat dawn-{gap}x.") == f"Ships{gap}sail at dawn-{gap}x."


@given(st.text(st.sampled_from("ab>-‐ \n\u00ad\u200b"), max_size=12), st.data())
def test_what_holds_no_place_that_is_read_otherwise_is_read_as_written(
    text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    if not any(start <= place < end for place in places_read_otherwise(text)):
        assert reading_text(text[start:end]).split() == text[start:end].split()
