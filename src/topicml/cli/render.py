"""Tables for people, drawn with rich."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from topicml.tagging.abstention import Reason
from topicml.tagging.articles import TaggedArticle

_BAR = 20
_COLOURS = ("cyan", "magenta", "yellow", "green", "red", "blue", "bright_cyan", "bright_magenta")


_IN_WORDS: dict[Reason | None, str] = {
    "not_english": "the text is not in English",
    "furniture": "it is the page around an article, not an article",
    "unfamiliar": "the model knows too few of its words",
    "no_topic": "its sentences are about none of the topics",
    "below_threshold": "no topic is likely enough",
}


def console(out: IO[str] | None = None) -> Console:
    """Return a console on a stream; ``NO_COLOR`` and the window's width are honoured."""
    return Console(file=out, highlight=False, markup=False, emoji=False)


def render_article(article: TaggedArticle, out: IO[str]) -> None:
    """Draw an article's topics with probability bars, and the sentences that carry them."""
    screen = console(out)
    tagged = sum(bool(sentence.topics) for sentence in article.sentences)
    screen.print(Text(_printable(article.id), style="bold"))
    screen.print(
        Text(
            f"{tagged} of {len(article.sentences)} sentences tagged, model {article.model}",
            style="dim",
        )
    )
    if not article.topics:
        screen.print(Text(f"No topic: {_IN_WORDS[article.reason]}.\n"))
        return
    colours = {t: _COLOURS[i % len(_COLOURS)] for i, t in enumerate(article.topic_ids)}
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("topic", no_wrap=True)
    if screen.width >= 70:
        table.add_column("probability", no_wrap=True)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("sentences")
    for topic in article.topics:
        colour = colours[topic.topic]
        bar = [_bar(topic.probability, colour)] if screen.width >= 70 else []
        table.add_row(
            Text(topic.topic, style=colour),
            *bar,
            f"{topic.probability:.2f}",
            _numbers(topic.sentences),
        )
    screen.print(table)
    screen.print()
    _render_sentences(screen, article, colours)


def _render_sentences(screen: Console, article: TaggedArticle, colours: dict[str, str]) -> None:
    columns = {topic: column for column, topic in enumerate(article.topic_ids)}
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(justify="right", style="dim", no_wrap=True)
    grid.add_column()
    for index, tagged in enumerate(article.sentences):
        if not tagged.topics:
            continue
        labels = Text("   ").join(
            Text.assemble((topic, colours[topic]), f" {tagged.probabilities[columns[topic]]:.2f}")
            for topic in tagged.topics
        )
        grid.add_row(str(index), _printable(tagged.sentence.text))
        grid.add_row("", labels)
    screen.print(grid)
    screen.print()


def _printable(text: str) -> str:
    """Return a text on one line, without what a terminal would obey."""
    return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))


def _bar(probability: float, colour: str) -> Text:
    filled = round(probability * _BAR)
    return Text("━" * filled, style=colour) + Text("╌" * (_BAR - filled), style="dim")


def _numbers(sentences: Sequence[int], most: int = 12) -> str:
    shown = ", ".join(map(str, sentences[:most]))
    more = len(sentences) - most
    return f"{shown} and {more} more" if more > 0 else shown


def render_rows(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], out: IO[str] | None = None
) -> None:
    """Draw a plain table; numbers go right, floats have two decimals, None is a dash."""
    table = Table(box=None, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(
            row[index] is None or isinstance(row[index], int | float) for row in rows
        )
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    screen = console(out)
    screen.print(table)
    screen.print()


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
