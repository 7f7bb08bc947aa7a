"""Explains the decisions of one model, a sentence at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from topicml.explain.explanation import Explanation
from topicml.models.folder import Model
from topicml.tagging.thresholds import Thresholds

if TYPE_CHECKING:
    from topicml.explain.nearest import LabelledSentences


class Explainer:
    """Explains sentences; may be used by many threads at once.

    Args:
        model: A linear one: what a network adds up are no words.
        thresholds: What a sentence must reach; None for the model's own.
        labelled: Sentences to look for the nearest ones among; None for none.

    Raises:
        ModelError: The model is a network.
    """

    def __init__(
        self,
        model: Model,
        thresholds: Thresholds | None = None,
        labelled: LabelledSentences | None = None,
    ) -> None:
        raise NotImplementedError

    def explain(
        self, text: str, topics: Sequence[str] | None = None, *, changes: bool = True
    ) -> Explanation:
        """Explain one sentence, which is not split.

        Args:
            text: The sentence as it stands in its text.
            topics: Topics to explain; None for those given, or the nearest one where none is.
            changes: Also look for the words without which a topic is not given.

        Raises:
            ModelError: The model has no such topic.
        """
        raise NotImplementedError
