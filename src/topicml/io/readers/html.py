"""Web pages to their main text."""

from __future__ import annotations

import functools
import importlib
import logging
import re
from collections.abc import Callable, Mapping

from topicml.errors import MissingExtraError
from topicml.io.optional_dependencies import load
from topicml.io.readers.fields import make_document
from topicml.io.records import Failure, ReadOptions
from topicml.text.decoding import DecodingError, decode, knows_encoding
from topicml.text.document import Document

_META = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_XML = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})", re.IGNORECASE)
_DECLARED_WITHIN = 4096
_NO_MAIN_TEXT = "no_main_text"


def page_document(
    page: bytes,
    charset: str | None,
    values: Mapping[str, str | None],
    options: ReadOptions,
    source: str,
    number: int,
) -> Document | Failure:
    """Return the document of a web page.

    Args:
        page: Its HTML.
        charset: What the server said of its encoding.
        values: Its other fields.
        options: Which field is what, and the encoding of all pages, if one was named.
        source: File that it is from.
        number: In that file.
    """
    try:
        html, encoding = decode_html(page, charset, options.encoding)
    except DecodingError as err:
        return Failure(err.reason, err.detail)
    text = main_text(html)
    if isinstance(text, Failure):
        return text
    values = {**values, options.fields.text: text}
    return make_document(values, options, source, number, encoding)


def decode_html(
    page: bytes, charset: str | None = None, encoding: str | None = None
) -> tuple[str, str]:
    """Decode a page, and return it with the encoding that was used; see ``decoding.decode``.

    It is the server's word that counts first, then the page's own. Where a page is UTF-8 but for
    a few bytes, these become U+FFFD, as in a browser.

    Raises:
        DecodingError: It is binary data, or not in the encoding that was named.
    """
    head = page[:_DECLARED_WITHIN]
    said = [found[1].decode("ascii") for p in (_META, _XML) if (found := p.search(head))]
    declared = next((name for name in (charset, *said) if name and knows_encoding(name)), None)
    try:
        return decode(page, declared=declared, encoding=encoding)
    except DecodingError as err:
        if err.reason != "invalid_utf8" or encoding:
            raise
        return page.decode("utf-8-sig", errors="replace"), "utf-8"


def main_text(page: str) -> str | Failure:
    """Return the main text of a page, a blank line between its paragraphs.

    Raises:
        MissingExtraError: Neither trafilatura nor resiliparse is installed.
    """
    extract = _extractor()
    try:
        text = extract(page)
    except Exception as err:  # noqa: BLE001 - a page is anything, and so is what a parser raises
        return Failure(_NO_MAIN_TEXT, f"the page cannot be parsed ({type(err).__name__}: {err})")
    paragraphs = [line.strip() for line in (text or "").split("\n")]
    whole = "\n\n".join(line for line in paragraphs if line)
    return whole or Failure(_NO_MAIN_TEXT, "no main text was found in the page")


@functools.cache
def _extractor() -> Callable[[str], str | None]:
    try:
        trafilatura = load("trafilatura", "articles", "reading HTML")
    except MissingExtraError:
        try:
            resiliparse = importlib.import_module("resiliparse.extract.html2text")
        except ImportError:
            resiliparse = None
        if resiliparse is None:
            raise
        return functools.partial(
            resiliparse.extract_plain_text, main_content=True, alt_texts=False, comments=False
        )
    for name in ("trafilatura", "htmldate", "courlan"):  # what they warn of is a reject here
        logging.getLogger(name).addHandler(logging.NullHandler())
    return functools.partial(trafilatura.extract, include_comments=False)


def check_extractor() -> None:
    """Look for what finds the main text of a page.

    Raises:
        MissingExtraError: Neither trafilatura nor resiliparse is installed.
    """
    _extractor()
