"""The words behind the tags of a sentence, as a page needs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from topicml.explain.contributions import contributions_of
from topicml.explain.reading import read_sentence
from topicml.models.folder import Model
from topicml.models.manifest import LINEAR

Words = Callable[[str, Sequence[str]], Mapping[str, Sequence[tuple[int, int, float]]]]
"""Returns for some topics of a sentence its words: where each is, and what it adds."""


def words_behind(model: Model) -> Words | None:
    """Return what finds the words behind a model's tags; None for a network, which adds up none."""
    if model.manifest["kind"] != LINEAR:
        return None
    columns = {topic: column for column, topic in enumerate(model.scorer.topics)}

    def find(text: str, topics: Sequence[str]) -> dict[str, list[tuple[int, int, float]]]:
        reading = read_sentence(text)
        added = contributions_of(model.scorer, reading).by_word
        places = [reading.place_of_word(word) for word in range(len(reading.words))]
        return {
            topic: [
                (start, end, value)
                for (start, end), value in zip(
                    places, added[:, columns[topic]].tolist(), strict=True
                )
            ]
            for topic in topics
        }

    return find
