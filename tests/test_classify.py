import json

import numpy as np
import pytest
from conftest import Tiny
from hypothesis import given
from hypothesis import strategies as st

from topicml.classify import article_topics, classify_document, classify_documents
from topicml.documents import Document
from topicml.models.folder import open_model
from topicml.scorer import Scorer
from topicml.sentences import split_sentences

TEXT = "The dough is in the oven. They hoisted the sails.\n\nNobody answered. The bread is baked."


@pytest.fixture(scope="module")
def scorer(tiny: Tiny) -> Scorer:
    return open_model(tiny.folder).scorer


def test_sentences_and_their_offsets_are_those_of_the_splitter(scorer: Scorer) -> None:
    article = classify_document(Document("a", TEXT), scorer, "m@1.0.0")
    assert [tagged.sentence for tagged in article.sentences] == split_sentences(TEXT)
    assert (article.id, article.model, article.topic_ids) == ("a", "m@1.0.0", scorer.topics)


def test_each_sentence_gets_the_topics_from_its_threshold_on(scorer: Scorer) -> None:
    article = classify_document(Document("a", TEXT), scorer, "m")
    for tagged in article.sentences:
        (expected,) = scorer.predict_proba([tagged.sentence.text])
        np.testing.assert_array_equal(tagged.probabilities, expected)
        above = zip(scorer.topics, expected, scorer.thresholds, strict=True)
        assert tagged.topics == tuple(topic for topic, p, limit in above if p >= limit)
    assert [tagged.topics for tagged in article.sentences] == [
        ("baking",),
        ("sailing",),
        (),
        ("baking",),
    ]


def test_article_has_its_sentences_topics_most_probable_first(scorer: Scorer) -> None:
    article = classify_document(Document("a", TEXT), scorer, "m")
    assert {topic.topic: topic.sentences for topic in article.topics} == {
        "baking": (0, 3),
        "sailing": (1,),
    }
    column = scorer.topics.index("baking")
    highest = max(tagged.probabilities[column] for tagged in article.sentences)
    assert next(t.probability for t in article.topics if t.topic == "baking") == highest
    probabilities = [topic.probability for topic in article.topics]
    assert probabilities == sorted(probabilities, reverse=True)


@pytest.mark.parametrize(("threshold", "given"), [(0.0, 3), (1.0, 0)])
def test_threshold_given_replaces_the_models_own(
    scorer: Scorer, threshold: float, given: int
) -> None:
    article = classify_document(Document("a", TEXT), scorer, "m", threshold=threshold)
    assert [len(tagged.topics) for tagged in article.sentences] == [given] * 4
    assert len(article.topics) == given


@given(text=st.text(st.characters(exclude_categories=()), max_size=200))
def test_unit_sentence_gives_exactly_one_entry(tiny: Tiny, text: str) -> None:
    scorer = open_model(tiny.folder).scorer
    article = classify_document(Document("a", text), scorer, "m", unit="sentence")
    (tagged,) = article.sentences
    assert tagged.sentence == (0, len(text), text)


@pytest.mark.parametrize("text", ["", " \n", "\u200b"])
def test_text_without_sentences_has_no_topics(scorer: Scorer, text: str) -> None:
    article = classify_document(Document("a", text), scorer, "m", threshold=0.0)
    assert (article.topics, article.sentences) == ((), ())


@given(text=st.text(max_size=200))
def test_record_keeps_the_contract_on_any_text(tiny: Tiny, text: str) -> None:
    model = open_model(tiny.folder)
    article = classify_document(Document("a", text), model.scorer, model.reference)
    record = json.loads(json.dumps(article.to_dict()))
    assert list(record) == ["id", "model", "topics", "sentences"]
    for index, sentence in enumerate(record["sentences"]):
        assert sentence["index"] == index
        assert text[sentence["start"] : sentence["end"]] == sentence["text"]
        assert list(sentence["probabilities"]) == list(model.scorer.topics)
        assert set(sentence["topics"]) <= set(model.scorer.topics)
    for topic in record["topics"]:
        assert set(topic) == {"topic", "probability", "sentences"}
        carriers = [s["index"] for s in record["sentences"] if topic["topic"] in s["topics"]]
        assert topic["sentences"] == carriers


def test_documents_are_tagged_one_after_another(scorer: Scorer) -> None:
    asked: list[str] = []

    def documents() -> object:
        for name in "abc":
            asked.append(name)
            yield Document(name, TEXT)

    articles = classify_documents(documents(), scorer, "m")  # type: ignore[arg-type]
    assert next(iter(articles)).id == "a"
    assert asked == ["a"]
    assert [article.id for article in articles] == ["b", "c"]


def test_article_topics_follow_the_rule() -> None:
    probabilities = np.array([[0.6, 0.9, 0.1], [0.7, 0.2, 0.1]])
    found = article_topics(("x", "y", "z"), probabilities, probabilities > 0.5)
    assert [(t.topic, t.probability, t.sentences) for t in found] == [
        ("y", 0.9, (0,)),
        ("x", 0.7, (0, 1)),
    ]
