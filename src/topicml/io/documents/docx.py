"""Word documents (DOCX) to their text, from the XML in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from topicml.errors import RecordError
from topicml.io.documents.extract import Extract, make_extract, plain_date
from topicml.io.documents.zipped import (
    Archive,
    attribute,
    first_inside,
    inside,
    load_lxml,
    local_name,
    text_of,
)

_NAME = "Word document"
_MAIN = "word/document.xml"
_LEFT_OUT = {  # deleted, what others say of it, and what stands twice
    *("del", "moveFrom", "comment", "Fallback", "rt", "pPr", "rPr", "tblPr", "trPr", "tcPr"),
    *("sectPr", "instrText", "delText", "delInstrText", "sdtPr", "sdtEndPr", "docPr", "binData"),
}
_CHARACTERS = {"tab": " ", "ptab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_BULLETS = {"F0B7": "•", "F0A7": "•", "F0D8": "•"}
_FIELDS_LEFT_OUT = {"TOC", "TOA", "INDEX", "PAGE", "NUMPAGES", "PAGEREF"}
_CONTENTS = re.compile(r"TOC ?(?:\d|Heading)|Verzeichnis\d", re.IGNORECASE)
_OFF = {"0", "false", "off"}


def import_docx() -> None:
    """Import what reads Word documents.

    Raises:
        MissingExtraError: It is not installed.
    """
    load_lxml("reading a Word document")


def read_docx(data: bytes) -> Extract:
    """Return the text of a Word document, notes behind it, and what it says of itself.

    Raises:
        RecordError: It has no text, is damaged, encrypted, or something else.
        MissingExtraError: lxml is not installed.
    """
    archive = Archive(data, _NAME)
    main = _main_part(archive)
    root = archive.read(main)
    if root is None:
        detail = "this is a zip archive without a Word document in it"
        raise RecordError("unsupported_format", detail)
    folder = main.rpartition("/")[0]
    styles = archive.read_if_sound(f"{folder}/styles.xml")
    walk = _Walk(_hidden_styles(styles))
    text = walk.paragraphs(root)
    notes = [
        paragraph
        for kind in ("footnote", "endnote")
        for paragraph in _notes(archive, f"{folder}/{kind}s.xml", walk, kind)
    ]
    return make_extract([*text, *notes], _fields(archive, styles))


def _main_part(archive: Archive) -> str:
    relations = archive.read_if_sound("_rels/.rels")
    for relation in inside(relations, "Relationship") if relations is not None else ():
        if (attribute(relation, "Type") or "").endswith("/officeDocument"):
            target = (attribute(relation, "Target") or "").lstrip("/")
            if target in archive.names and target.startswith("word"):
                return target
    return _MAIN


def _fields(archive: Archive, styles: Any) -> dict[str, str | None]:
    core = archive.read_if_sound("docProps/core.xml")
    about = archive.read_if_sound("docProps/app.xml")
    return {
        "title": text_of(core, "title"),
        "date": plain_date(text_of(core, "created", "modified")),
        "source": text_of(about, "Company") or text_of(core, "creator"),
        "language": text_of(core, "language") or _usual_language(styles),
    }


def _usual_language(styles: Any) -> str | None:
    path = "docDefaults", "rPrDefault", "rPr", "lang"
    found = None if styles is None else first_inside(styles, *path)
    return None if found is None else attribute(found, "val")


def _hidden_styles(styles: Any) -> frozenset[str]:
    return frozenset(
        attribute(style, "styleId") or ""
        for style in (inside(styles, "style") if styles is not None else ())
        if _is_on(first_inside(style, "rPr", "vanish"))
    )


def _is_on(element: Any) -> bool:
    return element is not None and (attribute(element, "val") or "1") not in _OFF


def _notes(archive: Archive, part: str, walk: _Walk, kind: str) -> Iterator[str]:
    """Yield the notes that the text leads to, in its order."""
    wanted = walk.notes[kind]
    root = archive.read_if_sound(part) if wanted else None
    if root is None:
        return
    found = {attribute(note, "id"): note for note in inside(root, kind)}
    for number in dict.fromkeys(wanted):
        if number in found:
            yield from walk.paragraphs(found[number])


class _Walk:
    """Goes through a document in order.

    Args:
        hidden: Styles of text that is not shown.

    Attributes:
        notes: Numbers of the notes that were led to, by kind.
    """

    def __init__(self, hidden: frozenset[str]) -> None:
        self._hidden = hidden
        self.notes: dict[str, list[str | None]] = {"footnote": [], "endnote": []}
        self._fields: list[str | None] = []  # that are open: None, or what to leave out
        self._boxes: list[Any] = []
        self._before = ""  # what the next paragraph starts with

    def paragraphs(self, root: Any) -> list[str]:
        """Return the paragraphs of a part, cells and boxes included."""
        self._fields, self._before = [], ""
        found = list(self._blocks(root))
        return [*found, self._before]

    def _blocks(self, parent: Any) -> Iterator[str]:
        for element in parent:
            name = local_name(element)
            if name == "p":
                yield from self._paragraph(element)
            elif name not in _LEFT_OUT and not _is_no_text(element):
                yield from self._blocks(element)

    def _paragraph(self, element: Any) -> Iterator[str]:
        about = first_inside(element, "pPr")
        style = _style_of(about, "pStyle")
        text = self._before + "".join(self._text(element))
        boxes, self._boxes, self._before = self._boxes, [], ""
        if style in self._hidden or _CONTENTS.fullmatch(style):
            text = ""
        if about is not None and _runs_into_next(about):
            self._before = text
        else:
            yield text
        for box in boxes:
            before, self._before = self._before, ""
            yield from self._blocks(box)
            self._before = before

    def _text(self, parent: Any) -> Iterator[str]:
        for element in parent:
            name = local_name(element)
            if name == "fldChar":
                self._turn_field(element)
            elif name == "instrText":
                self._name_field(element.text)
            elif name == "txbxContent":
                self._boxes.append(element)
            elif name in {"footnoteReference", "endnoteReference"}:
                self.notes[name[: -len("Reference")]].append(attribute(element, "id"))
            elif name in _LEFT_OUT or self._is_hidden(element):
                continue
            elif name == "t" and not any(self._fields):
                yield element.text or ""
            elif name in _CHARACTERS and not any(self._fields):
                is_page = name == "br" and attribute(element, "type") in {"page", "column"}
                yield " " if is_page else _CHARACTERS[name]
            elif name == "sym":
                yield _BULLETS.get(attribute(element, "char") or "", " ")
            else:
                yield from self._text(element)

    def _is_hidden(self, element: Any) -> bool:
        if local_name(element) == "fldSimple":
            return _field_name(attribute(element, "instr")) is not None
        about = first_inside(element, "rPr")
        if about is None:
            return False
        is_vanished = _is_on(first_inside(about, "vanish"))
        return is_vanished or _style_of(about, "rStyle") in self._hidden

    def _turn_field(self, element: Any) -> None:
        turn = attribute(element, "fldCharType")
        if turn == "begin":
            self._fields.append(None)
        elif turn == "end" and self._fields:
            self._fields.pop()

    def _name_field(self, instruction: str | None) -> None:
        if self._fields and not self._fields[-1]:
            self._fields[-1] = _field_name(instruction)


def _field_name(instruction: str | None) -> str | None:
    """Return the name of a field whose result is no text; None of others."""
    name = ((instruction or "").split() or [""])[0].upper()
    return name if name in _FIELDS_LEFT_OUT else None


def _is_no_text(element: Any) -> bool:
    """Whether this is a row that was deleted, or a table of contents."""
    if local_name(element) == "tr":
        return first_inside(element, "trPr", "del") is not None
    gallery = first_inside(element, "sdtPr", "docPartObj", "docPartGallery")
    return gallery is not None and attribute(gallery, "val") == "Table of Contents"


def _style_of(about: Any, name: str) -> str:
    found = None if about is None else first_inside(about, name)
    return "" if found is None else attribute(found, "val") or ""


def _runs_into_next(about: Any) -> bool:
    """Whether the end of a paragraph was deleted, or it holds a drop cap."""
    mark = first_inside(about, "rPr")
    is_deleted = mark is not None and any(local_name(e) in {"del", "moveFrom"} for e in mark)
    frame = first_inside(about, "framePr")
    is_cap = frame is not None and (attribute(frame, "dropCap") or "none") != "none"
    return is_deleted or is_cap
