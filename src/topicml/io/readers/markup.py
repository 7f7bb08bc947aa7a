"""The markup of mails and feeds to text: all of it, where of a page it is the main text."""

from __future__ import annotations

import re
from typing import Any

from topicml.io.optional_dependencies import load
from topicml.io.readers.furniture import is_furniture

_CITED_FROM, _CITED_TO = "\ue000", "\ue001"  # around what is cited, until it is text
_MARKS = re.compile(f"[{_CITED_FROM}{_CITED_TO}]")
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all|visibility\s*:\s*hidden", re.I)
_LAID_OUT = ("td", "th")  # a newsletter's columns are cells
_UNSEEN = ("title", "head", "script", "style")


def import_markup() -> Any:
    """Import what turns markup into text.

    Raises:
        MissingExtraError: html-text is not installed.
    """
    return load("html_text", "articles", "reading mails and feeds")


def markup_text(markup: str) -> str:
    """Return the text of markup, a line for each of its blocks.

    What nobody sees is left out; what a mail cites has ``>`` before it, as in plain text.
    """
    html_text = import_markup()
    tree = html_text.parse_html(_MARKS.sub("", markup))
    for element in list(tree.iter()):
        if not isinstance(element.tag, str):
            continue  # a comment
        if element.tag in _UNSEEN or _HIDDEN.search(element.get("style") or ""):
            _empty(element)
        elif element.tag == "blockquote" and _is_citation(element):
            element.text = f"{_CITED_FROM} {element.text or ''}"
            element.tail = f"{_CITED_TO} {element.tail or ''}"
    text: str = html_text.extract_text(tree, newline_tags={*html_text.NEWLINE_TAGS, *_LAID_OUT})
    return _with_marks(text)


def paragraphs(text: str) -> str:
    """Return a text with a blank line between its lines, each of which is a paragraph."""
    lines = (line.strip() for line in text.split("\n"))
    return "\n\n".join(line for line in lines if line and not is_furniture(line))


def _empty(element: Any) -> None:
    for child in list(element):
        element.remove(child)
    element.text = None


def _is_citation(element: Any) -> bool:
    classes = element.get("class") or ""
    return element.get("type") == "cite" or "gmail_quote" in classes


def _with_marks(text: str) -> str:
    """Put ``>`` before each line that is cited."""
    if _CITED_FROM not in text:
        return text
    lines, depth = [], 0
    for piece in re.split(f"([{_CITED_FROM}{_CITED_TO}])", text):
        if piece in {_CITED_FROM, _CITED_TO}:
            depth = max(depth + (1 if piece == _CITED_FROM else -1), 0)
        else:
            lines += [f"{'>' * depth} {line}".lstrip(" ") for line in piece.split("\n")]
    return "\n".join(lines)
