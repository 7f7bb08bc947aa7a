"""OpenDocument text (ODT) to its text, from the XML in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from topicml.errors import RecordError
from topicml.io.documents.extract import Extract, make_extract, plain_date
from topicml.io.documents.zipped import (
    Archive,
    attribute,
    encrypted,
    first_inside,
    load_lxml,
    local_name,
    text_of,
)

_NAME = "OpenDocument text"
_LEFT_OUT = {  # deleted, what others say of it, and what is made of the rest
    *("tracked-changes", "annotation", "table-of-content", "alphabetical-index", "user-index"),
    *("illustration-index", "table-index", "object-index", "page-number", "page-count"),
    *("hidden-text", "ruby-text", "note-citation", "sequence-decls", "forms", "title", "desc"),
    *("variable-decls", "user-field-decls", "bibliography-mark"),
}
_OUT_OF_LINE = {"text-box", "table"}


def import_odt() -> None:
    """Import what reads OpenDocument text.

    Raises:
        MissingExtraError: It is not installed.
    """
    load_lxml("reading an OpenDocument text")


def read_odt(data: bytes) -> Extract:
    """Return the text of an ODT file, notes behind it, and what it says of itself.

    Raises:
        RecordError: It has no text, is damaged, encrypted, or something else.
        MissingExtraError: lxml is not installed.
    """
    archive = Archive(data, _NAME)
    manifest = archive.read_if_sound("META-INF/manifest.xml")
    if manifest is not None and next(manifest.iter("{*}encryption-data"), None) is not None:
        raise encrypted(_NAME)
    root = archive.read("content.xml")
    body = None if root is None else first_inside(root, "body", "text")
    if body is None:
        detail = "this is a zip archive without an OpenDocument text in it"
        raise RecordError("unsupported_format", detail)
    styles = archive.read_if_sound("styles.xml")
    walk = _Walk(_hidden_styles(root) | _hidden_styles(styles))
    text = list(walk.blocks(body))
    return make_extract([*text, *walk.notes()], _fields(archive, styles))


def _fields(archive: Archive, styles: Any) -> dict[str, str | None]:
    meta = archive.read_if_sound("meta.xml")
    return {
        "title": text_of(meta, "title"),
        "date": plain_date(text_of(meta, "creation-date", "date")),
        "source": text_of(meta, "publisher", "initial-creator", "creator"),
        "language": text_of(meta, "language") or _usual_language(styles),
    }


def _usual_language(styles: Any) -> str | None:
    for style in styles.iter("{*}default-style") if styles is not None else ():
        properties = first_inside(style, "text-properties")
        if properties is not None and attribute(style, "family") == "paragraph":
            parts = attribute(properties, "language"), attribute(properties, "country")
            named = [part for part in parts if part and part not in {"none", "zxx"}]
            return "-".join(named) or None
    return None


def _hidden_styles(root: Any) -> frozenset[str]:
    return frozenset(
        attribute(style, "name") or ""
        for style in (root.iter("{*}style") if root is not None else ())
        if (about := first_inside(style, "text-properties")) is not None
        and attribute(about, "display") == "none"
    )


class _Walk:
    """Goes through a document in order.

    Args:
        hidden: Styles of text that is not shown.
    """

    def __init__(self, hidden: frozenset[str]) -> None:
        self._hidden = hidden
        self._notes: list[Any] = []
        self._boxes: list[Any] = []

    def blocks(self, parent: Any) -> Iterator[str]:
        """Yield the paragraphs in an element, cells and boxes included."""
        for element in parent:
            name = local_name(element)
            if name in {"p", "h"}:
                if not self._is_hidden(element):
                    yield "".join(self._text(element))
                boxes, self._boxes = self._boxes, []
                for box in boxes:
                    yield from self.blocks(box)
            elif name not in _LEFT_OUT and not self._is_hidden_section(element):
                yield from self.blocks(element)

    def notes(self) -> Iterator[str]:
        """Yield the paragraphs of the notes that were led to so far."""
        for note in self._notes:
            yield from self.blocks(note)

    def _is_hidden(self, element: Any) -> bool:
        return (attribute(element, "style-name") or "") in self._hidden or (
            first_inside(element, "hidden-paragraph") is not None
        )

    def _is_hidden_section(self, element: Any) -> bool:
        return local_name(element) == "section" and attribute(element, "display") == "none"

    def _text(self, parent: Any) -> Iterator[str]:
        yield parent.text or ""
        for element in parent:
            name = local_name(element)
            if name == "note":
                self._notes += [e for e in element if local_name(e) == "note-body"]
            elif name in _OUT_OF_LINE:
                self._boxes.append(element)
            elif name in {"s", "tab"}:
                yield " "
            elif name == "line-break":
                yield "\n"
            elif name not in _LEFT_OUT and not self._is_hidden(element):
                yield from self._text(element)
            yield element.tail or ""
