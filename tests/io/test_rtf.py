import pytest

from topicml.io.documents.rtf import read_rtf

FONTS = rb"{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset128 Mincho;}{\f2\fcharset204 Arial;}}"


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        (rb"The ministers\par met.", "The ministers\n\nmet."),
        (b"Min\r\nisters", "Ministers"),
        (rb"caf\'e9 \ldblquote x\rdblquote\emdash y", "café “x”—y"),
        (rb"{\f1\'93\'fa\'96\'7b}{\f2 \'cf\'f0}", "日本Пр"),
        (rb"\u8217?s \u-10179?\u-8704? \uc2\u26085\'93\'fa.", "’s 😀 日."),
        (rb"\uc0\u8217 s", "’s"),
        (rb"A\~b\_c\-d\{e\}\\ \tab f\line g", "A b-cd{e}\\ f\ng"),
        (rb"A{\v hidden} b{\v0 c}", "A bc"),
        (rb"A{\deleted gone} b{\revised new}", "A bnew"),
        (rb"A{\footnote\pard {\super\chftn} See it.} b", "A b\n\nSee it."),
        (rb"{\header Head\par}{\footerl Foot}A", "A"),
        (rb"{\*\unknown x}{\pict\pngblip 8950}{\*\bkmkstart y}A", "A"),
        (rb"A{\pict\bin5 {{{{{} b", "A b"),
        (rb"{\object\objemb{\*\objdata 4d5a}{\result A}}", "A"),
        (
            rb'{\field{\*\fldinst HYPERLINK "x"}{\fldrslt A}}{\field{\*\fldinst TOC}{\fldrslt B}}',
            "A",
        ),
        (rb"\trowd A\cell B\cell\row C", "A\n\nB\n\nC"),
        (rb"{\shp{\*\shpinst{\sp{\sn x}{\sv 1}}{\shptxt Box\par}}{\shprslt{\*\do}}}A", "Box\n\nA"),
        (rb"{\listtext\'b7\tab}A", "A"),
        (rb"{\stylesheet{\s0 Normal;}}{\colortbl;\red0;}A", "A"),
    ],
)
def test_what_is_text(inner: bytes, text: str) -> None:
    assert read_rtf(rb"{\rtf1\ansi\ansicpg1252\deff0" + FONTS + inner + b"}").text == text
    assert read_rtf(rb"{\rtf1\ansi\ansicpg1252\deff0" + FONTS + inner).text == text  # cut off


def test_what_a_file_says_of_itself() -> None:
    info = (
        rb"{\info{\title Caf\'e9}{\author A. Writer}{\*\company A Paper}{\creatim\yr2024\mo5\dy6}"
        rb"{\revtim\yr2025\mo1\dy1}{\operator X}{\doccomm y}}"
    )
    assert read_rtf(rb"{\rtf1\deflang2057" + info + b"A}") == (
        "A",
        {"title": "Café", "date": "2024-05-06", "source": "A Paper", "language": "en-GB"},
    )


def test_the_code_page_of_a_file_counts_where_no_font_has_one() -> None:
    assert read_rtf(rb"{\rtf1\ansi\ansicpg1251 \'cf\'f0}").text == "Пр"
    assert read_rtf(rb"{\rtf1\mac \'8e}").text == "é"
    assert read_rtf(rb"{\rtf1\ansicpg99999 \'e9}").text == "é"
