import textwrap
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topicml.text.paragraphs import paragraph_spans

PROSE = (
    "The defense ministers of Japan and the United States met in Tokyo on Monday to discuss the"
    " command of their forces. Gen. Kenji Mori of the Joint Staff said that a new Headquarters in"
    " Ichigaya would answer to the Minister alone. Lawmakers of the Liberal Democratic Party asked"
    " whether Adm. Lee Baker of the Seventh Fleet had been told of it before the Cabinet decided."
)
OTHER = (
    "In Manila the talks went on without pause. Officials of the Department of National Defense"
    " and of the Armed Forces agreed to let U.S. Marines train on Luzon again, as they had done in"
    " the spring, and to open the port of Subic Bay to ships of the Maritime Self-Defense Force."
)


def wrap(text: str, width: int) -> str:
    return textwrap.fill(text, width, break_on_hyphens=False)


def paragraphs(text: str) -> list[str]:
    return [" ".join(text[start:end].split()) for start, end in paragraph_spans(text)]


@pytest.mark.parametrize("width", range(45, 101, 5))
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_wrapped_text_is_read_in_paragraphs(width: int, line_break: str) -> None:
    text = "\n\n".join(wrap(paragraph, width) for paragraph in (PROSE, OTHER))
    assert paragraphs(text.replace("\n", line_break)) == [PROSE, OTHER]


@pytest.mark.parametrize("width", range(45, 101, 5))
def test_double_spaced_text_is_read_in_paragraphs(width: int) -> None:
    lines = [wrap(p, width).replace("\n", "\n\n") for p in (PROSE, OTHER)]
    assert paragraphs("\n\n\n\n".join(lines)) == [PROSE, OTHER]


@pytest.mark.parametrize("width", [50, 72])
def test_quoted_mail_is_read_in_paragraphs(width: int) -> None:
    quoted = textwrap.indent(wrap(PROSE, width), "> ")
    found = paragraphs(f"Mori wrote:\n{quoted}\n\nI agree.")
    assert [paragraph.replace("> ", "") for paragraph in found] == [
        "Mori wrote:",
        PROSE,
        "I agree.",
    ]


def test_headings_of_wrapped_text_stay_apart() -> None:
    text = f"Talks in Tokyo\n{wrap(PROSE, 60)}\nTALKS IN MANILA\n{wrap(OTHER, 60)}"
    assert paragraphs(text) == ["Talks in Tokyo", PROSE, "TALKS IN MANILA", OTHER]


def test_list_items_of_wrapped_text_stay_apart() -> None:
    items = [f"{mark} {OTHER}" for mark in ("-", "•", "2.", "(b)", "c)")]
    assert paragraphs("\n".join(wrap(item, 60) for item in items)) == items


@pytest.mark.parametrize(
    "lines",
    [
        ["Grey the harbor, grey the sea,", "Grey the ships that wait for me,"] * 3,
        ["Japan and Australia sign pact", "Fleet sails for the Coral Sea at last"] * 3,
        ["Ministers Meet in Canberra to Discuss New Radar", "Cabinet Backs Plan for Ten Frigates"],
        ["radar", "ships", "missiles", "long-range drones"],
        [
            "Name      Rank      Unit",
            "Mori      Gen.      Joint Staff",
            "Baker     Adm.      Fleet",
        ],
        [PROSE, OTHER, PROSE],
    ],
    ids=["poem", "headlines", "long headlines", "list", "table", "unwrapped"],
)
def test_other_lines_stay_lines(lines: list[str]) -> None:
    assert [text.split() for text in paragraphs("\n".join(lines))] == [x.split() for x in lines]


@pytest.mark.parametrize("gap", ["\n", "\n\n", "\r\n"])
@pytest.mark.parametrize("mark", ["1.", "12)", "(a)", "[3]", "iv.", "-", "•", "–"])
def test_mark_alone_on_its_line_goes_with_what_follows(mark: str, gap: str) -> None:
    text = f"The pact was signed.{gap}{mark}{gap}It has ten articles."
    assert paragraphs(text) == ["The pact was signed.", f"{mark} It has ten articles."]


def test_line_goes_on_in_a_lower_case_word() -> None:
    text = "Tokyo\n\nThe treaty was signed in Tokyo\nand took effect at once.\nIt was kept."
    assert paragraphs(text) == [
        "Tokyo",
        "The treaty was signed in Tokyo and took effect at once.",
        "It was kept.",
    ]


def test_line_that_ends_in_an_article_goes_on() -> None:
    text = "The headquarters was built by the\nU.S. Army in a year.\nIt is in Ichigaya."
    assert paragraphs(text) == [
        "The headquarters was built by the U.S. Army in a year.",
        "It is in Ichigaya.",
    ]


def test_spans_have_no_space_around_them() -> None:
    text = "\n\n  Tokyo \t\r\n\x0b\u2028\u00a0 Manila\u3000\n"
    assert [text[start:end] for start, end in paragraph_spans(text)] == ["Tokyo", "Manila"]


LINES = st.sampled_from([PROSE, OTHER[:60], "and so it was", "1.", "-", "> x", "A", "a) b", ">"])
BREAKS = st.sampled_from(["\n", "\r\n", "\n\n", "\u2028", "\x0c", " \n\t", "\r", " "])


@given(st.lists(st.tuples(LINES, BREAKS), max_size=20).map(lambda x: "".join(map("".join, x))))
def test_every_character_but_space_is_in_exactly_one_paragraph(text: str) -> None:
    spans = paragraph_spans(text)
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
    inside = "".join(text[start:end] for start, end in spans)
    assert "".join(inside.split()) == "".join(text.split())
