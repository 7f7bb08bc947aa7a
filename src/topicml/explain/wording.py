"""What explanations say in words, on a terminal as on a page."""

from __future__ import annotations

import math

from topicml.explain.explanation import Change, Explanation, TopicExplanation
from topicml.tagging.checks import Check


def verdict(topic: TopicExplanation) -> str:
    """Return a topic's probability, and what it comes to."""
    if not math.isfinite(topic.threshold):
        return f"{topic.probability:.2f}, never given"
    if topic.is_given:
        return f"{topic.probability:.2f}, given from {topic.threshold:.2f}"
    relation = "under" if topic.probability < topic.threshold else "not given, over"
    return f"{topic.probability:.2f}, {relation} {topic.threshold:.2f}"


def sum_of(topic: TopicExplanation) -> str:
    """Return how what the words add comes to a topic's probability."""
    words = sum(topic.words)
    found = f"{topic.intercept:.2f} before any word {words:+.2f} of words = {topic.log_odds:.2f}"
    if topic.rivals:
        found += f", less {topic.rivals:.2f} of the other topics"
    return f"{found}, a probability of {topic.probability:.2f}"


def what_is_checked(check: Check) -> str:
    """Return what is looked at, what was found and what it is held against."""
    if check.value is None or check.limit is None:
        return check.what
    if not math.isfinite(check.limit):
        return f"{check.what} {check.value:.2f}, never given"
    relation = "at least" if check.must_reach else "under"
    return f"{check.what} {_number(check.value)}, {relation} {_number(check.limit)}"


def _number(value: float) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def without(explanation: Explanation, change: Change) -> str:
    """Return without which words a topic is not given, and what is left of it."""
    if not change.words:
        return f"no set of up to {change.most} words was found that it hangs on"
    words = ", ".join(explanation.words[word].text for word in change.words)
    found = f"{words}: {change.probability:.2f}, not given any more"
    return found if change.is_smallest else f"{found} (fewer words may do)"
