"""Documents for tests, each made of the least that its format needs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

NEWS = "The ministers met in Manila on Friday and agreed to deepen defense cooperation."
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OPEN = "urn:oasis:names:tc:opendocument:xmlns"


def docx_body(inner: str) -> str:
    return f'<w:document xmlns:w="{_WORD}"><w:body>{inner}</w:body></w:document>'


def docx(*paragraphs: str, parts: dict[str, str] | None = None) -> bytes:
    """Make a Word document; a paragraph that starts with a tag is XML as it is."""
    inner = "".join(
        text if text.startswith("<") else f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"
        for text in paragraphs
    )
    return zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "word/document.xml": docx_body(inner),
            **(parts or {}),
        }
    )


def odt(inner: str, parts: dict[str, str] | None = None, styles: str = "") -> bytes:
    names = " ".join(
        f'xmlns:{name}="{_OPEN}:{name}:1.0"'
        for name in ("office", "text", "table", "draw", "style")
    )
    content = (
        f"<office:document-content {names}><office:automatic-styles>{styles}"
        f"</office:automatic-styles><office:body><office:text>{inner}</office:text></office:body>"
        "</office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.text"
    return zipped({"mimetype": kind, "content.xml": content, **(parts or {})}, 0)


def zipped(parts: Mapping[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return file.getvalue()


def pdf_objects(*objects: bytes) -> bytes:
    """Make a PDF file of its objects, the first of which is the catalog."""
    data = b"%PDF-1.7\n"
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % place for place in places)
    data += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1,
        start,
    )
    return data


def page_of(content: int, font: int) -> bytes:
    return (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R /Resources << "
        b"/Font << /F1 %d 0 R >> >> >>" % (content, font)
    )


def make_pdf(
    paragraphs: Iterable[str], *, columns: int = 1, opened_by: str = "", **more: Any
) -> bytes:
    """Make a PDF with reportlab's own layout: justified paragraphs in columns.

    Args:
        paragraphs: Their texts.
        columns: On each page.
        opened_by: The password that opens it.
        more: Of the paragraphs' style, and ``head`` and ``foot`` of each page; "#" is its number.
    """
    from reportlab.lib.pagesizes import LETTER
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph

    head, foot = more.pop("head", ""), more.pop("foot", "")
    file = io.BytesIO()
    width = (504 - 18 * (columns - 1)) / columns
    frames = [
        Frame(54 + n * (width + 18), 72, width, 640, leftPadding=0, rightPadding=0)
        for n in range(columns)
    ]

    def decorate(canvas: Any, _template: Any) -> None:
        canvas.setFont("Helvetica", 8)
        number = str(canvas.getPageNumber())
        canvas.drawString(54, 750, head.replace("#", number))
        canvas.drawCentredString(306, 36, foot.replace("#", number))

    template = BaseDocTemplate(file, pagesize=LETTER, encrypt=opened_by or None)
    template.addPageTemplates([PageTemplate(frames=frames, onPage=decorate)])
    style = {"fontName": "Times-Roman", "fontSize": 10, "leading": 12, "alignment": 4, **more}
    template.build([Paragraph(text, ParagraphStyle("body", **style)) for text in paragraphs])
    return file.getvalue()


class Drawing:
    """A PDF whose lines are put where a test wants them."""

    def __init__(self, size: tuple[float, float] = (612, 792)) -> None:
        from reportlab.pdfgen.canvas import Canvas

        self._file = io.BytesIO()
        self.canvas = Canvas(self._file, pagesize=size)

    def write(
        self,
        *lines: str,
        x: float = 72,
        y: float = 700,
        font: str = "Times-Roman",
        size: float = 10,
        leading: float = 12,
    ) -> Drawing:
        self.canvas.setFont(font, size)
        for number, line in enumerate(lines):
            self.canvas.drawString(x, y - number * leading, line)
        return self

    def next_page(self) -> Drawing:
        self.canvas.showPage()
        return self

    def data(self) -> bytes:
        self.canvas.save()
        return self._file.getvalue()


def wrap(text: str, width: float, font: str = "Times-Roman", size: float = 10) -> list[str]:
    """Return the lines that a text has in a column."""
    from reportlab.lib.utils import simpleSplit

    return [str(line) for line in simpleSplit(text, font, size, width)]
