import json
import textwrap
from pathlib import Path

import pytest
import sentencex
from hypothesis import given
from hypothesis import strategies as st

from topicml.text import sentences
from topicml.text.normalise import IGNORABLE, reading_text
from topicml.text.sentences import Sentence, split_sentences, whole_text


class PanicException(BaseException):
    pass


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=300)
PIECES = [
    *("J.", "U.S.", "Lt. Gen.", '"', "'", "“", "”", " ", "\u00a0", "\u2009", "\n", "\r\n", "\n\n"),
    *("\ud800", "\x00", "\x1f", "\x85", "\u2028", "\u200b", "\ufeff", "İ", "e\u0301", "🤝", ")"),
    *("Smith said.", "word", "Go!", "Why?", "...", "1.", "\t", "الجيش", "日本。", "A", "."),
    *("\u00ad", "\u200d", "\u2060", "-\n", "wo-\nrd", "> ", "(", "[3]", "‘", "’", "’s", "/", "•"),
    *(
        "5 p.m.",
        "No.",
        "The",
        "he said",
        "12",
        "¹²",
        "—",
        "–",
        "(a)",
        "…",
        "^",
        "which was so long",
    ),
]
TROUBLE = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


def is_space(character: str) -> bool:
    return character.isspace() or character in IGNORABLE


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


def texts(text: str) -> list[str]:
    return [" ".join(sentence.text.split()) for sentence in split_sentences(text)]


@pytest.mark.parametrize("dash", ["-", "–", "—", "‑"])
@pytest.mark.parametrize(
    "name",
    [
        *("Japan{}U.S.", "anti{}U.S.", "U.S.{}Japan", "pro{}U.K.", "mid{}Sept.", "then{}Gen."),
        *(">U.S.", "(U.S.", "“U.S.", "‘U.S.", "'U.S.", '"U.S.', "[U.S.", "/U.S.", "'U.N."),
    ],
)
def test_abbreviation_behind_a_dash_or_mark_does_not_end_a_sentence(name: str, dash: str) -> None:
    text = f"The {name.format(dash)} Forces pact holds."
    assert texts(f"{text} Nobody objected.") == [text, "Nobody objected."]


@pytest.mark.parametrize(
    "text",
    [
        "The ship left at 5 p.m. Tokyo time and 4 a.m. Eastern time, or 8 P.M. Manila time.",
        "The ship left at 5 p. m. Friday.",
        "Amb. Lee, Spc. Cruz and Dep. Sec. Ward came to Ft. Worth and St. Paul from Mt. Fuji.",
        "Lt. Col. Abe, Gen. Mori, Adm. Sato, Sgt. Diaz, Maj. Cole and Capt. Reyes were there.",
        "Cmdr. Abe, Cpl. Diaz, Pfc. Cole, Brig. Gen. Ito, Vice Adm. Kato and Rear Adm. Lee met.",
        "Sen. Will Brown, Rep. May Long, Gov. In Park and Sec. An Wu met Gen. First.",
        "See vol. IV and No. 5, Nos. 6 and 7, Fig. 8, figs. A and B, pp. 3 and 4.",
        "The 5th Regt. Marines, the 2nd Bn. Scouts, the 3rd Div. Artillery and Dept. Heads came.",
        "Sato Heavy Co. Japan and Cole Corp. Australia build approx. 5 ships, est. 1990, etc. now.",
        "On Jan. 5, Feb. 6, Sept. 7 and Dec. 8 ships of about 9,000 tons were launched.",
        "John F. Kennedy and J. R. Cole wrote to A. B. Sato.",
        "The U.S. Navy, U.S. Forces Japan, a U.S. President and the U.S. Seventh Fleet agree.",
        "The U.S. First Army, U.S. I Corps, U.S. New Zealand and U.S. Under Secretary talks ended.",
        "Allies, e.g. The Hague court, i.e. In general all, and Japan vs. The Rest (cf. The List).",
        "The Joint Staff (Japan Inc. Watch) and the fleet (Vol. 5) agree.",
    ],
)
def test_abbreviations_do_not_end_a_sentence(text: str) -> None:
    assert texts(f"{text} Nobody objected.") == [text, "Nobody objected."]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("It will be signed at 5 p.m.", "The minister spoke."),
        ("It will be signed at 5 p.m.", "A treaty was made."),
        ("It will be signed at 5 p.m.", "“It is done,” she said."),
        ("He lives in the U.S.", "The alliance grew."),
        ("He lives in the U.S.", "In March he left."),
        ("He lives in the U.S.", "It’s far."),
        ("He lives in the U.S.", "I think so."),
        ("He lives in the U.S.", "A treaty was made."),
        ("“He lives in the U.S.”", "But he left."),
        ("It sailed with the 5th Regt.", "They returned."),
        ("It was built by Sato Heavy Co.", "We saw it."),
        ("It sailed in Dec.", "He left."),
        ("It was fined by the SEC.", "The agency said so."),
        ("They marched down Main St.", "The crowd cheered."),
        ("It climbs 90 m in 5 sec.", "The pilot was calm."),
        ("Was he there? No.", "I think he left."),
    ],
)
def test_abbreviation_ends_a_sentence_where_one_starts(first: str, second: str) -> None:
    assert texts(f"{first} {second}")[-2:] == [first.removeprefix("Was he there? "), second]


