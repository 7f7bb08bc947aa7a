"""Web pages to their main text."""

from __future__ import annotations

import functools
import re
from configparser import ConfigParser
from types import ModuleType
from typing import NamedTuple

from topicml.errors import RecordError
from topicml.io import child
from topicml.io.optional_dependencies import load
from topicml.io.records import ALL, ReadOptions
from topicml.text.decoding import decode, known_encoding

_META = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_XML = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})", re.IGNORECASE)
_DECLARED_WITHIN = 4096
_OWN = b'<meta name="generator" content="topicml">'
_LANGUAGE = re.compile(
    r"<html\b[^>]{0,1000}?\slang\s{0,9}=\s{0,9}[\"']?([A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3})\b",
    re.IGNORECASE,
)
PAGE_FIELDS = ("title", "date", "url", "source", "language")
"""What is found of a page besides its text."""

_MOST_MEMORY = 400_000_000  # for a page's tree takes a hundred times as much as its bytes
_NO_MAIN_TEXT = "no_main_text"
_SHOWN_SHARE = 0.5  # of an article's text, below which a page does not show it


class Page(NamedTuple):
    """What is read of a page.

    Attributes:
        text: Its main text.
        encoding: What it was decoded by.
        fields: What it says of itself, by ``PAGE_FIELDS``, where that was asked for.
    """

    text: str
    encoding: str
    fields: dict[str, str]


def read_page(page: bytes, charset: str | None, options: ReadOptions) -> Page:
    """Return what the child process finds in a page.

    Args:
        page: Its bytes.
        charset: What the server said of its encoding.
        options: The encoding of all pages, if one was named, what is kept, and what one may take.

    Raises:
        RecordError: It cannot be decoded, has no main text, or takes too much.
        MissingExtraError: trafilatura is not installed.
    """
    arguments = page, charset, options.encoding, wants_fields(options)
    try:
        return child.call(
            extract,
            *arguments,
            seconds=options.seconds,
            prepare=import_extractor,
            memory=_MOST_MEMORY,
        )
    except child.ChildError as err:
        raise RecordError(_NO_MAIN_TEXT, f"the page cannot be parsed ({err})") from err


def wants_fields(options: ReadOptions) -> bool:
    """Whether anything is asked for of what a page says of itself."""
    fields = options.fields
    asked = (fields.id, *fields.keep, *fields.also)
    return not {*PAGE_FIELDS, ALL}.isdisjoint(asked)


def check_extraction() -> None:
    """Have a child process that can read pages.

    Raises:
        MissingExtraError: trafilatura is not installed.
    """
    child.ensure(import_extractor)


def import_extractor() -> None:
    """Import what finds the main text of a page, which takes longer than most pages."""
    find_extractor()


def extract(page: bytes, charset: str | None, encoding: str | None, wants_fields: bool) -> Page:
    """Return what is found in a page; see ``read_page``, which calls this in the child process."""
    if _OWN in page[:_DECLARED_WITHIN]:
        detail = "this is a report of topicml: give the texts that it was made of"
        raise RecordError(_NO_MAIN_TEXT, detail)
    html, encoding = decode_html(page, charset, encoding)
    return Page(main_text(html), encoding, page_fields(html) if wants_fields else {})


def decode_html(
    page: bytes, charset: str | None = None, encoding: str | None = None
) -> tuple[str, str]:
    """Decode a page, and return it with the encoding that was used; see ``decoding.decode``.

    It is the server's word that counts first, then the page's own. Where a page is UTF-8 but for
    a few bytes, these become U+FFFD, as in a browser.

    Raises:
        RecordError: It is binary data, or not in the encoding that was named.
    """
    head = page[:_DECLARED_WITHIN]
    said = [found[1].decode("ascii") for p in (_META, _XML) if (found := p.search(head))]
    declared = next((name for name in (charset, *said) if name and known_encoding(name)), None)
    try:
        return decode(page, declared=declared, encoding=encoding)
    except RecordError as err:
        if err.reason != "invalid_utf8" or encoding:
            raise
        return page.decode("utf-8-sig", errors="replace"), "utf-8"


def main_text(page: str) -> str:
    """Return the main text of a page, a blank line between its paragraphs.

    Raises:
        RecordError: There is none.
        MissingExtraError: trafilatura is not installed.
    """
    extractor = find_extractor()
    try:
        text = _main_text(page, extractor)
    except Exception as err:  # a page is anything, and so is what a parser raises
        detail = f"the page cannot be parsed ({type(err).__name__}: {err})"
        raise RecordError(_NO_MAIN_TEXT, detail) from err
    if not text:
        raise RecordError(_NO_MAIN_TEXT, "no main text was found in the page")
    return text


def _main_text(page: str, extractor: ModuleType) -> str:
    from topicml.io.readers.page_text import page_text, plain_text
    from topicml.io.readers.page_tree import make_ready, stated_text

    tree = extractor.load_html(page)
    if tree is None:
        return ""
    stated = stated_text(tree)
    make_ready(tree)
    found = extractor.bare_extraction(
        tree, include_comments=False, output_format="txt", config=_settings()
    )
    text = page_text(found.body) if found else ""
    return text if len(text) > _SHOWN_SHARE * len(stated) else plain_text(stated)


@functools.cache
def _settings() -> ConfigParser:
    """Return settings by which a short text is not replaced by a dump of the whole page."""
    from trafilatura.settings import use_config

    settings: ConfigParser = use_config()
    settings.set("DEFAULT", "MIN_EXTRACTED_SIZE", "0")
    return settings


def page_fields(page: str) -> dict[str, str]:
    """Return what a page says of itself, by ``PAGE_FIELDS``, without what it does not say.

    Raises:
        MissingExtraError: trafilatura is not installed.
    """
    trafilatura = load("trafilatura", "articles", "reading HTML")
    try:
        found = trafilatura.extract_metadata(page)
    except Exception:  # noqa: BLE001 - as above; its text is there all the same
        found = None
    language = _LANGUAGE.search(page, 0, _DECLARED_WITHIN)
    said = {
        **{name: getattr(found, name, None) for name in ("title", "date", "url")},
        "source": getattr(found, "sitename", None),
        "language": language and language[1],
    }
    return {name: value for name, value in said.items() if value}


@functools.cache
def find_extractor() -> ModuleType:
    """Return trafilatura, which finds the main text of a page.

    Raises:
        MissingExtraError: It is not installed.
    """
    trafilatura: ModuleType = load("trafilatura", "articles", "reading HTML")
    import logging  # which every other command can do without

    for name in ("trafilatura", "htmldate", "courlan"):  # what they warn of is a reject here
        logging.getLogger(name).addHandler(logging.NullHandler())
    return trafilatura
