"""Tags the sentences of defense news with topics.

>>> from topicml import classify_text, load_model
>>> classify_text("The allies signed a treaty.", load_model()).topics  # doctest: +SKIP
"""

from topicml.api import classify_text, classify_texts, load_model
from topicml.errors import TopicmlError
from topicml.models.folder import Model
from topicml.scoring.scorer import Scorer
from topicml.tagging.articles import TaggedArticle
from topicml.text.sentences import Sentence, split_sentences
from topicml.version import __version__

__all__ = [
    "Model",
    "Scorer",
    "Sentence",
    "TaggedArticle",
    "TopicmlError",
    "__version__",
    "classify_text",
    "classify_texts",
    "load_model",
    "split_sentences",
]
