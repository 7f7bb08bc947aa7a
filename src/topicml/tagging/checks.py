"""What a sentence must pass to be given a topic, one check at a time, for people to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from topicml.scheme import Scheme
from topicml.scoring.scorer import Scores
from topicml.tagging.abstention import (
    ENOUGH_KNOWN,
    FEWEST_FOREIGN,
    FEWEST_LATIN,
    FEWEST_WORDS,
    LONGEST_BOILERPLATE,
    Reason,
    boilerplate_phrase,
    fewest_foreign,
    small_words,
)
from topicml.tagging.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a sentence.

    Attributes:
        reason: Why there is no topic where it is the first that fails.
        what: What is looked at, in plain words.
        passed: Whether it is passed.
        value: What was found; None where that is no number.
        limit: What it is held against; None where there is no such number.
        must_reach: Whether the value must reach the limit; else it must stay below.
    """

    reason: Reason
    what: str
    passed: bool
    value: float | None = None
    limit: float | None = None
    must_reach: bool = True


def check_sentence(
    text: str, scores: Scores, topics: Sequence[str], thresholds: Thresholds, scheme: Scheme
) -> tuple[Check, ...]:
    """Return the checks of one sentence, in the order in which they count.

    The first that fails is the reason that ``tagger.decide`` gives. Those that a sentence is not
    put to, as too long for a caption or plainly English, are left out.

    Args:
        text: The sentence as it is scored.
        scores: Of this sentence alone.
        topics: T topic ids.
        thresholds: What it must reach.
        scheme: Of the model.
    """
    english = _english_checks(text, scores) if scheme.is_english else ()
    known = _familiarity_checks(scores, thresholds.known, scheme)
    gate = () if scheme.is_multiclass else (_relevance_check(scores, thresholds),)
    return (*english, *known, *gate, _topic_check(scores, topics, thresholds, scheme))


def _english_checks(text: str, scores: Scores) -> Iterator[Check]:
    words, latin = scores.word_count.item(0), scores.latin_share.item(0)
    is_latin = latin >= FEWEST_LATIN
    yield Check("not_english", "share of Latin letters", is_latin, latin, FEWEST_LATIN)
    if is_latin and scores.known_share.item(0) < ENOUGH_KNOWN and words >= FEWEST_FOREIGN:
        own, other = small_words(text)
        limit = fewest_foreign(own)
        what = f"small words of another language, beside {own} of English"
        yield Check("not_english", what, other < limit, other, limit, must_reach=False)
    if words <= LONGEST_BOILERPLATE:
        phrase = boilerplate_phrase(text, words)
        what = "no phrase of the page around an article" if phrase is None else repr(phrase)
        yield Check("boilerplate", what, phrase is None)


def _familiarity_checks(scores: Scores, fewest_known: float, scheme: Scheme) -> Iterator[Check]:
    words, known = scores.word_count.item(0), scores.known_share.item(0)
    yield Check("unfamiliar", "words of letters", words > 0, words, 1)
    if words >= FEWEST_WORDS and not scheme.is_written_without_spaces:
        what = "share of words that the model knows"
        yield Check("unfamiliar", what, known >= fewest_known, known, fewest_known)


def _relevance_check(scores: Scores, thresholds: Thresholds) -> Check:
    value, limit = scores.relevance.item(0), thresholds.relevance
    return Check("no_topic", "relevance", value >= limit, value, limit)


def _topic_check(
    scores: Scores, topics: Sequence[str], thresholds: Thresholds, scheme: Scheme
) -> Check:
    t = nearest_topic(scores, thresholds, scheme)
    value, limit = scores.probabilities.item(0, t), thresholds.topics.item(t)
    return Check("below_threshold", f"nearest topic, {topics[t]}", value >= limit, value, limit)


def nearest_topic(scores: Scores, thresholds: Thresholds, scheme: Scheme) -> int:
    """Return the column of the topic that one sentence is most likely to be given.

    That is the one furthest over its threshold, or least under it; of a multiclass scheme the
    likeliest, as no other can be given.
    """
    found = scores.probabilities[0]
    if scheme.is_multiclass:
        return int(found.argmax())
    over = zip((found - thresholds.topics).tolist(), found.tolist(), strict=True)
    return max(enumerate(over), key=lambda column: column[1])[0]
