"""A PDF file to its text."""

from __future__ import annotations

import ctypes
import re
from typing import Any

from topicml.errors import RecordError
from topicml.io.documents.extract import Extract, make_extract, plain_date
from topicml.io.documents.pdf.columns import reading_order
from topicml.io.documents.pdf.edges import PageLines, without_edges
from topicml.io.documents.pdf.lines import Line, body_size, make_pieces
from topicml.io.documents.pdf.notes import Notes
from topicml.io.documents.pdf.paragraphs import make_paragraphs
from topicml.io.documents.pdf.words import read_words
from topicml.io.optional_dependencies import load

_PASSWORD = 4  # FPDF_ERR_PASSWORD
_SECURITY = 5
_MOST_PAGES = 10_000
_NO_NAME = re.compile(
    r"\W*(?:untitled|anonymous|unknown|unspecified|user|admin)\W*$|Microsoft \w+ - ",
    re.IGNORECASE,
)
_NO_TEXT = (
    "no text was found in the PDF document; where its pages are images, "
    "a text recogniser (OCR) makes text of them"
)


def import_pdf() -> None:
    """Import what reads PDF.

    Raises:
        MissingExtraError: It is not installed.
    """
    load("pypdfium2", "articles", "reading PDF")


def read_pdf(data: bytes) -> Extract:
    """Return the text of a PDF file, notes behind it, and what it says of itself.

    Raises:
        RecordError: It has no text, a password, or is damaged.
        MissingExtraError: pypdfium2 is not installed.
    """
    pdfium = load("pypdfium2", "articles", "reading PDF")
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as err:
        raise _why_not(getattr(err, "err_code", None)) from err
    try:
        paragraphs = _paragraphs(document)
        return make_extract(paragraphs, _fields(document))
    except RecordError as err:
        if err.reason == "no_main_text":
            raise RecordError("no_main_text", _NO_TEXT) from err
        raise
    finally:
        document.close()


def _why_not(code: int | None) -> RecordError:
    if code in {_PASSWORD, _SECURITY}:
        detail = "the PDF document has a password; save it without one"
        return RecordError("encrypted", detail)
    return RecordError("unreadable_input", "the PDF document is damaged, or cut off")


def _paragraphs(document: Any) -> list[str]:
    pages: list[PageLines] = []
    aside: list[Line] = []
    count = len(document)
    if count > _MOST_PAGES:
        detail = f"this is more than {_MOST_PAGES:,} pages; split it into articles"
        raise RecordError("too_large", detail)
    for number in range(count):
        page, turned = _read_page(document, number)
        pages.append(page)
        aside += turned
    texts = without_edges(pages)
    notes = Notes(body_size(piece for pieces in texts for piece in pieces))
    lines = [
        line for pieces in texts for block in notes.take(reading_order(pieces)) for line in block
    ]
    return [
        *make_paragraphs(lines),
        *make_paragraphs(notes.lines, notes.starts),
        *make_paragraphs(aside),
    ]


def _read_page(document: Any, number: int) -> tuple[PageLines, list[Line]]:
    """Return the pieces of a page in the direction that most stand in, and the others' lines."""
    try:
        page = document[number]
    except Exception:  # noqa: BLE001 - a page that cannot be loaded costs no other
        return PageLines([], 0, 0), []
    try:
        left, bottom, right, top = box = _box(page)
        turns = read_words(page, box)
    finally:
        page.close()
    if not turns:
        return PageLines([], 0, 0), []
    main = max(turns, key=lambda turn: sum(len(word.text) for word in turns[turn]))
    ends = ((bottom, top), (-right, -left), (-top, -bottom), (left, right))[main]
    aside = [
        line
        for turn, words in turns.items()
        if turn != main
        for block in reading_order(make_pieces(words, number))
        for line in block
    ]
    return PageLines(make_pieces(turns[main], number), *ends), aside


def _box(page: Any) -> tuple[float, float, float, float]:
    """Return what is seen of a page; its corners may be given in any order."""
    x0, y0, x1, y1 = page.get_cropbox()
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _fields(document: Any) -> dict[str, str | None]:
    said = document.get_metadata_dict(skip_empty=True)
    return {
        "title": _named(said.get("Title")),
        "date": plain_date(said.get("CreationDate")) or plain_date(said.get("ModDate")),
        "source": _named(said.get("Author")),
        "language": _language(document),
    }


def _named(said: str | None) -> str | None:
    """Return a name that a person gave; None for what a program puts where there is none."""
    return None if _NO_NAME.match(said or "") else said


def _language(document: Any) -> str | None:
    import pypdfium2.raw as raw

    buffer = (ctypes.c_ushort * 64)()
    size = raw.FPDFCatalog_GetLanguage(document, buffer, ctypes.sizeof(buffer))
    said = bytes(buffer)[: min(size, ctypes.sizeof(buffer))]
    return said.decode("utf-16-le", "ignore").strip("\0") or None
