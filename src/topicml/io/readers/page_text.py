"""The tree of a main text as trafilatura finds it, to paragraphs."""

from __future__ import annotations

import re
import unicodedata
from html import unescape
from typing import NamedTuple

from lxml import etree

from topicml.io.readers.furniture import is_furniture
from topicml.io.readers.page_tree import is_sentence

_BLOCKS = frozenset(("p", "head", "quote", "item", "list", "table", "row", "cell", "div", "body"))
_SPACES = re.compile(r"[^\S\n]+")
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
_LETTER = re.compile(r"[^\W\d_]")
_BREAKING_TAG = re.compile(r"</?(?:br|p|div|li|h\d)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # not XML's
_BULLET = re.compile(r"^[•◦▪·]\s*")
_LONGEST_LABEL = 5  # words
_SHORTEST_WITHOUT_SENTENCE = 20  # characters
_LONGEST_WALL, _WALL_SHARE = 1_500, 0.6  # characters; of them

_CONSENT = re.compile(r"\b(?:cookies?|consent|privacy|personal data|your preferences)\b", re.I)


class Paragraph(NamedTuple):
    """A paragraph, and the kind of element that it was."""

    text: str
    tag: str

    @property
    def is_heading(self) -> bool:
        """Whether it is a heading."""
        return self.tag == "head"

    @property
    def is_label(self) -> bool:
        """Whether it is a few words that are no sentence."""
        return (
            self.tag not in {"head", "row"}
            and len(self.text.split()) <= _LONGEST_LABEL
            and not is_sentence(self.text)
        )


def page_text(body: etree._Element) -> str:
    """Return the paragraphs of a main text, a blank line between them; nothing where none is."""
    paragraphs = [p for p in _Reader(body).paragraphs if not is_furniture(p.text)]
    paragraphs = _without_labels(paragraphs)
    if not _says_something(paragraphs) or _is_consent_wall(paragraphs):
        return ""
    return unicodedata.normalize("NFC", "\n\n".join(p.text for p in paragraphs))


def _without_labels(paragraphs: list[Paragraph]) -> list[Paragraph]:
    """Leave out labels before the first sentence and behind the last, such as dates and bylines.

    Items of lists behind the last one stay, rows of tables, and all that a colon announces.
    """
    says = [n for n, p in enumerate(paragraphs) if is_sentence(p.text) or p.text.endswith(":")]
    if not says:
        return paragraphs
    first, last = says[0], says[-1]
    before = [p for p in paragraphs[:first] if not p.is_label]
    behind = paragraphs[last + 1 :]
    if not paragraphs[last].text.endswith(":"):
        behind = [p for p in behind if p.tag in {"item", "row"} or not p.is_label]
        while behind and behind[-1].is_heading:
            behind.pop()
    return before + paragraphs[first : last + 1] + behind


def _says_something(paragraphs: list[Paragraph]) -> bool:
    return (
        any(is_sentence(paragraph.text) for paragraph in paragraphs)
        or sum(len(p.text) for p in paragraphs if not p.is_heading) >= _SHORTEST_WITHOUT_SENTENCE
    )


def plain_text(text: str) -> str:
    """Return the paragraphs of a text, a line each, that may have tags in it."""
    body = etree.Element("body")
    for line in _TAG.sub("", _BREAKING_TAG.sub("\n", unescape(text))).splitlines():
        etree.SubElement(body, "p").text = _CONTROL.sub("", line)
    return page_text(body)


class _Reader:
    """Walks a tree; leaves its paragraphs."""

    def __init__(self, body: etree._Element) -> None:
        self.paragraphs: list[Paragraph] = []
        self._parts: list[str] = []
        self._row: list[str] | None = None
        for event, element in etree.iterwalk(body, events=("start", "end")):
            if event == "start":
                self._start(element)
            else:
                self._end(element)

    def _start(self, element: etree._Element) -> None:
        if element.tag in _BLOCKS:
            self._flush("p")
        if element.tag == "row":
            self._row = []
        if element.tag == "lb":
            self._parts.append("\n")
        self._parts.append(element.text or "")

    def _end(self, element: etree._Element) -> None:
        if element.tag in _BLOCKS:
            self._flush(element.tag)
        if element.tag == "row":
            self._end_row()
        self._parts.append(element.tail or "")

    def _flush(self, tag: str) -> None:
        text, self._parts = _INVISIBLE.sub("", "".join(self._parts)), []
        for part in text.split("\n\n"):
            lines = (_SPACES.sub(" ", line).strip() for line in part.split("\n"))
            whole = _BULLET.sub("", "\n".join(line for line in lines if line))
            if whole:
                self._add(whole, tag)

    def _add(self, text: str, tag: str) -> None:
        if self._row is not None:
            self._row.append(text)
        elif _LETTER.search(text):
            self.paragraphs.append(Paragraph(text, tag))

    def _end_row(self) -> None:
        """Add the cells of a row that are sentences one by one, the others as one line."""
        row, self._row = self._row or [], None
        labels = " | ".join(cell for cell in row if not is_sentence(cell))
        for text in (labels, *filter(is_sentence, row)):
            if text:
                self._add(text, "row")


def _is_consent_wall(paragraphs: list[Paragraph]) -> bool:
    """Whether a page has nothing to say but what it does with data."""
    said = [paragraph.text for paragraph in paragraphs if not paragraph.is_heading]
    about = [text for text in said if _CONSENT.search(text)]
    return (
        "cookie" in " ".join(about)
        and sum(map(len, said)) < _LONGEST_WALL
        and sum(map(len, about)) >= _WALL_SHARE * sum(map(len, said))
    )
