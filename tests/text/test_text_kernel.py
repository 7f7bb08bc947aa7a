"""The text kernel says what ``sentences`` and ``paragraphs`` say, of any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topicml.compiling import is_usable
from topicml.text import sentences
from topicml.text.compiled import CompiledSplitter
from topicml.text.normalise import IGNORABLE, LINE_BREAKS, as_scored
from topicml.text.paragraphs import paragraph_spans
from topicml.text.sentences import sentence_spans

pytestmark = pytest.mark.skipif(not is_usable(), reason="numba is not installed")

LONGEST = 4000
SHORT = [
    *(
        "J.",
        "U.S.",
        "Lt. Gen.",
        "a.m.",
        "p. m.",
        "i.e.",
        "e.g.",
        "No.",
        "SEC.",
        "Japan-U.S. ",
        "Mr.",
    ),
    *("The ", "I ", "A man", "I'm", "he said ", "Mr. Ito told ", "wrote", "word", "which was long"),
    *(
        "Go!",
        "Why?",
        "...",
        "…",
        "said.12 The",
        "Go!3,4 A",
        "1.",
        "1.2.",
        "iv)",
        "(a)",
        "[3]",
        "b. ",
    ),
    *(
        '"',
        "'",
        "“",
        "”",
        "’s",
        "‘",
        "/",
        "^",
        "_",
        "*",
        "•",
        "—",
        "‐",
        "-",
        "(",
        ")",
        ":",
        ",",
        ";",
    ),
    *("> ", ">", "-\n", "‐\r\n", "wo-\nrd", "wo-\n> rd", "the\n", "of\n", "x", "É", "ß", "Σ", "İ"),
    *(
        "ǅ",
        "½",
        "²",
        "٣",
        "٣.",
        "\ud800",
        "\x00",
        "e\u0301",
        "🤝",
        "الجيش",
        "日本。",
        "\u00a0",
        "\u2009",
    ),
    *(" ", "\t", "\x1f", *LINE_BREAKS, "\r\n", "\n\n", *IGNORABLE[:1]),
]
WORDS = [
    "the",
    "of a",
    "navy",
    "Ships",
    "TREATY",
    "sailed;",
    "dawn.",
    "1.",
    "(b)",
    "wo-",
    "their",
    "É",
]
PIECES = st.lists(st.sampled_from([*SHORT, *WORDS]) | st.characters(exclude_categories=()))


@st.composite
def wrapped_texts(draw: st.DrawFn) -> str:
    """Draw lines that are about as wide as one another."""
    width = draw(st.sampled_from([26, 30, 39, 41, 60, 138, 142]))
    lines = draw(
        st.lists(st.lists(st.sampled_from([*WORDS, "and", "its"]), min_size=60), max_size=14)
    )
    lines_cut = [" ".join(words)[: width - draw(st.integers(0, 9))] for words in lines]
    return draw(st.sampled_from(["\n", "\n\n", "\r\n", "\n>\n", "\u2028"])).join(lines_cut)


TEXTS = st.tuples(PIECES.map("".join), wrapped_texts(), PIECES.map(" ".join)).map("\n".join)


@pytest.fixture(scope="module")
def splitter() -> CompiledSplitter:
    return CompiledSplitter(LONGEST)


@given(TEXTS | PIECES.map("".join))
def test_sentences_are_those_of_the_reference(splitter: CompiledSplitter, text: str) -> None:
    text = text[:LONGEST]
    found, expected = splitter.split(text), sentence_spans(text)
    assert [*map(tuple, found.spans.tolist())] == expected
    if found.is_as_written:
        assert [as_scored(text[a:b]) for a, b in expected] == [text[a:b] for a, b in expected]


@given(TEXTS | PIECES.map("".join))
def test_what_sentencex_is_given_is_the_same(splitter: CompiledSplitter, text: str) -> None:
    text = text[:LONGEST]
    folded, _ = splitter.fold(text)
    if folded:
        encoded = sentences._encode(text)
        whole = sentences._fold(encoded, set(encoded.translate(None, sentences._ASCII).decode()))
        paragraphs = [whole[start:end] for start, end in paragraph_spans(text)]
        assert folded == sentences.BETWEEN.join(paragraphs)


@pytest.mark.parametrize("text", ["", "\ufeffGo. Stop.", "Ships sail.12 They do."])
def test_rare_texts_are_left_to_the_reference(splitter: CompiledSplitter, text: str) -> None:
    assert splitter.fold(text)[0] == ""
    assert [*map(tuple, splitter.split(text).spans.tolist())] == sentence_spans(text)


def test_plain_texts_are_not(splitter: CompiledSplitter) -> None:
    text = (
        "Mr. Ito met the U.S. “First” Army. The fleet\nsailed at 5 p.m.\n\nIt came back – ‘soon’."
    )
    assert splitter.fold(text)[0].startswith("Mr/ Ito met the U.S/ /First/ Army. The fleet")
    assert splitter.split(text).is_as_written


def test_where_sentencex_fails_the_reference_splits(
    splitter: CompiledSplitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentences, "segment", lambda *_: None)
    assert splitter.split("Ships sail. They do.").spans.tolist() == [[0, 11], [12, 20]]


@pytest.mark.parametrize("sizes", [[], [4], [0, 12], [12, 1], [13], [6, 6, 6, 6]])
def test_pieces_of_other_texts_are_not_located(
    splitter: CompiledSplitter, monkeypatch: pytest.MonkeyPatch, sizes: list[int]
) -> None:
    text = "Ships sail.\n\nThey do."
    expected = sentence_spans(text)
    monkeypatch.setattr(sentences, "segment", lambda *_: ["x" * size for size in sizes])
    monkeypatch.setattr(sentences, "sentence_spans", lambda *_: expected)
    assert [*map(tuple, splitter.split(text).spans.tolist())] == expected