@pytest.mark.parametrize("mark", ["1.", "(a)", "a.", "-", "•", "1.2.", "iv."])
@pytest.mark.parametrize("gap", [" ", "\n", "\n\n"])
def test_list_mark_belongs_to_what_follows(mark: str, gap: str) -> None:
    text = f"The pact was signed.\n\n{mark}{gap}The fleet sails. It returns.\n"
    assert texts(text) == ["The pact was signed.", f"{mark} The fleet sails.", "It returns."]


def test_list_numbers_in_running_text_belong_to_what_follows() -> None:
    text = "The pact has three aims. 1. Ships sail. 2. Troops train. Q. What else? A. Nothing."
    assert texts(text) == [
        "The pact has three aims.",
        *("1. Ships sail.", "2. Troops train.", "Q. What else?", "A. Nothing."),
    ]


@pytest.mark.parametrize(
    "note", ["12", "1", "[3]", "(12)", "¹²", "”12", "12”", "[1][2]", "’ 7"], ids=repr
)
def test_footnote_belongs_to_the_sentence_before(note: str) -> None:
    first = f"He called it “peace in the region.{note}"
    if note != "’ 7":  # a figure of its own belongs to what follows
        assert texts(f"{first} The pact holds.") == [first, "The pact holds."]


@pytest.mark.parametrize(
    "text", ["It cost 3.5 billion.", "See vol.12 The Pacific.", "By U.S.12 A."]
)
def test_figure_behind_another_full_stop_is_no_footnote(text: str) -> None:
    assert texts(text) == [text]


@pytest.mark.parametrize("marks", ["“”", '""', "()", "[]", "«»", "‘’", "''", "**", "__"])
def test_quotation_or_bracket_of_several_sentences_is_several(marks: str) -> None:
    opening, closing = marks
    text = f"{opening}The sea is calm. Ships sail. We wait.{closing} Nobody objected."
    assert texts(text) == [
        f"{opening}The sea is calm.",
        "Ships sail.",
        f"We wait.{closing}",
        "Nobody objected.",
    ]


def test_escaped_bracket_and_bold_type_close_as_quotes_do() -> None:
    text = "\\[The sea is calm.\\] **Ships sail.** We wait."
    assert texts(text) == ["\\[The sea is calm.\\]", "**Ships sail.**", "We wait."]


def test_quotation_in_a_quotation() -> None:
    text = "“She told us: ‘Stay here. Wait.’ We waited. It was ‘late.’” He nodded. “‘Go!’” Gone."
    assert texts(text) == [
        "“She told us: ‘Stay here.",
        "Wait.’",
        "We waited.",
        "It was ‘late.’”",
        "He nodded.",
        "“‘Go!’”",
        "Gone.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "“Never again!” he said.",
        "“Never again!” Mr. Ito said.",
        '"Is it ready?" the minister asked.',
        "“Is it ready?” Gen. Kenji Mori asked in Tokyo.",
        "They shouted ‘Never again!’ and left.",
        "The plan (a good one!) was dropped.",
        "The plan (was it good?), once made, was dropped.",
        "“We sail at dawn,” she said, “and return at night.”",
    ],
)
def test_short_quotation_stays_with_its_sentence(text: str) -> None:
    assert texts(f"{text} Nobody objected.") == [text, "Nobody objected."]


def test_quotation_that_ends_before_a_name_ends_the_sentence() -> None:
    text = "“Never again!” Mr. Ito left. He asked “why.” I know."
    assert texts(text) == ["“Never again!”", "Mr. Ito left.", "He asked “why.”", "I know."]


@pytest.mark.parametrize("word", ["‘90s", "'90s", "’90s", "‘em", "’til", "'tis", "rock ‘n’ roll"])
def test_apostrophe_before_a_word_opens_no_quotation(word: str) -> None:
    found = texts(f"It was {word} then. The allies’ ships left. It doesn't matter. He’s late.")
    assert found == [
        f"It was {word} then.",
        "The allies’ ships left.",
        "It doesn't matter.",
        "He’s late.",
    ]


