import json
from pathlib import Path

import pytest
import sentencex
from hypothesis import given
from hypothesis import strategies as st

from topicml.text import sentences
from topicml.text.sentences import Sentence, split_sentences, whole_text

INVISIBLE = "\u200b\ufeff"  # zero-width space and byte-order mark count as white space


class PanicException(BaseException):
    pass


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=300)
PIECES = [
    *("J.", "U.S.", "Lt. Gen.", '"', "'", "“", "”", " ", "\u00a0", "\u2009", "\n", "\r\n", "\n\n"),
    *("\ud800", "\x00", "\x1f", "\x85", "\u2028", "\u200b", "\ufeff", "İ", "e\u0301", "🤝", ")"),
    *("Smith said.", "word", "Go!", "Why?", "...", "1.", "\t", "الجيش", "日本。", "A", "."),
]
TROUBLE = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


def is_space(character: str) -> bool:
    return character.isspace() or character in INVISIBLE


@given(ANY_TEXT | TROUBLE)
def test_every_visible_character_is_in_exactly_one_sentence(text: str) -> None:
    found = split_sentences(text)
    covered = [0] * len(text)
    end_before = 0
    for start, end, sentence in found:
        assert end_before <= start < end <= len(text)
        assert text[start:end] == sentence
        assert not is_space(sentence[0])
        assert not is_space(sentence[-1])
        for position in range(start, end):
            covered[position] += 1
        end_before = end
    for character, times in zip(text, covered, strict=True):
        assert times <= 1
        assert times == 1 or is_space(character)


@given(ANY_TEXT)
def test_whole_text_is_one_sentence_whatever_it_holds(text: str) -> None:
    assert whole_text(text) == [Sentence(0, len(text), text)]


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\u00a0\u2003", "\ufeff", "\u200b\n\t"])
def test_text_without_a_visible_character_has_no_sentence(text: str) -> None:
    assert split_sentences(text) == []


def test_lone_surrogate_stays_in_the_sentence() -> None:
    assert [s.text for s in split_sentences("One \ud800 half. Then a whole.")] == [
        "One \ud800 half.",
        "Then a whole.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Lt. Gen. Stephen Jost met the U.S. Secretary of State in Tokyo.",
        "Lloyd J. Austin III spoke.",
        "He praised Adm. John Aquilino and Gov. Denny Tamaki.",
        "He met Lloyd J.\u00a0Austin there.",
    ],
)
def test_titles_and_initials_do_not_end_a_sentence(text: str) -> None:
    assert [s.text for s in split_sentences(text)] == [text]


@pytest.mark.parametrize("space", ["\u00a0", "\u2003", "\u2009", "\u202f", "\u3000"])
def test_odd_spaces_split_as_plain_ones_do(space: str) -> None:
    plain = "Gen. J. Smith spoke. The U.S. Navy sailed on Sept. 5. Adm. K. Ito stayed."
    odd = plain.replace(" ", space)
    spans = [(s.start, s.end) for s in split_sentences(plain)]
    assert len(spans) == 3
    assert [(s.start, s.end) for s in split_sentences(odd)] == spans


def test_quotes_that_open_each_paragraph_do_not_glue_sentences() -> None:
    paragraphs = [
        '"We will build a joint headquarters. It will open in March.',
        '"The second step is a shared radar. Both sides will pay.',
        '"The third step is trust," he said. Nobody objected.',
    ]
    found = [s.text for s in split_sentences("\n\n".join(paragraphs))]
    assert found == [
        '"We will build a joint headquarters.',
        "It will open in March.",
        '"The second step is a shared radar.',
        "Both sides will pay.",
        '"The third step is trust," he said.',
        "Nobody objected.",
    ]


def test_apostrophe_does_not_open_a_quotation() -> None:
    text = "The allies' ships left. Japan's navy stayed. It's late."
    assert [s.text for s in split_sentences(text)] == [
        "The allies' ships left.",
        "Japan's navy stayed.",
        "It's late.",
    ]


def test_wrapped_lines_are_one_sentence_and_headings_their_own() -> None:
    text = "A heading of its own\n\nThe treaty was signed in Tokyo\nand took effect at once."
    assert [s.text for s in split_sentences(text)] == [
        "A heading of its own",
        "The treaty was signed in Tokyo\nand took effect at once.",
    ]


def test_five_articles_have_the_116_labelled_sentences(root: Path) -> None:
    raw = root / "data/raw"
    found = {
        (entry["id"], *sentence)
        for entry in json.loads((raw / "manifest.json").read_text(encoding="utf-8"))
        for sentence in split_sentences((raw / entry["file"]).read_bytes().decode("utf-8"))
    }
    labels = (root / "data/labels/articles.jsonl").read_text(encoding="utf-8").splitlines()
    labelled = {(r["article"], r["start"], r["end"], r["text"]) for r in map(json.loads, labels)}
    assert len(found) == 116
    assert found == labelled


def test_panic_costs_fine_splitting_of_its_paragraph_only(monkeypatch: pytest.MonkeyPatch) -> None:
    real = sentencex.segment

    def segment(language: str, text: str) -> list[str]:
        if "Smith" in text:
            raise PanicException("byte index 3 is not a char boundary")
        return real(language, text)

    monkeypatch.setattr(sentences.sentencex, "segment", segment)
    text = "Lt. Gen. Ito spoke.\n\nOf J. Smith nothing was heard. He left.\n\nAdm. Sato stayed."
    assert [s.text for s in split_sentences(text)] == [
        "Lt. Gen. Ito spoke.",
        "Of J.",
        "Smith nothing was heard.",
        "He left.",
        "Adm. Sato stayed.",
    ]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, MemoryError])
def test_other_interruptions_pass_through(
    monkeypatch: pytest.MonkeyPatch, interruption: type[BaseException]
) -> None:
    def segment(_language: str, _text: str) -> list[str]:
        raise interruption

    monkeypatch.setattr(sentences.sentencex, "segment", segment)
    with pytest.raises(interruption):
        split_sentences("One sentence.")


def test_splitter_that_loses_text_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentences.sentencex, "segment", lambda _language, text: [text[:3]])
    assert [s.text for s in split_sentences("One is here. Two is too.")] == [
        "One is here.",
        "Two is too.",
    ]


@given(TROUBLE)
def test_text_that_makes_the_library_panic_is_split_all_the_same(text: str) -> None:
    before, after = "Lt. Gen. Ito spoke.", "Adm. Sato stayed."
    whole = f"{before}\n\n{text}\n\n{after}"
    found = [s.text for s in split_sentences(whole)]
    assert found[0].startswith(before)
    assert found[-1].endswith(after)


@pytest.mark.parametrize("space", ["\u00a0", "\u2003"])
def test_space_after_an_initial_that_makes_the_library_panic(space: str) -> None:
    text = f"The chairman was Lloyd A{space}. Austin spoke. Nobody objected."
    with pytest.raises(BaseException, match="not a char boundary") as caught:
        sentencex.segment("en", text)
    assert not isinstance(caught.value, Exception)
    assert [s.text for s in split_sentences(text)][-1] == "Nobody objected."


def test_spaces_are_all_that_unicode_has() -> None:
    import sys
    import unicodedata

    points = map(chr, range(sys.maxunicode + 1))
    separators = {point for point in points if unicodedata.category(point) == "Zs"}
    folded = {point for point in separators if split_sentences(f"One{point}two.")}
    assert folded == separators
    for space in separators:
        assert [s.text for s in split_sentences(f"{space}One two.{space}")] == ["One two."]
