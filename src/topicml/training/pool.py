"""Unlabelled sentences, of whatever inputs the other commands read."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from topicml.errors import InputError
from topicml.io.readers import parse_block, read_blocks
from topicml.io.records import ReadOptions, Reject
from topicml.io.sources import find_sources
from topicml.text.normalise import as_scored
from topicml.text.sentences import sentence_spans

SHORTEST, LONGEST = 20, 600
"""Characters of a sentence that is worth a label."""


@dataclass(frozen=True, slots=True)
class Pool:
    """n unlabelled sentences.

    Attributes:
        texts: n sentences, as they are scored.
        documents: n ids of the documents that they are from.
    """

    texts: tuple[str, ...]
    documents: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)


def read_pool(
    inputs: Sequence[str],
    reading: ReadOptions,
    *,
    unit: Literal["article", "sentence"] = "article",
    without: Collection[str] = (),
    count: int | None = None,
    seed: int = 0,
    on_note: Callable[[str], None] = lambda _: None,
) -> Pool:
    """Read the sentences of inputs, each once; those of 20 to 600 characters.

    Args:
        inputs: Files, globs and folders.
        reading: Which field is what, and so on.
        unit: ``sentence`` takes each text as one sentence.
        without: Sentences to leave out, such as those with a label.
        count: The most; drawn at random where there are more.
        seed: Of the drawing.
        on_note: Told what is not read.

    Raises:
        InputError: An input is missing or not what it is said to be, or none has a sentence.
    """
    sources = find_sources(inputs, reading, follow_links=True, note=on_note)
    if remote := next((source.name for source in sources if source.remote), None):
        raise InputError("a pool is of files", where=remote, hint="Download it.")
    found: dict[str, str] = {}
    for block in read_blocks(sources, reading, io.BytesIO(), note=on_note):
        for item in parse_block(block, reading):
            if isinstance(item, Reject):
                on_note(f"rejected: {item.place}: {item.detail}")
                continue
            for sentence in _sentences(item.text, unit):
                found.setdefault(sentence, item.id)
    for labelled in without:
        found.pop(labelled, None)
    if not found:
        raise InputError("no sentence in any input", hint="Check --pool, --text-field and --unit.")
    texts = list(found)
    if count is not None and len(texts) > count:
        texts = random.Random(seed).sample(texts, count)  # noqa: S311
    return Pool(tuple(texts), tuple(found[text] for text in texts))


def _sentences(text: str, unit: str) -> Iterator[str]:
    spans = [(0, len(text))] if unit == "sentence" else sentence_spans(text)
    for start, end in spans:
        sentence = as_scored(text[start:end]).strip()
        if SHORTEST <= len(sentence) <= LONGEST:
            yield sentence
