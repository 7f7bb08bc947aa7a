"""Tags the sentences of defense news with topics.

>>> from topicml import classify_text, load_model
>>> classify_text("The allies signed a treaty.", load_model()).topics  # doctest: +SKIP
"""

from typing import TYPE_CHECKING

from topicml.version import __version__

if TYPE_CHECKING:
    from topicml.api import (
        classify_text,
        classify_texts,
        compare,
        evaluate,
        explain_sentence,
        load_model,
        train,
    )
    from topicml.errors import TopicmlError
    from topicml.explain.explanation import Explanation
    from topicml.models.folder import Model
    from topicml.scoring.scorer import Scorer
    from topicml.tagging.articles import TaggedArticle
    from topicml.text.sentences import Sentence, split_sentences
    from topicml.training.estimator import TopicTagger
else:
    _HOMES = {
        **dict.fromkeys(
            (
                *("classify_text", "classify_texts", "compare", "evaluate", "explain_sentence"),
                *("load_model", "train"),
            ),
            "topicml.api",
        ),
        "Explanation": "topicml.explain.explanation",
        "TopicmlError": "topicml.errors",
        "Model": "topicml.models.folder",
        "Scorer": "topicml.scoring.scorer",
        "TaggedArticle": "topicml.tagging.articles",
        "TopicTagger": "topicml.training.estimator",
        **dict.fromkeys(("Sentence", "split_sentences"), "topicml.text.sentences"),
    }

    def __getattr__(name):
        """Import a name when it is asked for: the command must heed signals before that."""
        import importlib

        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(_HOMES[name]), name)


__all__ = [
    "Explanation",
    "Model",
    "Scorer",
    "Sentence",
    "TaggedArticle",
    "TopicTagger",
    "TopicmlError",
    "__version__",
    "classify_text",
    "classify_texts",
    "compare",
    "evaluate",
    "explain_sentence",
    "load_model",
    "split_sentences",
    "train",
]
