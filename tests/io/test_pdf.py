"""PDF files made for one thing each, and the paragraphs that they must come to."""

import textwrap
from pathlib import Path

import pytest
from documents import NEWS, Drawing, make_pdf, wrap
from reading import read
from reportlab.pdfbase import pdfdoc

from topicml.errors import RecordError
from topicml.io.documents.pdf.document import read_pdf
from topicml.io.documents.pdf.lines import Line
from topicml.io.documents.pdf.paragraphs import make_paragraphs
from topicml.io.documents.pdf.words import Word
from topicml.io.records import Reject

S = [
    "The ministers met in Tokyo on Monday and agreed on a new command structure for the alliance.",
    "Officials said the exercise would go on until the end of the month, as both had planned.",
    "Japan will buy long-range missiles from the United States under the deal signed last year.",
    "The U.S. Navy's Seventh Fleet, based in Yokosuka, took part with two destroyers.",
    "Critics in the Diet warned that the support costs more than $8.6 billion over five years.",
    "Gen. Charles Flynn said that deterrence depends on trust and frequent training.",
]


def prose(first: int, count: int = 3) -> str:
    return " ".join(S[(first + n) % len(S)] for n in range(count))


def paragraphs(data: bytes) -> list[str]:
    return read_pdf(data).text.split("\n\n")


@pytest.mark.parametrize("columns", [1, 2, 3])
@pytest.mark.parametrize(
    "style",
    [{"spaceAfter": 6}, {"firstLineIndent": 12}, {"alignment": 0, "leading": 15, "spaceAfter": 5}],
)
def test_columns_pages_and_running_heads(columns: int, style: dict[str, float]) -> None:
    texts = [prose(n, 3 + n % 3) for n in range(24)]
    made = make_pdf(texts, columns=columns, head="Weekly | May", foot="- # -", **style)
    assert paragraphs(made) == texts


def test_columns_drawn_row_by_row_under_a_headline_over_both() -> None:
    left, right = wrap(prose(0, 6), 225), wrap(prose(1, 6), 225)
    page = Drawing().write("Two Allies, One Command, and What Comes Next", x=54, y=740, size=20)
    for number, (one, other) in enumerate(zip(left, right, strict=False)):
        page.write(one, x=54, y=700 - 12 * number).write(other, x=300, y=700 - 12 * number)
    rest = left[len(right) :] or right[len(left) :]
    page.write(
        *rest, x=54 if len(left) > len(right) else 300, y=700 - 12 * min(len(left), len(right))
    )
    headline = "Two Allies, One Command, and What Comes Next"
    assert paragraphs(page.data()) == [headline, prose(0, 6), prose(1, 6)]


