"""What a page shows of one tagged article: its paragraphs, and in them its sentences."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import orjson

from topicml.io.records import Fields
from topicml.report.words import Words
from topicml.tagging.abstention import Reason
from topicml.tagging.articles import TaggedArticle, TaggedSentence
from topicml.text.normalise import printable
from topicml.text.paragraphs import paragraph_spans

FIELDS = ("title", "date", "source", "url", "language")
"""Fields of an input that a page shows where they are there."""

LONGEST_NAME = 120
"""Characters of what an article is called."""

UNFAMILIAR_SHARE = 0.5
"""Of an article's sentences that must be unfamiliar or foreign for it to be flagged."""

_LONGEST_FIELD = 300
_MOST_STRIPES = 3
_MOST_WORDS = 6
_UNFAMILIAR: tuple[Reason, ...] = ("unfamiliar", "not_english")
_WEB = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
_LINE_BREAK = re.compile(r"\r(?!\n)|[\v\f\x1c-\x1e\x85\u2028\u2029]")


def with_page_fields(fields: Fields) -> Fields:
    """Return which fields of a record are what, with those that a page shows."""
    return replace(fields, also=tuple(name for name in FIELDS if name not in fields.keep))


@dataclass(frozen=True, slots=True)
class SentenceView:
    """A sentence as it is shown.

    Attributes:
        text: It, with as many characters.
        tags: Columns of its topics and their probabilities, the most probable first.
        reason: Why there are none.
        is_read_again: Whether a second model decided.
        is_broken: Whether its line breaks are those of paragraphs.
    """

    text: str
    tags: tuple[tuple[int, float], ...]
    reason: Reason | None
    is_read_again: bool
    is_broken: bool

    @property
    def stripes(self) -> tuple[int, ...]:
        """Columns of the topics that are drawn under it, the outermost first."""
        return tuple(topic for topic, _ in self.tags[:_MOST_STRIPES])


@dataclass(frozen=True, slots=True)
class ArticleView:
    """An article as it is shown.

    Attributes:
        number: Which one it is, from 0.
        id: Its id, on one line.
        name: What it is called: its title, or how it begins.
        title: As the input has it; nothing where it has none.
        heading: The first paragraph where it is the heading.
        paragraphs: The others.
        fields: What the input says of it, by name.
        url: Where it is from, where that is a web address.
        topics: Columns of its topics, their probabilities, and in how many sentences they are.
        counts: T numbers of sentences that carry a topic.
        sentences: How many there are.
        tagged: How many have a topic.
        reason: Why it has no topic.
        unfamiliar: Of how many of its sentences the model hardly knows a word.
        second: The model that read some again, and how many.
    """

    number: int
    id: str
    name: str
    title: str
    heading: tuple[SentenceView, ...]
    paragraphs: tuple[tuple[SentenceView, ...], ...]
    fields: Mapping[str, str]
    url: str | None
    topics: tuple[tuple[int, float, int], ...]
    counts: tuple[int, ...]
    sentences: int
    tagged: int
    reason: Reason | None
    unfamiliar: int
    second: tuple[str, int] | None

    @property
    def is_unfamiliar(self) -> bool:
        """Whether the model knows too little of it for its tags to be relied on."""
        return self.unfamiliar >= max(1, UNFAMILIAR_SHARE * self.sentences)


def view_article(article: TaggedArticle, number: int) -> ArticleView:
    """Return what is shown of an article.

    Args:
        article: It.
        number: Which one it is, from 0.
    """
    columns = {topic: column for column, topic in enumerate(article.topic_ids)}
    topics = tuple((columns[t.topic], t.probability, len(t.sentences)) for t in article.topics)
    by_column = {column: count for column, _, count in topics}
    paragraphs = tuple(_paragraphs(article))
    title = field_text(article.kept.get("title"))
    heading = _heading(paragraphs, title)
    name = title or _beginning(paragraphs) or printable(article.id)
    kept = {field: field_text(value) for field, value in article.kept.items() if field != "title"}
    second = article.second_opinion
    reasons = [sentence.reason for paragraph in paragraphs for sentence in paragraph]
    return ArticleView(
        number=number,
        id=shortened(printable(article.id), _LONGEST_FIELD),
        name=shortened(name, LONGEST_NAME),
        title=shortened(title, LONGEST_NAME),
        heading=heading,
        paragraphs=paragraphs[bool(heading) :],
        fields={printable(field): text for field, text in kept.items() if text and field != "url"},
        url=kept.get("url") or None,
        topics=topics,
        counts=tuple(by_column.get(column, 0) for column in range(len(article.topic_ids))),
        sentences=len(reasons),
        tagged=sum(reason is None for reason in reasons),
        reason=article.reason,
        unfamiliar=sum(reason in _UNFAMILIAR for reason in reasons),
        second=(second.model, len(second.sentences)) if second else None,
    )


