"""A page made ready for what finds its main text.

What would be taken for text and is none goes; what would be lost is written in a way that is kept.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import islice

from lxml import etree
from lxml.html import HtmlElement

_ENDS = tuple(".!?…。！？")
_CLOSING = "\"'”’»)]"  # what may stand behind the end of a sentence

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BLOCKS = (
    *(*_HEADINGS, "p", "div", "ul", "ol", "dl", "table", "blockquote", "pre", "hr"),
    *("section", "article", "main", "header", "footer", "aside", "figure", "form"),
)
_HOLDERS = ("div", "li", "dd", "section", "article", "main", "blockquote", "center", "body")
_FORMATTING = ("b", "strong", "i", "em", "u", "font", "small", "big", "mark")

_NEVER_TEXT = frozenset(
    ("nav", "noscript", "button", "dialog", "template", "amp-ad", "amp-consent")
)
_NEVER_TEXT |= {"amp-sidebar", "amp-sticky-ad", "amp-auto-ads"}
_ROLES = frozenset(("dialog", "alertdialog", "navigation", "banner", "contentinfo", "search"))
_WHOLE = frozenset(("html", "body", "main", "article"))  # not judged by their names
_NAMES = re.compile(
    r"(?:^|[\s_-])(?:bio|byline|correction|credits?|sign-?off|contact"
    r"|newsletter(?:-?(?:box|promo|sign-?up))?|subscri(?:be|ption)(?:-\w+)*|inline-?promo"
    r"|advert\w*|ad-slot)(?![\w-])",
    re.IGNORECASE,
)
_LONGEST_FURNITURE = 600  # characters

_NOTE_MARK = re.compile(r"[\W_]*\d{0,3}[\W_]*")  # of a footnote, or the arrow back from it
_LINK_FURNITURE = re.compile(
    r"\W*(?:(?:read|learn|see) (?:more|on|it here|the full \w+)|continue reading|click here"
    r"|(?:https?://)?(?:pic\.twitter\.com|t\.co)/\S+)\W*",
    re.IGNORECASE,
)
_FEWEST_WORDS = 5  # of a link that is a sentence
_LONGEST_MENU_ITEM = 6  # words
_BETWEEN_MENU_ITEMS = 3  # characters
_FEWEST_TEASERS, _LONGEST_TEASER = 3, 200  # on a page; characters beside its headline
_ARTICLE_SHARE = 0.8  # of a page's sentences
_SMALLEST_SHARE = 5  # of the longest of several articles


def make_ready(tree: HtmlElement) -> None:
    """Change a page so that its text is found; see the module."""
    _drop_furniture(tree)
    _drop_teasers(tree)
    _open_layout_tables(tree)
    _part_paragraphs(tree)
    _mark_paragraphs(tree)
    if not _join_articles(tree):
        _find_article(tree)
    etree.strip_tags(tree, *_FORMATTING)


def stated_text(tree: HtmlElement) -> str:
    """Return what a page says its article is, for search engines, apart from what it shows."""
    found = []
    for script in tree.iter("script"):
        if "ld+json" in script.get("type", "") and '"articleBody"' in (script.text or ""):
            with contextlib.suppress(ValueError, RecursionError):
                waiting = [json.loads(script.text, strict=False)]
                while waiting:
                    item = waiting.pop()
                    waiting += item if isinstance(item, list) else ()
                    waiting += item.values() if isinstance(item, dict) else ()
                    if isinstance(item, dict) and isinstance(item.get("articleBody"), str):
                        found.append(item["articleBody"])
    return max(found, key=len, default="")


def is_sentence(text: str) -> bool:
    """Whether a text ends as a sentence does."""
    return text.rstrip(_CLOSING).endswith(_ENDS)


def _text(element: HtmlElement) -> str:
    return " ".join("".join(element.itertext()).split())


def _holds_block(element: HtmlElement) -> bool:
    return next(element.iterdescendants(*_BLOCKS), None) is not None


def _drop(elements: list[HtmlElement]) -> None:
    for element in elements:
        if element.getparent() is not None:
            element.drop_tree()


@dataclass(slots=True)
class _Content:
    """What is in an element.

    Attributes:
        length: Characters of its text.
        linked: Those of them that are in links.
        links: How many links there are.
        is_short: Whether each link is a few words.
        has_title: Whether the page's title is in it.
    """

    length: int = 0
    linked: int = 0
    links: int = 0
    is_short: bool = True
    has_title: bool = False

    def add(self, other: _Content) -> None:
        self.length += other.length
        self.linked += other.linked
        self.links += other.links
        self.is_short &= other.is_short
        self.has_title |= other.has_title


def _drop_furniture(tree: HtmlElement) -> None:
    """Drop menus, marks of footnotes, and what its name says is no part of an article."""
    dropped, path = [], [_Content()]
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        if event == "start":
            path.append(_Content(len((element.text or "").strip())))
            continue
        content = path.pop()
        if element.tag == "a":
            _add_link(content, _text(element))
        content.has_title |= element.tag == "h1"
        if _is_furniture(element, content):
            dropped.append(element)
        else:
            path[-1].add(content)
        path[-1].length += len((element.tail or "").strip())
    _drop(dropped)


def _add_link(content: _Content, text: str) -> None:
    content.links += 1
    content.linked += content.length
    content.is_short = len(text.split()) <= _LONGEST_MENU_ITEM and not is_sentence(text)


def _is_furniture(element: HtmlElement, content: _Content) -> bool:
    if element.tag == "a":
        text = _text(element)
        is_mark = element.get("href", "").startswith("#") and _NOTE_MARK.fullmatch(text)
        return bool(is_mark or _LINK_FURNITURE.fullmatch(text))
    if element.tag in _WHOLE or content.has_title:
        return False
    if element.tag in _NEVER_TEXT or element.get("role") in _ROLES or _is_menu(element, content):
        return True
    name = f"{element.get('class', '')} {element.get('id', '')}"
    return content.length < _LONGEST_FURNITURE and bool(_NAMES.search(name))


def _is_menu(element: HtmlElement, content: _Content) -> bool:
    """Whether it holds nothing but short links, and no paragraph announces it."""
    around = content.length - content.linked
    return (
        content.links > 1
        and content.is_short
        and around <= _BETWEEN_MENU_ITEMS * content.links
        and not _is_announced(element)
    )


def _drop_teasers(tree: HtmlElement) -> None:
    """Drop linked headlines with a line or two, where a page has several of them."""
    linked = [heading for heading in tree.iter(*_HEADINGS[1:]) if _is_linked(heading)]
    teasers = [teaser for heading in linked if (teaser := _teaser(heading)) is not None]
    if len(teasers) >= _FEWEST_TEASERS:
        _drop(teasers)


def _is_linked(heading: HtmlElement) -> bool:
    """Whether a heading leads to another page."""
    link = heading.find(".//a")
    if link is None:
        return next(heading.iterancestors("a"), None) is not None
    return not link.get("href", "#").startswith("#") and _text(link) == _text(heading)


def _teaser(heading: HtmlElement) -> HtmlElement | None:
    """Return the largest element that a heading is the only one of, if it says little."""
    teaser = heading
    for parent in heading.iterancestors():
        if parent.tag in {"body", "main"} or _count(parent, _HEADINGS) > 1:
            break
        teaser = parent
    rest = len(_text(teaser)) - len(_text(heading))
    return teaser if rest <= _LONGEST_TEASER and _count(teaser, ("p",)) <= 1 else None


def _count(element: HtmlElement, tags: tuple[str, ...]) -> int:
    """Return how many there are in an element, two for all that are more."""
    return len(list(islice(element.iter(*tags), 2)))


def _open_layout_tables(tree: HtmlElement) -> None:
    """Make plain divisions of tables that lay out a page."""
    layouts = {next(table.iterancestors("table"), None) for table in tree.iter("table")}
    for cell in tree.iter("td", "th"):
        blocks = [child.tag for child in cell if child.tag in _BLOCKS or child.tag == "br"]
        if len(blocks) > 1 or (blocks and blocks[0] not in {"p", "br"}):
            layouts.add(next(cell.iterancestors("table"), None))
    parts = [
        part
        for part in tree.iter("caption", "thead", "tbody", "tfoot", "tr", "td", "th")
        if next(part.iterancestors("table"), None) in layouts
    ]
    for element in (*parts, *(layouts - {None})):
        element.tag = "div"


def _part_paragraphs(tree: HtmlElement) -> None:
    """Make paragraphs of what stands between empty lines, and beside other blocks."""
    holders = {line.getparent(): None for line in tree.iter("br") if _is_empty_line(line)}
    holders |= {block: None for block in tree.iter(*_HOLDERS) if _is_mixed(block)}
    for holder in holders:
        holder.tag = "div" if holder.tag == "p" else holder.tag
        paragraph = holder.makeelement("p")
        paragraph.text, holder.text = holder.text, None
        is_gap = False
        for child in list(holder):
            is_gap = child.tag == "br" and (is_gap or _is_empty_line(child))
            if is_gap or child.tag in _BLOCKS:
                child.addprevious(paragraph)
                paragraph = holder.makeelement("p")
                paragraph.text, child.tail = child.tail, None
                is_gap = is_gap and not (paragraph.text or "").strip()
            else:
                paragraph.append(child)
        holder.append(paragraph)


def _is_mixed(element: HtmlElement) -> bool:
    """Whether it holds text and blocks, one beside the other."""
    if not any(child.tag in _BLOCKS for child in element):
        return False
    texts = (element.text, *(child.tail for child in element))
    return any(text and not text.isspace() for text in texts)


def _is_empty_line(line: HtmlElement) -> bool:
    following = line.getnext()
    return (
        line.tag == "br"
        and not (line.tail or "").strip()
        and following is not None
        and following.tag == "br"
    )


def _mark_paragraphs(tree: HtmlElement) -> None:
    """Make paragraphs of what reads as one, whatever element it is, and plain text of its links.

    Lists, and divisions with text in them, are lost where no name tells that they are in the
    article; and what is a link as a whole passes for one of a list of links.
    """
    for element in [*tree.iter("p", "div", "li", "dt", "dd")]:
        if not _holds_block(element) and _is_prose(_text(element)):
            _make_paragraph(element)
    for items in [*tree.iter("ul", "ol", "dl")]:
        if _is_announced(items) or next(items.iterdescendants("p"), None) is not None:
            items.tag = "div"
            for item in items.iterchildren("li", "dt", "dd"):
                if _holds_block(item):
                    item.tag = "div"
                else:
                    _make_paragraph(item)


def _make_paragraph(element: HtmlElement) -> None:
    element.tag = "p"
    for link in element.iter("a"):
        link.tag = "span"
        link.attrib.clear()


def _is_prose(text: str) -> bool:
    return is_sentence(text) and len(text.split()) >= _FEWEST_WORDS


def _is_announced(element: HtmlElement) -> bool:
    """Whether the paragraph before it ends in a colon."""
    before = element.getprevious()
    return before is not None and before.tag == "p" and _text(before).endswith(":")


def _join_articles(tree: HtmlElement) -> bool:
    """Make one article of several that stand side by side, of which only the first is read.

    Returns:
        Whether there are several.
    """
    families = defaultdict(list)
    for article in tree.iter("article"):
        families[article.getparent()].append(article)
    for family in families.values():
        lengths = [len(_text(article)) for article in family]
        least = max(lengths) / _SMALLEST_SHARE
        if sum(length >= least for length in lengths) > 1:
            _join(family)
            return True
    return False


def _join(family: list[HtmlElement]) -> None:
    whole = family[0].makeelement("article")
    family[0].addprevious(whole)
    for article in family:
        article.tag, article.tail = "div", None
        whole.append(article)
    _name_article(whole)


def _find_article(tree: HtmlElement) -> None:
    """Name what holds the title of a page and nearly all of its sentences as its article.

    Otherwise the first part is taken that has the name of one, and a lead in another is lost.
    """
    title = _title(tree)
    held = dict.fromkeys(title.iterancestors(), 0)
    for paragraph in tree.iter("p") if held else ():
        if is_sentence(text := _text(paragraph)):
            held[next(holder for holder in paragraph.iterancestors() if holder in held)] += len(
                text
            )
    total, so_far = sum(held.values()), 0
    for holder, length in held.items():
        so_far += length
        if holder.tag in {"body", "html"}:
            return
        if so_far >= _ARTICLE_SHARE * total > 0:
            _name_article(holder)
            return


def _title(tree: HtmlElement) -> HtmlElement:
    """Return the headline that is the page's title, else its first, else the page."""
    said = tree.findtext(".//title") or ""
    for heading in tree.iter(*_HEADINGS):
        text = _text(heading)
        if " " in text and text in said:
            return heading
    return next(tree.iter("h1"), tree)


def _name_article(article: HtmlElement) -> None:
    """Give an element the name that is looked for first."""
    article.tag = "article"
    article.set("itemprop", "articleBody")
