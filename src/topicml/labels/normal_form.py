"""The normal form of an archive's document: the text that pointers count characters in.

A file is UTF-8. How it becomes text depends on its archive:

``markdown``
    The file's own text.
``transcript-xml``
    The ``content`` element's text, in which each ``<br>``, ``</p>`` and ``</div>`` is a line
    end, other tags are nothing, entities are resolved, and carriage returns are removed.

The normal form is then the text after these steps, in this order:

1. Front matter, from a ``---`` the text begins with to the next line of ``---``, is removed.
2. Images are removed.
3. Of a link, its words stay.
4. Footnote marks, ``[^1]`` and ``^1^``, are removed.
5. The characters ``* _ ` > #`` are removed wherever they stand.
6. HTML entities are resolved.
7. Each run of white space becomes one space; there is none at either end.

The steps are a definition: to change one is to lose the sentences of all pointers.
"""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Literal

from topicml.errors import LabelError

TextKind = Literal["markdown", "transcript-xml"]
TEXT_KINDS: tuple[TextKind, ...] = ("markdown", "transcript-xml")

_STEPS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\A---.*?\n---\n", re.DOTALL), ""),  # front matter
    (re.compile(r"!\[[^\]]*\]\([^)]*\)"), ""),  # images
    (re.compile(r"\[([^\]]*)\]\([^)]*\)"), r"\1"),  # links
    (re.compile(r"\[\^[^\]]*\]|\^\d+\^"), ""),  # footnote marks
    (re.compile(r"[*_`>#]+"), ""),  # emphasis, code, quotations, headings
)
_LINE_END_TAG = re.compile(r"<br\s*/?>|</p>|</div>")
_TAG = re.compile(r"<[^>]+>")


def normal_form(text: str) -> str:
    """Return a document's text as one line of plain text."""
    for pattern, replacement in _STEPS:
        text = pattern.sub(replacement, text)
    return " ".join(html.unescape(text).split())


def document_text(data: bytes, kind: TextKind) -> str:
    """Return the normal form of a file of an archive.

    Raises:
        LabelError: The file is not UTF-8, or is no transcript.
    """
    try:
        return normal_form(_TEXT_OF[kind](data.decode("utf-8")))
    except (ValueError, ET.ParseError, RecursionError) as err:
        raise LabelError(f"not readable as {kind} ({err})") from err


def _markdown_text(document: str) -> str:
    return document.replace("\r\n", "\n").replace("\r", "\n")


def _transcript_text(document: str) -> str:
    if "<!ENTITY" in document:
        raise ValueError("it declares entities")
    root = ET.fromstring(document)  # noqa: S314 - entities are the danger, and are refused
    content = (root.findtext(".//content") or "").strip()
    without_tags = _TAG.sub("", _LINE_END_TAG.sub("\n", content))
    return html.unescape(without_tags).replace("\r", "")


_TEXT_OF: dict[TextKind, Callable[[str], str]] = {
    "markdown": _markdown_text,
    "transcript-xml": _transcript_text,
}