def _beginning(paragraphs: Sequence[tuple[SentenceView, ...]]) -> str:
    """Return the first paragraph that is not of the page around the article, on one line."""
    for paragraph in paragraphs:
        if any(sentence.reason != "boilerplate" for sentence in paragraph):
            return printable(" ".join(sentence.text for sentence in paragraph))
    return ""


def is_web_address(text: str) -> bool:
    """Whether a link may lead there; others, as ``javascript:``, are only text."""
    return _WEB.match(text) is not None


def shortened(text: str, most: int) -> str:
    """Return a text that is cut at a word where it is long."""
    if len(text) <= most:
        return text
    head = text[:most]
    return f"{head.rpartition(' ')[0] or head}…"


def field_text(value: Any) -> str:
    """Return the value of a field on one line, not too long; nothing for none."""
    if value is None or value == "":
        return ""
    text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode("utf-8")
    return shortened(printable(text), _LONGEST_FIELD)


def figures_of(article: TaggedArticle, words: Words | None) -> dict[str, Any]:
    """Return what the script of a page shows of an article's sentences when it is asked.

    ``p`` are n times T probabilities and ``r`` n relevances, in thousandths; ``w``, by sentence
    and topic, the words that count most: start and end in UTF-16, as JavaScript counts, and
    hundredths of log-odds. What a second model decided has none: the first one's words are not
    why.
    """
    figures: dict[str, Any] = {
        "p": (article.probabilities * 1000).round().astype(int).tolist(),
        "r": (article.relevance * 1000).round().astype(int).tolist(),
    }
    if words is not None:
        columns = {topic: column for column, topic in enumerate(article.topic_ids)}
        again = _read_again(article)
        figures["w"] = {
            index: {
                columns[topic]: _strongest(sentence.sentence.text, found)
                for topic, found in words(sentence.sentence.text, sentence.topics).items()
            }
            for index, sentence in enumerate(article.sentences)
            if sentence.topics and index not in again
        }
    return figures


def _strongest(text: str, found: Sequence[tuple[int, int, float]]) -> list[tuple[int, int, int]]:
    first = sorted(found, key=lambda word: -abs(word[2]))[:_MOST_WORDS]
    return [
        (_utf16(text[:start]), _utf16(text[:end]), round(100 * added))
        for start, end, added in first
        if round(100 * added)
    ]


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _read_again(article: TaggedArticle) -> set[int]:
    return {*article.second_opinion.sentences} if article.second_opinion else set()


def _paragraphs(article: TaggedArticle) -> Iterator[tuple[SentenceView, ...]]:
    """Yield the sentences of each paragraph that one begins in."""
    starts = [start for start, _ in paragraph_spans(article.text)]
    again = _read_again(article)
    columns = {topic: column for column, topic in enumerate(article.topic_ids)}
    numbered = enumerate(article.sentences)

    def paragraph_of(item: tuple[int, TaggedSentence]) -> int:
        return bisect_right(starts, item[1].sentence.start)

    for paragraph, sentences in groupby(numbered, paragraph_of):
        yield tuple(
            SentenceView(
                shown_text(sentence.sentence.text),
                tuple(
                    sorted(
                        (
                            (columns[t], float(sentence.probabilities[columns[t]]))
                            for t in sentence.topics
                        ),
                        key=lambda tag: -tag[1],
                    )
                ),
                sentence.reason,
                index in again,
                bisect_right(starts, sentence.sentence.end - 1) > max(1, paragraph),
            )
            for index, sentence in sentences
        )


def _heading(
    paragraphs: Sequence[tuple[SentenceView, ...]], title: str
) -> tuple[SentenceView, ...]:
    """Return the first paragraph where it can be the heading: the title, or short without one."""
    if not paragraphs:
        return ()
    text = " ".join(sentence.text for sentence in paragraphs[0])
    is_short = len(text) <= LONGEST_NAME and len(paragraphs[0]) == 1
    is_short &= not (paragraphs[0][0].is_broken or paragraphs[0][0].reason == "boilerplate")
    is_title = printable(text) == title if title else is_short
    return paragraphs[0] if is_title else ()


def shown_text(text: str) -> str:
    """Return a text with as many characters as a page may have; line breaks stay such."""
    text = _LINE_BREAK.sub("\n", text).replace("\r", " ")
    return _CONTROLS.sub("\ufffd", text)
