import pytest
from documents import odt

from topicml.errors import RecordError
from topicml.io.documents.odt import read_odt

NOTE = (
    "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>See it.</text:p>"
    "</text:note-body></text:note>"
)
HIDDEN = '<style:style style:name="T1"><style:text-properties text:display="none"/></style:style>'


@pytest.mark.parametrize(
    ("xml", "text"),
    [
        ("<text:h>Head</text:h><text:p>A <text:span>b</text:span> c</text:p>", "Head\n\nA b c"),
        ('<text:p>A<text:s text:c="3"/>b<text:tab/>c<text:line-break/>d</text:p>', "A b c\nd"),
        (f"<text:p>It is{NOTE} so.</text:p><text:p>B</text:p>", "It is so.\n\nB\n\nSee it."),
        (
            "<text:list><text:list-item><text:p>A</text:p><text:list><text:list-item><text:p>B"
            "</text:p></text:list-item></text:list></text:list-item></text:list>",
            "A\n\nB",
        ),
        (
            "<table:table><table:table-row><table:table-cell><text:p>A</text:p></table:table-cell>"
            "<table:table-cell><text:p>B</text:p></table:table-cell></table:table-row></table:table>",
            "A\n\nB",
        ),
        (
            "<text:p>A<draw:frame><draw:text-box><text:p>Box</text:p></draw:text-box></draw:frame>"
            " b</text:p>",
            "A b\n\nBox",
        ),
        (
            "<text:tracked-changes><text:changed-region><text:deletion><text:p>Gone</text:p>"
            "</text:deletion></text:changed-region></text:tracked-changes><text:p>A<text:change/>b"
            "</text:p>",
            "Ab",
        ),
        (
            "<text:p>A<office:annotation><text:p>Comment</text:p></office:annotation>b</text:p>",
            "Ab",
        ),
        (
            "<text:table-of-content><text:index-body><text:p>A 1</text:p></text:index-body>"
            "</text:table-of-content><text:p>B</text:p>",
            "B",
        ),
        ('<text:p>A<text:span text:style-name="T1">b</text:span>c</text:p>', "Ac"),
        (
            '<text:section text:display="none"><text:p>A</text:p></text:section><text:p>B</text:p>',
            "B",
        ),
        ("<text:p>A <text:page-number>7</text:page-number></text:p>", "A"),
    ],
)
def test_what_is_text(xml: str, text: str) -> None:
    assert read_odt(odt(xml, styles=HIDDEN)).text == text


def test_what_a_file_says_of_itself() -> None:
    meta = (
        '<m xmlns:dc="dc" xmlns:meta="m"><dc:title>Talks</dc:title><meta:creation-date>'
        "2024-05-06T01:02:03</meta:creation-date><meta:initial-creator>A. Writer"
        "</meta:initial-creator><dc:language>de-DE</dc:language></m>"
    )
    assert read_odt(odt("<text:p>A</text:p>", {"meta.xml": meta})).fields == {
        "title": "Talks",
        "date": "2024-05-06",
        "source": "A. Writer",
        "language": "de-DE",
    }


def test_a_file_with_a_password_is_told() -> None:
    manifest = '<m xmlns:x="x"><x:file-entry><x:encryption-data/></x:file-entry></m>'
    with pytest.raises(RecordError, match="encrypted"):
        read_odt(odt("", {"META-INF/manifest.xml": manifest}))
