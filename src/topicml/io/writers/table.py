"""Tagged articles as tables for people, drawn with rich."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import IO

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from topicml.tagging.abstention import ARTICLE_REASONS, SENTENCE_REASONS
from topicml.tagging.articles import TaggedArticle, TaggedSentence
from topicml.tagging.thresholds import Thresholds
from topicml.text.normalise import printable

WIDEST = 120
"""Columns beyond which a table grows no more: longer lines are hard to read."""

_BAR = 20
_WIDE_ENOUGH_FOR_BARS = 70
_COLOURS = (
    "cyan",
    "magenta",
    "yellow",
    "green",
    "red",
    "blue",
    "bright_magenta",
    "bright_green",
    "bright_red",
)


def table_console(out: IO[str] | None = None) -> Console:
    """Return a console on a stream; ``NO_COLOR`` and the window's width are honoured."""
    console = Console(file=out, highlight=False, markup=False, emoji=False)
    console.width = min(console.width, WIDEST)
    return console


def write_table(
    article: TaggedArticle,
    thresholds: Thresholds,
    out: IO[str],
    explained: Mapping[int, tuple[Text, Text]] = MappingProxyType({}),
) -> None:
    """Draw an article's topics with probability bars, and all its sentences.

    Args:
        article: The article.
        thresholds: What its sentences had to reach.
        out: Where to.
        explained: By number of sentences, how they and their topics are shown otherwise.
    """
    console = table_console(out)
    tagged = sum(bool(tags) for tags in article.tags)
    console.print(Text(printable(article.id), style="bold"))
    summary = f"{tagged} of {len(article.spans)} sentences tagged, model {article.model}"
    again = article.second_opinion
    if again:
        summary += f"; {len(again.sentences)} (*) read again by {again.model}"
    console.print(Text(summary, style="dim"))
    colours = {t: _COLOURS[i % len(_COLOURS)] for i, t in enumerate(article.topic_ids)}
    if article.topics:
        console.print(_topics_table(console, article, colours))
    else:
        console.print(Text(f"No topic: {ARTICLE_REASONS[article.reason]}."))
    console.print()
    if article.spans:
        console.print(_sentences_table(article, thresholds, colours, explained))
        console.print()


def _topics_table(console: Console, article: TaggedArticle, colours: dict[str, str]) -> Table:
    has_bars = console.width >= _WIDE_ENOUGH_FOR_BARS
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("topic", no_wrap=True)
    if has_bars:
        table.add_column("probability", no_wrap=True)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("sentences")
    for topic in article.topics:
        colour = colours[topic.topic]
        table.add_row(
            Text(topic.topic, style=colour),
            *([_bar(topic.probability, colour)] if has_bars else []),
            f"{topic.probability:.2f}",
            _numbers(topic.sentences),
        )
    return table


def _bar(probability: float, colour: str) -> Text:
    filled = round(probability * _BAR)
    return Text("━" * filled, style=colour) + Text("╌" * (_BAR - filled), style="dim")


def _numbers(sentences: Sequence[int], most: int = 12) -> str:
    shown = ", ".join(map(str, sentences[:most]))
    more = len(sentences) - most
    return f"{shown} and {more} more" if more > 0 else shown


def _sentences_table(
    article: TaggedArticle,
    thresholds: Thresholds,
    colours: dict[str, str],
    explained: Mapping[int, tuple[Text, Text]],
) -> Table:
    columns = {topic: column for column, topic in enumerate(article.topic_ids)}
    second = article.second_opinion
    limits = dict.fromkeys(second.sentences, second.thresholds) if second else {}
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(justify="right", style="dim", no_wrap=True)
    grid.add_column()
    for index, sentence in enumerate(article.sentences):
        number = f"*{index}" if index in limits else str(index)
        if index in explained:
            text, labels = explained[index]
            grid.add_row(number, text)
            grid.add_row("", labels)
            continue
        style = "" if sentence.topics else "dim"
        grid.add_row(number, Text(printable(sentence.sentence.text), style=style))
        if sentence.topics:
            labels = Text("   ").join(
                Text.assemble((t, colours[t]), f" {sentence.probabilities[columns[t]]:.2f}")
                for t in sentence.topics
            )
        else:
            limit = limits.get(index, thresholds)
            labels = _why_untagged(sentence, article.topic_ids, limit)
        grid.add_row("", labels)
    return grid


def _why_untagged(
    sentence: TaggedSentence, topic_ids: Sequence[str], thresholds: Thresholds
) -> Text:
    """Say why a sentence has no topic, and which ones relevance alone kept from it."""
    said = f"no tag: {SENTENCE_REASONS[sentence.reason]}"
    if sentence.reason == "no_topic":
        said += f" (relevance {sentence.relevance:.2f} under {thresholds.relevance:.2f})"
        reached = np.flatnonzero(sentence.probabilities >= thresholds.topics)
        names = [f"{topic_ids[t]} {sentence.probabilities[t]:.2f}" for t in reached.tolist()]
        said += f"; this kept back {', '.join(names)}" if names else ""
    elif sentence.reason == "below_threshold":
        over = sentence.probabilities - thresholds.topics
        nearest = int(np.argmax(np.where(over < 0, over, -np.inf)))  # multiclass: others may reach
        said += (
            f" ({topic_ids[nearest]} {sentence.probabilities[nearest]:.2f} "
            f"under {thresholds.topics[nearest]:.2f})"
        )
    return Text(said, style="dim italic")