def test_closing_quote_apart_at_the_end_is_no_sentence() -> None:
    assert texts("“The sea is calm. ”\n\nShips sail.") == ["“The sea is calm. ”", "Ships sail."]


PROSE = [
    "The defense ministers of Japan and the United States met in Tokyo on Monday to talk.",
    "Gen. Kenji Mori of the Joint Staff said that a Headquarters in Ichigaya would open.",
    "Lawmakers asked whether Adm. Lee Baker of the Seventh Fleet had been told of it all.",
    "“We shall stay,” Mr. Baker of the U.S. Navy said at 5 p.m. Tokyo time in the city.",
    "It covers extended deterrence, a political matter, and the Japan-U.S. command.",
]


@pytest.mark.parametrize("spacing", ["\n", "\n\n", "\r\n", "\n> "])
@pytest.mark.parametrize("width", range(42, 119, 4))
def test_wrapping_does_not_change_the_sentences(width: int, spacing: str) -> None:
    lines = textwrap.wrap(" ".join(PROSE), width, break_on_hyphens=False)
    text = spacing.join(lines)
    found = [reading_text(sentence.text) for sentence in split_sentences(text)]
    assert [sentence.removeprefix("> ") for sentence in found] == PROSE


@pytest.mark.parametrize("word", ["deterrence", "political", "command", "extended"])
@pytest.mark.parametrize("place", [3, 6])
def test_word_hyphenated_at_a_line_end_is_one_word(word: str, place: int) -> None:
    text = " ".join(PROSE).replace(word, f"{word[:place]}-\n{word[place:]}")
    assert [reading_text(sentence.text) for sentence in split_sentences(text)] == PROSE


def test_end_of_a_hyphenated_word_is_no_abbreviation() -> None:
    text = "The matter is politi-\ncal. Washington knows. It holds in Ameri-\nca. Tokyo knows."
    assert [s.text for s in split_sentences(text)] == [
        "The matter is politi-\ncal.",
        "Washington knows.",
        "It holds in Ameri-\nca.",
        "Tokyo knows.",
    ]


@pytest.mark.parametrize("character", IGNORABLE)
def test_ignorable_characters_change_no_sentence(character: str) -> None:
    plain = "The U.S. Navy sailed at 5 p.m. Tokyo time. “Stay,” he said. In ‘90s terms it is late."
    odd = character.join(plain)
    found = split_sentences(f"{character} {odd}{character}")
    assert [s.text.replace(character, "") for s in found] == [
        s.text for s in split_sentences(plain)
    ]
    assert [reading_text(s.text) for s in found] == [s.text for s in split_sentences(plain)]


@given(TROUBLE)
def test_ignorable_characters_are_nothing_to_splitting(text: str) -> None:
    bare = "".join(character for character in text if character not in IGNORABLE)
    found = [
        "".join(character for character in sentence.text if character not in IGNORABLE)
        for sentence in split_sentences(text)
    ]
    assert found == [sentence.text for sentence in split_sentences(bare)]


@pytest.mark.parametrize("length", [9_000, 11_000, 200_000])
def test_offsets_hold_in_texts_of_any_length(length: int) -> None:
    paragraph = "Gen. Mori spoke. The U.S. Navy sailed."
    count = length // len(paragraph)
    found = split_sentences("\n\n".join([paragraph] * count))
    assert [s.text for s in found] == ["Gen. Mori spoke.", "The U.S. Navy sailed."] * count


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Tech. Sgt. Poe met Sqn. Ldr. Low. He left.",
            ["Tech. Sgt. Poe met Sqn. Ldr. Low.", "He left."],
        ),
        ("Gen. (Ret.) Roe spoke. He left.", ["Gen. (Ret.) Roe spoke.", "He left."]),
        ("They met in Oslo.13,14 Nobody knew.", ["They met in Oslo.13,14", "Nobody knew."]),
        ("Really?12 The end came.", ["Really?12", "The end came."]),
        ("It was signed.[12],[13] The end.", ["It was signed.[12],[13]", "The end."]),
        ("IV.\nConclusion", ["IV.\nConclusion"]),
        ("in the Indo-\nPacific region", ["in the Indo-\nPacific region"]),
        ("the U.S.-\nJapan alliance", ["the U.S.-\nJapan alliance"]),
        ("Talks -\nMonday", ["Talks -", "Monday"]),
    ],
)
def test_ranks_footnotes_and_words_broken_at_any_letter(text: str, expected: list[str]) -> None:
    assert [sentence.text for sentence in split_sentences(text)] == expected
