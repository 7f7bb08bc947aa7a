import pytest
from documents import docx, docx_body, zipped

from topicml.errors import RecordError
from topicml.io.documents.docx import read_docx

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def run(text: str, about: str = "") -> str:
    return f"<w:r><w:rPr>{about}</w:rPr><w:t>{text}</w:t></w:r>"


def paragraph(*runs: str, about: str = "") -> str:
    return f"<w:p><w:pPr>{about}</w:pPr>{''.join(runs)}</w:p>"


def field(instruction: str, result: str) -> str:
    def turn(kind: str) -> str:
        return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'

    named = f"<w:r><w:instrText>{instruction}</w:instrText></w:r>"
    return turn("begin") + named + turn("separate") + run(result) + turn("end")


BOX = "<w:txbxContent>{}</w:txbxContent>"


@pytest.mark.parametrize(
    ("xml", "text"),
    [
        (paragraph(run("Min"), run("isters met.")), "Ministers met."),
        (paragraph(run("A"), "<w:r><w:tab/></w:r>", run("B")), "A B"),
        (paragraph(run("A"), "<w:r><w:br/></w:r>", run("B")), "A\nB"),
        (paragraph(run("A"), '<w:r><w:br w:type="page"/></w:r>', run("B")), "A B"),
        (paragraph(run("long"), "<w:r><w:noBreakHyphen/></w:r>", run("range")), "long-range"),
        (paragraph(run("co"), "<w:r><w:softHyphen/></w:r>", run("operation")), "cooperation"),
        (paragraph(run("A"), f"<w:ins>{run('B')}</w:ins>"), "AB"),
        (paragraph(run("A"), f"<w:moveTo>{run('B')}</w:moveTo>"), "AB"),
        (paragraph(run("A"), "<w:del><w:r><w:delText>B</w:delText></w:r></w:del>"), "A"),
        (paragraph(run("A"), f"<w:moveFrom>{run('B')}</w:moveFrom>"), "A"),
        (paragraph(run("A"), run("B", "<w:vanish/>"), run("C", '<w:vanish w:val="0"/>')), "AC"),
        (paragraph(run("A"), run("B", '<w:rStyle w:val="Secret"/>')), "A"),
        (paragraph(run("A"), about="<w:rPr><w:del/></w:rPr>") + paragraph(run("B")), "AB"),
        (
            paragraph(run("T"), about='<w:framePr w:dropCap="drop"/>') + paragraph(run("he end")),
            "The end",
        ),
        (paragraph(f"<w:hyperlink>{run('A')}</w:hyperlink>"), "A"),
        (paragraph(field("HYPERLINK x", "A"), run("B")), "AB"),
        (paragraph(field("TOC \\o", "A"), run("B")), "B"),
        (paragraph(run("B"), f'<w:fldSimple w:instr="PAGE">{run("7")}</w:fldSimple>'), "B"),
        (paragraph(run("A"), about='<w:pStyle w:val="TOC1"/>') + paragraph(run("B")), "B"),
        (
            '<w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery w:val="Table of Contents"/>'
            f"</w:docPartObj></w:sdtPr><w:sdtContent>{paragraph(run('A'))}</w:sdtContent></w:sdt>"
            f"<w:sdt><w:sdtContent>{paragraph(run('B'))}</w:sdtContent></w:sdt>",
            "B",
        ),
        (
            f"<w:tbl><w:tr><w:tc>{paragraph(run('A'))}</w:tc><w:tc>{paragraph(run('B'))}</w:tc></w:tr>"
            f"<w:tr><w:trPr><w:del/></w:trPr><w:tc>{paragraph(run('C'))}</w:tc></w:tr></w:tbl>",
            "A\n\nB",
        ),
        (
            paragraph(
                run("A"),
                '<w:r><mc:AlternateContent xmlns:mc="m"><mc:Choice>'
                + BOX.format(paragraph(run("Box")))
                + "</mc:Choice><mc:Fallback>"
                + BOX.format(paragraph(run("Box")))
                + "</mc:Fallback></mc:AlternateContent></w:r>",
                run(" and B"),
            ),
            "A and B\n\nBox",
        ),
        (paragraph('<w:r><w:sym w:char="F0B7"/></w:r>', run("A")), "•A"),
    ],
)
def test_what_is_text(xml: str, text: str) -> None:
    styles = (
        f'<w:styles {W}><w:style w:styleId="Secret"><w:rPr><w:vanish/></w:rPr></w:style></w:styles>'
    )
    assert read_docx(docx(xml, parts={"word/styles.xml": styles})).text == text


def test_notes_stand_behind_the_text_in_its_order() -> None:
    def note(number: int, text: str) -> str:
        return f'<w:footnote w:id="{number}">{paragraph(run(text))}</w:footnote>'

    notes = (
        f"<w:footnotes {W}>{note(0, 'Line')}{note(1, 'First.')}{note(2, 'Second.')}</w:footnotes>"
    )
    body = paragraph(
        run("It is"),
        '<w:r><w:footnoteReference w:id="2"/></w:r>',
        run(" so."),
        '<w:r><w:footnoteReference w:id="1"/></w:r>',
    )
    made = docx(body, parts={"word/footnotes.xml": notes, "word/comments.xml": "<x>Comment</x>"})
    assert read_docx(made).text == "It is so.\n\nSecond.\n\nFirst."


def test_what_word_processors_make_is_read() -> None:
    import io

    from docx import Document  # type: ignore[import-not-found, unused-ignore]

    document = Document()
    document.core_properties.title = "Talks"
    document.core_properties.author = "A. Writer"
    document.sections[0].header.paragraphs[0].text = "Running head"
    document.add_heading("Allies meet", 1)
    document.add_paragraph("The ministers met in Manila.")
    document.add_paragraph("One", style="List Bullet")
    document.add_table(1, 2).cell(0, 1).text = "Cell"
    file = io.BytesIO()
    document.save(file)
    text, fields = read_docx(file.getvalue())
    assert text == "Allies meet\n\nThe ministers met in Manila.\n\nOne\n\nCell"
    assert fields == {
        "title": "Talks",
        "date": "2013-12-23",
        "source": "A. Writer",
        "language": "en-US",
    }


def test_the_main_part_is_where_the_file_says() -> None:
    relation = '<Relationships><Relationship Type="x/officeDocument" Target="{}"/></Relationships>'
    parts = {
        "_rels/.rels": relation.format("/word/other.xml"),
        "word/other.xml": docx_body(paragraph(run("Here"))),
    }
    assert read_docx(zipped(parts)).text == "Here"
    parts["_rels/.rels"] = relation.format("word/nowhere.xml")
    with pytest.raises(RecordError, match="unsupported_format"):
        read_docx(zipped(parts))


def test_a_password_of_the_archive_is_told() -> None:
    data = bytearray(docx("A"))
    for start in (b"PK\x01\x02", b"PK\x03\x04"):
        at = -1
        while (at := data.find(start, at + 1)) >= 0:
            data[at + (8 if start == b"PK\x01\x02" else 6)] |= 1
    with pytest.raises(RecordError, match="encrypted"):
        read_docx(bytes(data))
