"""Documents of binary formats, made of plain sources: a line a paragraph, marked by how it begins.

``= `` a title, ``# `` a heading, ``* `` an item of a list, ``| `` a row of a table, ``^ `` and
``_ `` what stands at the head and foot of each page, ``~ `` a note at the foot of this one,
``---`` a page's end. Within a line ``//`` is a line break, ``[words](address)`` a link, ``{+…+}``
and ``{-…-}`` are tracked changes, ``{!…!}`` is a comment, ``{~…~}`` a footnote.
"""

from __future__ import annotations

import itertools
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

_MARKS = {"= ": "title", "# ": "heading", "* ": "item", "| ": "row", "^ ": "head", "_ ": "foot"}
_MARKS |= {"~ ": "note", "---": "page"}
_INLINE = re.compile(
    r"\[(?P<link>[^\]]+)\]\([^)]+\)|\{\+(?P<added>.*?)\+\}|\{-(?P<deleted>.*?)-\}"
    r"|\{!(?P<comment>.*?)!\}|\{~(?P<note>.*?)~\}|(?P<break>//)"
)
_FIGURE = re.compile(r"(?<=[.!?])\((\d)\)")  # of a note


class Line(NamedTuple):
    """A paragraph of a source, and what kind it is."""

    kind: str
    text: str


