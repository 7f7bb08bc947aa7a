"""The words behind the tags of a sentence, as a page needs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from topicml.explain.explainer import Explainer
from topicml.models.folder import Model
from topicml.models.manifest import LINEAR
from topicml.tagging.thresholds import Thresholds

Words = Callable[[str, Sequence[str]], Mapping[str, Sequence[tuple[int, int, float]]]]
"""Returns for some topics of a sentence its words: where each is, and what it adds."""


def words_behind(model: Model, thresholds: Thresholds) -> Words | None:
    """Return what finds the words behind a model's tags; None for a network, which adds up none.

    Args:
        model: That gave them.
        thresholds: What sentences had to reach.
    """
    if model.manifest["kind"] != LINEAR:
        return None
    explainer = Explainer(model, thresholds)

    def find(text: str, topics: Sequence[str]) -> dict[str, list[tuple[int, int, float]]]:
        found = explainer.explain(text, topics, changes=False)
        return {
            topic.topic: [
                (word.start, word.end, added)
                for word, added in zip(found.words, topic.words, strict=True)
            ]
            for topic in found.topics
        }

    return find
