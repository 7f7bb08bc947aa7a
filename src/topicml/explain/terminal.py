"""Explanations for people at a terminal, drawn with rich; they can be read without colours, too."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import IO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from topicml.explain.explanation import Explanation, TopicExplanation, Word
from topicml.explain.records import ExplainedArticle
from topicml.explain.wording import sum_of, verdict, what_is_checked, without
from topicml.io.writers.table import table_console, write_table
from topicml.tagging.abstention import SENTENCE_REASONS
from topicml.tagging.thresholds import Thresholds
from topicml.text.normalise import printable

_MOST_WORDS, _MOST_IN_TABLE = 6, 3
_LEVELS = 3
_LEAST = 0.15  # of the strongest word's contribution; what adds less is not highlighted
_FOR = ("", "blue", "bold blue", "bold white on blue")
_AGAINST = ("", "yellow", "bold yellow", "bold black on yellow")


def write_explanations(explained: ExplainedArticle, out: IO[str]) -> None:
    """Draw the explanation of each sentence of an article.

    Args:
        explained: The article.
        out: Where to.
    """
    console = table_console(out)
    article = explained.article
    console.print(Text(printable(article.id), style="bold"))
    console.print(Text(f"model {article.model}", style="dim"))
    console.print(Text(_legend(console), style="dim"))
    for index, explanation in enumerate(explained.explanations):
        console.print()
        _write_explanation(console, index, explanation)
    console.print()


def write_explained_table(
    explained: ExplainedArticle, thresholds: Thresholds, out: IO[str]
) -> None:
    """Draw the table of ``write_table``, with the words that decided.

    Args:
        explained: The article.
        thresholds: What its sentences had to reach.
        out: Where to.
    """
    console = table_console(out)
    shown = {
        index: _sentence_and_topics(console, explanation)
        for index, explanation in enumerate(explained.explanations)
        if explanation.given
    }
    write_table(explained.article, thresholds, out, shown)


def _sentence_and_topics(console: Console, explanation: Explanation) -> tuple[Text, Text]:
    """Return a sentence highlighted for its most probable topic, and what speaks for each."""
    topics = sorted(explanation.topics, key=lambda topic: -topic.probability)
    lines = [
        Text.assemble(
            (f"{topic.topic} {topic.probability:.2f}", "bold"),
            f": {_listed(explanation.strongest_words(topic, _MOST_IN_TABLE))}",
        )
        for topic in topics
    ]
    return marked_text(explanation, topics[0], console), Text("\n").join(lines)


def marked_text(explanation: Explanation, topic: TopicExplanation, console: Console) -> Text:
    """Return a sentence on one line, its words highlighted by what they add to a topic.

    Blue is for the topic, yellow against it. Where a console has no colours, ``+`` and ``-``
    stand before the words, up to three of them.
    """
    found = Text()
    for text, strength in explanation.segments(topic):
        level = _level(strength)
        if not level:
            found.append(_on_one_line(text))
        elif _has_colours(console):
            found.append(printable(text), style=(_FOR if strength > 0 else _AGAINST)[level])
        else:
            found.append(("+" if strength > 0 else "-") * level + printable(text))
    return found


def _level(strength: float) -> int:
    return math.ceil(abs(strength) * _LEVELS) if abs(strength) >= _LEAST else 0


def _on_one_line(text: str) -> str:
    """Return a piece of a sentence on one line, without what a terminal would obey."""
    before, after = text[:1].isspace(), text[-1:].isspace()
    inside = printable(text)
    return f"{' ' * before}{inside}{' ' * after}" if inside else " " * before


def _has_colours(console: Console) -> bool:
    return console.color_system is not None and not console.no_color


def _legend(console: Console) -> str:
    signs = "blue, against it yellow" if _has_colours(console) else "+ to +++, against it - to ---"
    return f"Words for a topic are marked {signs}; numbers are log-odds."


def _write_explanation(console: Console, index: int, explanation: Explanation) -> None:
    if explanation.reason:
        reason = SENTENCE_REASONS[explanation.reason]
        console.print(Text(f"{index}  no topic: {reason}", style="bold"))
        console.print(
            _grid(
                [
                    ("passed" if check.passed else "failed", what_is_checked(check))
                    for check in explanation.checks
                ]
            )
        )
    for topic in explanation.topics:
        console.print(Text.assemble(f"{index}  ", (topic.topic, "bold"), f" {verdict(topic)}"))
        console.print(_grid([(Text(""), marked_text(explanation, topic, console))]))
        console.print(_grid(_topic_rows(explanation, topic)))


def _grid(rows: Iterable[tuple[Text | str, Text | str]]) -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True, style="dim", min_width=10, justify="right")
    grid.add_column(overflow="fold")
    for row in rows:
        grid.add_row(*row)
    return grid


def _topic_rows(
    explanation: Explanation, topic: TopicExplanation
) -> list[tuple[Text | str, Text | str]]:
    rows: list[tuple[Text | str, Text | str]] = []
    for side, against in (("for", False), ("against", True)):
        strongest = explanation.strongest_words(topic, _MOST_WORDS, against=against)
        rows += [(side, _listed(strongest))] if strongest else []
    rows.append(("sum", sum_of(topic)))
    if topic.change:
        rows.append(("without", printable(without(explanation, topic.change))))
    for neighbour in topic.nearest:
        labelled = ", ".join(neighbour.topics) or "no topic"
        text = f"{neighbour.similarity:+.2f} {printable(neighbour.text)}"
        rows.append(("like", Text.assemble(text, (f" ({neighbour.id}: {labelled})", "dim"))))
    return rows


def _listed(words: Sequence[tuple[Word, float]]) -> str:
    return ", ".join(f"{printable(word.text)} {added:+.2f}" for word, added in words) or "–"