def read_source(path: Path) -> list[Line]:
    """Return the paragraphs of a source."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [(_MARKS.get(line[:2], _MARKS.get(line[:3], "paragraph")), line) for line in lines]
    return [Line(kind, line if kind == "paragraph" else line[2:].strip()) for kind, line in found]


def make(maker: str, source: Path, target: Path) -> None:
    """Make a document of a source."""
    MAKERS[target.suffix, maker](read_source(source), target)


def _only(lines: list[Line], kind: str) -> str:
    return next((line.text for line in lines if line.kind == kind), "")


def _body(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line.kind not in {"head", "foot"}]


def _pdf(lines: list[Line], target: Path, columns: int, size: int = 10) -> None:
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

    width, height = A4
    gap, top = 54, 72
    each = (width - gap * (columns + 1)) / columns
    frames = [Frame(gap + n * (each + gap), top, each, height - 2 * top) for n in range(columns)]

    def furnish(canvas: Any, document: Any) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawString(gap, height - 40, _only(lines, "head"))
        canvas.drawString(gap, 36, _only(lines, "foot"))
        canvas.drawRightString(width - gap, 36, str(document.page))
        for row, note in enumerate(reversed(_notes(lines, document.page))):
            canvas.drawString(gap, 52 + 10 * row, note)

    document = BaseDocTemplate(str(target), pagesize=A4)
    document.addPageTemplates(PageTemplate(frames=frames, onPage=furnish))
    document.build(_flowables(_body(lines), size))


def _notes(lines: list[Line], page: int) -> list[str]:
    """Return the notes of a page."""
    current, notes = 1, []
    for line in lines:
        current += line.kind == "page"
        if line.kind == "note" and current == page:
            notes.append(line.text)
    return notes


def _flowables(lines: list[Line], size: int) -> list[Any]:
    from reportlab.lib.enums import TA_JUSTIFY
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import PageBreak, Paragraph, Table

    text = ParagraphStyle("text", fontSize=size, leading=1.3 * size, spaceAfter=8)
    text.alignment = TA_JUSTIFY
    title = ParagraphStyle("title", fontName="Helvetica-Bold", fontSize=16, leading=20)
    title.spaceAfter = 14
    heading = ParagraphStyle("heading", fontName="Helvetica-Bold", fontSize=12, leading=16)
    story: list[Any] = []
    rows: list[list[str]] = []
    for line in [*lines, Line("end", "")]:
        if rows and line.kind != "row":
            story.append(
                Table(rows, hAlign="LEFT", style=[("GRID", (0, 0), (-1, -1), 0.5, "#000")])
            )
            rows = []
        if line.kind == "row":
            rows.append([cell.strip() for cell in line.text.split("|")])
        elif line.kind == "page":
            story.append(PageBreak())
        elif line.kind in {"title", "heading"}:
            story.append(Paragraph(line.text, title if line.kind == "title" else heading))
        elif line.kind == "item":
            story.append(Paragraph(line.text, text, bulletText="•"))
        elif line.kind == "paragraph" and line.text:
            story.append(Paragraph(_FIGURE.sub(r"<super>\1</super>", line.text), text))
    return story


def _two_columns(lines: list[Line], target: Path) -> None:
    _pdf(lines, target, 2)


def _one_column(lines: list[Line], target: Path) -> None:
    _pdf(lines, target, 1)


def _letter(lines: list[Line], target: Path) -> None:
    _pdf(lines, target, 1, 12)


def _typed_lines(lines: list[Line], target: Path) -> None:
    """Make a page of the lines just as they stand."""
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(target))
    canvas.setFont("Times-Roman", 12)
    for row, line in enumerate(lines):
        canvas.drawString(90, 740 - 15 * row, line.text)
    canvas.save()


def _docx(lines: list[Line], target: Path) -> None:
    from docx import Document

    document = Document()
    section = document.sections[0]
    section.header.paragraphs[0].text = _only(lines, "head")
    section.footer.paragraphs[0].text = _only(lines, "foot")
    table = None
    for line in _body(lines):
        if line.kind == "row":
            cells = [cell.strip() for cell in line.text.split("|")]
            table = table or document.add_table(0, len(cells), "Table Grid")
            for cell, words in zip(table.add_row().cells, cells, strict=True):
                cell.text = words
            continue
        table = None
        styles = {"title": "Title", "heading": "Heading 1", "item": "List Bullet"}
        _docx_runs(document, document.add_paragraph(style=styles.get(line.kind)), line.text)
    document.save(str(target))


def _docx_runs(document: Any, paragraph: Any, text: str) -> None:
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    def wrap(tag: str, words: str, **attributes: str) -> None:
        run = paragraph.add_run(words)._r
        if tag == "w:del":
            run.find(qn("w:t")).tag = qn("w:delText")
        element = OxmlElement(tag)
        for name, value in attributes.items():
            element.set(qn(name.replace("_", ":")), value)
        run.addprevious(element)
        element.append(run)

    def add(kind: str, words: str) -> None:
        if kind == "link":
            relation = paragraph.part.relate_to("x", RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
            wrap("w:hyperlink", words, r_id=relation)
        elif kind in {"added", "deleted"}:
            wrap("w:ins" if kind == "added" else "w:del", words, w_id="1", w_author="A")
        elif kind == "comment":
            document.add_comment(paragraph.add_run(""), words, author="A")
        elif kind == "break":
            paragraph.add_run().add_break()
        elif words:
            paragraph.add_run(words)

    _each_part(text, add)


def _each_part(text: str, add: Callable[[str, str], object]) -> None:
    """Hand the plain and the marked parts of a paragraph on, in order."""
    end = 0
    for match in _INLINE.finditer(text):
        add("plain", text[end : match.start()])
        add(str(match.lastgroup), match[str(match.lastgroup)])
        end = match.end()
    add("plain", text[end:])


def _odt(lines: list[Line], target: Path) -> None:
    blocks = [list(group) for _, group in itertools.groupby(_body(lines), key=_odt_kind)]
    content = "".join(_odt_block(_odt_kind(block[0]), block) for block in blocks)
    head, foot = (f"<text:p>{escape(_only(lines, kind))}</text:p>" for kind in ("head", "foot"))
    page = (
        '<style:master-page style:name="Standard" style:page-layout-name="layout">'
        f"<style:header>{head}</style:header><style:footer>{foot}</style:footer>"
        "</style:master-page>"
    )
    parts = {
        "mimetype": "application/vnd.oasis.opendocument.text",
        "content.xml": _odt_part(
            "content", f"<office:body><office:text>{content}</office:text></office:body>"
        ),
        "styles.xml": _odt_part(
            "styles",
            '<office:automatic-styles><style:page-layout style:name="layout"/>'
            f"</office:automatic-styles><office:master-styles>{page}</office:master-styles>",
        ),
        "META-INF/manifest.xml": _ODT_MANIFEST,
    }
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


_ODT_NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "style", "table", "text")
)
_ODT_MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    + "".join(
        f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="{kind}"/>'
        for path, kind in (
            ("/", "application/vnd.oasis.opendocument.text"),
            ("content.xml", "text/xml"),
            ("styles.xml", "text/xml"),
        )
    )
    + "</manifest:manifest>"
)


def _odt_part(kind: str, inner: str) -> str:
    name = f"office:document-{kind}"
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f'{head}<{name} {_ODT_NAMES} office:version="1.3">{inner}</{name}>'


def _odt_kind(line: Line) -> str:
    return "heading" if line.kind == "title" else line.kind


def _odt_block(kind: str, lines: list[Line]) -> str:
    if kind == "row":
        cells = ([_odt_fill(words.strip()) for words in line.text.split("|")] for line in lines)
        rows = "".join(f"<table:table-row>{_odt_cells(row)}</table:table-row>" for row in cells)
        return f"<table:table>{rows}</table:table>"
    if kind == "item":
        items = (f"<text:p>{_odt_fill(line.text)}</text:p>" for line in lines)
        inner = "".join(f"<text:list-item>{item}</text:list-item>" for item in items)
        return f"<text:list>{inner}</text:list>"
    start, end = (
        ('<text:h text:outline-level="1">', "</text:h>")
        if kind == "heading"
        else ("<text:p>", "</text:p>")
    )
    return "".join(f"{start}{_odt_fill(line.text)}{end}" for line in lines)


def _odt_cells(cells: list[str]) -> str:
    return "".join(
        f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in cells
    )


_ODT_INLINE = {
    "break": "<text:line-break/>",
    "comment": "<office:annotation><text:p>{}</text:p></office:annotation>",
    "note": '<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation>'
    "<text:note-body><text:p>{}</text:p></text:note-body></text:note>",
}


def _odt_fill(words: str) -> str:
    parts: list[str] = []
    _each_part(
        words,
        lambda kind, part: parts.append(_ODT_INLINE.get(kind, "{}").format(escape(part or ""))),
    )
    return "".join(parts)


MAKERS: dict[tuple[str, str], Callable[[list[Line], Path], None]] = {
    (".pdf", "two_columns"): _two_columns,
    (".pdf", "report"): _one_column,
    (".pdf", "release"): _one_column,
    (".pdf", "letter"): _letter,
    (".pdf", "typed_lines"): _typed_lines,
    (".docx", "document"): _docx,
    (".odt", "document"): _odt,
}
