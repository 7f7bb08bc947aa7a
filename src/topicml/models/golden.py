"""``golden.jsonl``: sentences with the probabilities that every machine must find again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from topicml.errors import ModelError
from topicml.models.manifest import RESTORE, read_text
from topicml.scoring.scorer import Scorer

MAX_GOLDEN_BYTES = 100_000_000
"""Bytes; 200 sentences of a thousand topics are a tenth of it."""


def choose_golden(texts: Sequence[str], most: int = 200) -> list[str]:
    """Return up to ``most`` texts spread evenly, and a few that are hard to tokenise."""
    step = max(1, -(-len(texts) // most))
    return [*texts[::step], *_HARD_TO_TOKENIZE]


_HARD_TO_TOKENIZE = (
    "",
    "a",
    "İstanbul ve IRAK: NATO’nun komutanlığı",
    "Die Straße nach Büchel — ΟΔΥΣΣΕΥΣ",
    "日米同盟の抑止力 and the alliance 🤝",
    "NUL\x00 and\ttab\u2028line\u00a0space",
    "cafe\u0301 naïve ﬁnal",
)


def golden_lines(scorer: Scorer, texts: Iterable[str]) -> str:
    """Return golden sentences with their probabilities, one JSON object a line."""
    texts = list(texts)
    lines = []
    scores = scorer.score_texts(texts)
    for text, row, relevance in zip(texts, scores.probabilities, scores.relevance, strict=True):
        probabilities = dict(zip(scorer.topics, row.tolist(), strict=True))
        golden = {"probabilities": probabilities, "relevance": float(relevance), "text": text}
        lines.append(json.dumps(golden, sort_keys=True))
    return "\n".join(lines) + "\n"


def read_golden(file: Path, topics: Sequence[str]) -> tuple[list[str], NDArray[np.float64]]:
    """Read golden sentences.

    Args:
        file: ``golden.jsonl``.
        topics: T topic ids, in column order.

    Returns:
        n texts, and n by T + 1 probabilities, relevance last.

    Raises:
        ModelError: The file, or a line of it, is not as ``golden_lines`` makes them.
    """
    try:
        lines = read_text(file, MAX_GOLDEN_BYTES).removesuffix("\n").split("\n")
    except (OSError, ValueError) as err:
        raise ModelError(f"cannot be read ({err})", where=file, hint=RESTORE) from err
    texts, rows = [], []
    for number, line in enumerate(lines, start=1):
        try:
            text, row = _read_line(line, topics)
        except (ValueError, LookupError, TypeError, OverflowError, RecursionError) as err:
            what = f"not a golden sentence ({type(err).__name__}: {err!s:.80})"
            raise ModelError(what, where=f"{file}:{number}", hint=RESTORE) from err
        texts.append(text)
        rows.append(row)
    return texts, np.array(rows, dtype=np.float64)


def _read_line(line: str, topics: Sequence[str]) -> tuple[str, list[float]]:
    golden = json.loads(line)
    text, probabilities = golden["text"], golden["probabilities"]
    if not isinstance(text, str):
        raise TypeError("the text is not a string")
    expected = [*(probabilities[topic] for topic in topics), golden["relevance"]]
    return text, [float(number) for number in expected]
