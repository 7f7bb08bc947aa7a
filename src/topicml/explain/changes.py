"""The fewest words without which a sentence is no longer given a topic.

What is left of the sentence is scored each time, as any other sentence: other words stand beside
each other, all weights change, and it may be too short or too odd to be judged at all. All single
words are tried, then all pairs, then words are taken out one after another, each time the one
whose loss hurts the tag most. Of long sentences only the words are tried that add most.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from topicml.explain.explanation import Change
from topicml.explain.reading import Reading
from topicml.scoring.features import Floats
from topicml.tagging.abstention import REASONS

MOST_REMOVED = 10
"""Words that are taken out at most."""
MOST_TRIED = 50
"""Words that are tried at all; of a longer sentence, those that add most to the topic."""
MOST_READ = 1_000_000
"""Characters that all pairs of them may come to, which takes a second."""

Removal = tuple[int, ...]


class Judged(NamedTuple):
    """What becomes of a topic in n texts.

    Attributes:
        given: n, whether it is given.
        hold: n, how firmly: the least share of what it has to reach that is reached.
        probabilities: n, of the topic.
        codes: n places in ``REASONS``.
    """

    given: NDArray[np.bool_]
    hold: Floats
    probabilities: Floats
    codes: NDArray[np.int8]


Judge = Callable[[Sequence[str]], Judged]


def find_change(reading: Reading, added: Floats, judge: Judge) -> Change:
    """Look for the fewest words without which a topic is not given.

    Of several sets as small as that, the one that leaves the least of the topic is taken, and of
    equal ones the first.

    Args:
        reading: The sentence, which has the topic.
        added: What each of its words adds to the topic.
        judge: Tells of texts what becomes of the topic.
    """
    strongest = sorted(range(len(added)), key=lambda word: (-added[word], word))
    words = sorted(strongest[: _most_tried(reading)])
    for tried in ([(word,) for word in words], [*combinations(words, 2)]):
        judged = _judge_removals(reading, tried, judge)
        if (best := _best(judged)) is not None:
            is_smallest = len(tried[best]) == 1 or len(words) == len(added)
            return _change(reading, tried[best], judged, best, is_smallest=is_smallest)
    return _take_out_one_by_one(reading, words, judge, is_complete=len(words) == len(added))


def _most_tried(reading: Reading) -> int:
    pairs = MOST_READ // max(len(reading.read), 1)
    return min(MOST_TRIED, max(MOST_REMOVED, math.isqrt(2 * pairs)))


def _take_out_one_by_one(
    reading: Reading, words: Sequence[int], judge: Judge, *, is_complete: bool
) -> Change:
    """Take out of a sentence what hurts most, again and again, where no two words do it."""
    removed: Removal = ()
    for size in range(1, min(MOST_REMOVED, len(words)) + 1):
        tried = [tuple(sorted((*removed, word))) for word in words if word not in removed]
        judged = _judge_removals(reading, tried, judge)
        if (best := _best(judged)) is not None:
            return _change(
                reading, tried[best], judged, best, is_smallest=is_complete and size == 3
            )
        removed = tried[int(judged.hold.argmin())]
    return Change((), is_smallest=False, most=len(removed))


def _judge_removals(reading: Reading, tried: Sequence[Removal], judge: Judge) -> Judged:
    return judge([reading.without(removal) for removal in tried])


def _best(judged: Judged) -> int | None:
    """Return which text has lost the topic, and most of it; None where all have it."""
    lost = np.flatnonzero(~judged.given)
    return int(lost[judged.probabilities[lost].argmin()]) if len(lost) else None


def _change(
    reading: Reading, removal: Removal, judged: Judged, row: int, *, is_smallest: bool
) -> Change:
    return Change(
        removal,
        is_smallest,
        len(removal),
        reading.without(removal),
        judged.probabilities.item(row),
        REASONS[judged.codes.item(row)],
    )