def test_articles_below_each_other_in_columns() -> None:
    page = Drawing()
    for title, y, text in (("Defense Pact", 740, prose(0, 9)), ("Second Story", 480, prose(2, 9))):
        page.write(title, y=y, x=54, size=18)
        lines = wrap(text, 160)
        third = -(-len(lines) // 3)
        for column in range(3):
            part = lines[column * third : (column + 1) * third]
            page.write(*part, x=54 + 172 * column, y=y - 30)
    whole = " ".join(["Defense Pact", prose(0, 9), "Second Story", prose(2, 9)])
    assert " ".join(paragraphs(page.data())) == whole


@pytest.mark.parametrize("width", [60, 85])
@pytest.mark.parametrize("font", ["Courier", "Times-Roman"])
def test_lines_broken_by_count(width: int, font: str) -> None:
    page, y = Drawing(), 720.0
    for number in range(4):
        lines = textwrap.wrap(prose(number), width)
        page.write(*lines, y=y, font=font)
        y -= 12 * len(lines) + 8
    assert paragraphs(page.data()) == [prose(number) for number in range(4)]


def test_notes_stand_behind_the_text_and_cut_no_sentence() -> None:
    page = Drawing()
    lines = wrap(prose(0, 8), 468)
    for number, part in enumerate((lines[:4], lines[4:])):
        page.write(*part)
        end = 72 + page.canvas.stringWidth(part[1], "Times-Roman", 10)
        page.write(str(number + 1), x=end, y=691.5, size=6)
        page.write(str(number + 1), y=123, size=5.5)
        page.write(f"See statement {'AB'[number]} of", "last May.", x=76, y=120, size=8, leading=10)
        page.write(str(number + 1), x=300, y=40).next_page()
    notes = ["See statement A of last May.", "See statement B of last May."]
    assert paragraphs(page.data()) == [prose(0, 8), *notes]


@pytest.mark.parametrize(
    ("text", "number", "read_as"),
    [
        ("The alliance", "3", "The alliance"),
        ("it ended.", "12", "it ended."),
        ("it ended", "*", "it ended"),
        ("an area of 40 km", "2", "an area of 40 km2"),
        ("ten to the power 10", "6", "ten to the power 106"),
        ("the 5", "th", "the 5th"),
    ],
)
def test_raised_numbers(text: str, number: str, read_as: str) -> None:
    page = Drawing().write(text, size=11)
    end = 72 + page.canvas.stringWidth(text, "Times-Roman", 11)
    assert read_pdf(page.write(number, x=end, y=704, size=6.5).data()).text == read_as


def test_figures_captions_and_boxes_cut_no_sentence() -> None:
    lines = wrap(prose(0, 8), 468)
    page = Drawing().write(*lines[:3])
    page.write("Figure 1. Troops land.", y=300, font="Helvetica", size=8).next_page()
    page.write("Figure 2. A ship leaves.", y=500, font="Helvetica", size=8)
    page.write(*lines[3:], y=450)
    found = paragraphs(page.data())
    assert found == [prose(0, 8), "Figure 1. Troops land.", "Figure 2. A ship leaves."]
    page = Drawing().write(*wrap(prose(0, 5), 290), x=54)
    page.write("Key figures", x=390, font="Helvetica-Bold")
    page.write(*wrap(NEWS, 160, "Helvetica", 8), x=390, y=685, font="Helvetica", size=8)
    assert paragraphs(page.data()) == [prose(0, 5), "Key figures", NEWS]


def test_cells_of_tables_are_paragraphs() -> None:
    page = Drawing().write(*wrap(prose(0), 468))
    rows = [
        ("Japan", "$50 billion", "1.1%"),
        ("Korea", "$43 billion", "2.6%"),
        ("Italy", "-", "1%"),
    ]
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            page.write(cell, x=100 + 130 * column, y=600 - 16 * number)
    page.write(*wrap(prose(3), 468), y=520)
    cells = [cell for row in rows for cell in row]
    assert paragraphs(page.data()) == [prose(0), *cells, prose(3)]


def test_headings_lists_and_spacing() -> None:
    page = Drawing().write("Allies Tighten Ties as", "Tensions Rise", size=22, leading=26, y=740)
    page.write("By Jane Doe", font="Times-Italic", y=690)
    page.write("Background", font="Times-Bold", y=670)
    page.write(*wrap(prose(0), 468), y=658)
    page.write("1.", y=600).write(*wrap(S[0] + " " + S[1], 440), x=90, y=600)
    page.write("•", y=574).write(*wrap(S[2], 440), x=90, y=574)
    page.write("•", y=562).write(*wrap(S[3], 440), x=90, y=562)
    page.write(*wrap(prose(4), 468, size=12), y=530, size=12, leading=24)
    assert paragraphs(page.data()) == [
        "Allies Tighten Ties as Tensions Rise",
        "By Jane Doe",
        "Background",
        prose(0),
        f"1. {S[0]} {S[1]}",
        S[2],
        S[3],
        prose(4),
    ]


def test_a_drop_cap_is_part_of_its_word() -> None:
    lines = wrap(prose(0)[1:], 440)
    page = Drawing().write("T", size=36, y=678)
    page.write(*lines[:2], x=98, y=700, size=10).write(*lines[2:], y=676)
    assert read_pdf(page.data()).text == prose(0)


def test_rotated_text_watermarks_and_what_was_printed_twice() -> None:
    page = Drawing().write("Joint Drill Begins", y=740).write("Joint Drill Begins", y=740, x=72.3)
    page.write(*wrap(prose(0), 468))
    page.canvas.saveState()
    page.canvas.translate(300, 300)
    page.canvas.rotate(45)
    page.write("DRAFT", x=0, y=0, size=60)
    page.canvas.rotate(45)
    page.write("Printed at home", x=0, y=0)
    page.canvas.restoreState()
    page.write("Outside", x=900)
    assert paragraphs(page.data()) == ["Joint Drill Begins", prose(0), "Printed at home"]


def test_a_page_that_stands_upright_is_read_as_one_that_lies() -> None:
    page = Drawing((792, 612))
    page.canvas.translate(100, 60)
    page.canvas.rotate(90)
    assert read_pdf(page.write(*wrap(prose(0, 5), 400), x=0, y=0).data()).text == prose(0, 5)


def test_heads_with_other_words_and_counting_numbers() -> None:
    lines = wrap(" ".join(prose(n, 6) for n in range(6)), 440)
    page = Drawing()
    for number in range(4):
        side = f"History   {number + 21}" if number % 2 else f"{number + 21}   Prospects {number}"
        page.write(side, y=750, font="Times-Italic").write(*lines[number * 9 :][:9], y=715)
        page.next_page()
    assert " ".join(paragraphs(page.data())) == " ".join(lines[:36])


def test_lines_that_are_alike_on_all_pages_and_close_to_the_text_are_text() -> None:
    page = Drawing()
    for _ in range(2):
        page.write(*wrap(prose(0), 468), y=770).next_page()
    assert paragraphs(page.data()) == [prose(0)] * 2


def test_pages_of_nothing_but_running_heads_are_text() -> None:
    page = Drawing()
    for _ in range(3):
        page.write(NEWS, y=760).next_page()
    assert paragraphs(page.data()) == [NEWS] * 3


def test_what_a_file_says_of_itself() -> None:
    page = Drawing().write(NEWS)
    page.canvas.setTitle("Talks in Manila")
    page.canvas.setAuthor("Defense Weekly")
    page.canvas._doc.Catalog.Lang = pdfdoc.PDFString("en-GB")
    page.canvas._doc.Catalog.__NoDefault__ = [*page.canvas._doc.Catalog.__NoDefault__, "Lang"]
    fields = read_pdf(page.data()).fields
    assert (fields["title"], fields["source"]) == ("Talks in Manila", "Defense Weekly")
    assert len(fields["date"]) == 10
    assert fields["language"] == "en-GB"
    assert list(read_pdf(Drawing().write(NEWS).data()).fields) == ["date"]  # "untitled" is none


def test_a_scan_is_told_and_what_has_only_an_owner_is_read(tmp_path: Path) -> None:
    page = Drawing()
    page.canvas.rect(0, 0, 300, 300)
    (tmp_path / "a.pdf").write_bytes(page.data())
    (reject,) = read(tmp_path)
    assert isinstance(reject, Reject)
    assert reject.reason == "no_main_text"
    assert "(OCR)" in reject.detail
    from reportlab.lib.pdfencrypt import StandardEncryption

    locked = StandardEncryption("", "owner", canPrint=0)
    assert read_pdf(make_pdf([NEWS], opened_by=locked)).text == NEWS
    with pytest.raises(RecordError, match="encrypted"):
        read_pdf(make_pdf([NEWS], opened_by="x"))


def test_high_and_low_letters_are_part_of_their_words() -> None:
    text = (
        "The Navy sailed on Monday<super>3</super>, it said.<super>4</super> H<sub>2</sub>O and 50 "
        "km<super>2</super> of sea."
    )
    assert (
        read_pdf(make_pdf([text])).text
        == "The Navy sailed on Monday, it said. H2O and 50 km2 of sea."
    )


def test_a_quotation_set_off_between_two_lines_cuts_no_sentence() -> None:
    lines = wrap(prose(0, 8), 468)
    page = Drawing().write(*lines[:4]).write(f"“{NEWS}”", x=90, y=620, size=14)
    assert paragraphs(page.write(*lines[4:], y=580).data()) == [prose(0, 8), f"“{NEWS}”"]


def test_numbers_of_lines_are_no_text() -> None:
    page = Drawing()
    for number, line in enumerate(wrap(prose(0, 6), 400)):
        page.write(line, y=700 - 14 * number).write(str(number + 1), x=40, y=700 - 14 * number)
    assert read_pdf(page.data()).text == prose(0, 6)


def test_where_the_next_line_starts_tells_an_indent_too() -> None:
    def line(text: str, x0: float, x1: float, y: float) -> Line:
        first, _, rest = text.partition(" ")
        words = [Word(first, x0, x0 + 20, y, 10, *(False, False, 0))]
        words.append(Word(rest, x0 + 23, x1, y, 10, *(False, False, 1)))
        return Line(words, 0, left=x0, right=283)  # as of a block of its own

    heading = line("What This Means for Both", 74, 240, 124)
    first = line("The decision to move the fleet to a", 74, 283, 112)
    second = line("port in the north was made on Monday.", 62, 250, 100)
    assert make_paragraphs([heading, first, second]) == [
        "What This Means for Both",
        "The decision to move the fleet to a port in the north was made on Monday.",
    ]
