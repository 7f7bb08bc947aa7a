import tracemalloc
from typing import Any

import numpy as np
import pytest
from conftest import Tiny
from hypothesis import given
from hypothesis import strategies as st

from topicml.models.folder import Model, open_model
from topicml.tagging import tagger as tagging
from topicml.tagging.articles import FIELDS, Detail
from topicml.tagging.tagger import Tagger, Unit, tag_sentences
from topicml.tagging.thresholds import Thresholds
from topicml.text.document import Document
from topicml.text.sentences import split_sentences

LINES = [
    "Bread is baked in the oven. The fleet sails at dawn!",
    "“Señor Núñez bakes bread — daily.” 🤝 The sailor sails.\n\nDas Brot wird nicht mit dem Schiff",
    "Leave a Reply",
    "",
    " \n ",
    "日本の防衛",
    "Bread.\nBread.\n\nSails and the sea",
    "The bre­ad is in the ov​en.\n\nThey hois-\nted the sails.",
]
TEXTS = st.lists(
    st.one_of(st.sampled_from(LINES), st.text(st.characters(exclude_categories=("Cs",)))),
    max_size=6,
)


@pytest.fixture(scope="module")
def model(tiny: Tiny) -> Model:
    return open_model(tiny.folder)


def tagger(model: Model, thresholds: Thresholds | None = None, unit: Unit = "article") -> Tagger:
    return Tagger(model.scorer, model.reference, thresholds, unit)


def documents(texts: list[str]) -> list[Document]:
    return [Document(f"r{n}", text, "dump.jsonl", n + 1) for n, text in enumerate(texts)]


def records(model: Model, texts: list[str], detail: Detail) -> list[dict[str, Any]]:
    return [article.to_dict(detail) for article in tagger(model).tag(documents(texts))]


@pytest.mark.parametrize("unit", ["article", "sentence"])
@given(texts=TEXTS)
def test_many_at_once_are_tagged_as_each_alone(model: Model, unit: Unit, texts: list[str]) -> None:
    together = tagger(model, unit=unit).tag(documents(texts))
    assert len(together) == len(texts)
    for document, article in zip(documents(texts), together, strict=True):
        (alone,) = tagger(model, unit=unit).tag([document])
        assert article.to_dict() == alone.to_dict()


@given(texts=TEXTS)
def test_sentences_are_scored_as_they_are_read_alone(model: Model, texts: list[str]) -> None:
    for text in texts:
        (article,) = tagger(model).tag([Document("a", text)])
        sentences = split_sentences(text)
        probabilities, given_topics, reasons = tag_sentences(
            model.scorer, [sentence.text for sentence in sentences]
        )
        assert [tagged.sentence for tagged in article.sentences] == sentences
        np.testing.assert_array_equal(article.probabilities, probabilities)
        assert [tagged.reason for tagged in article.sentences] == reasons
        assert [bool(tags) for tags in article.tags] == given_topics.any(axis=1).tolist()


def test_what_is_invisible_or_broken_at_a_line_end_counts_as_nothing(model: Model) -> None:
    plain, odd = records(
        model,
        ["The bread is in the oven.\n\nThey hoisted the sails.", LINES[-1]],
        "probabilities",
    )
    for before, after in zip(plain["sentences"], odd["sentences"], strict=True):
        assert after["probabilities"] == before["probabilities"]
        assert after["topics"] == before["topics"]
        assert LINES[-1][after["start"] : after["end"]] == after["text"] != before["text"]


def test_details_say_more_and_more(model: Model) -> None:
    article, sentence, everything = (
        records(model, LINES, detail) for detail in ("article", "sentence", "probabilities")
    )
    assert any(record["topics"] for record in article)
    for least, middle, most in zip(article, sentence, everything, strict=True):
        assert "sentences" not in least
        assert {k: v for k, v in middle.items() if k != "sentences"} == least
        for some, full in zip(middle["sentences"], most["sentences"], strict=True):
            assert list(some) == ["index", "start", "end", "topics", "reason", "probabilities"]
            assert set(full) == {*some, "text", "relevance"}
            assert list(some["probabilities"]) == some["topics"] == full["topics"]
            assert some["probabilities"].items() <= full["probabilities"].items()
            assert list(full["probabilities"]) == list(model.scorer.topics)
            assert 0 <= full["relevance"] <= 1
            assert (some["index"], some["start"], some["end"], some["reason"]) == (
                *(full["index"], full["start"], full["end"], full["reason"]),
            )


def test_thresholds_are_those_given(model: Model) -> None:
    none = tagger(model, Thresholds(np.full(3, 1.1), 0.0)).tag(documents(LINES))
    assert [article.topics for article in none] == [()] * len(LINES)
    assert all(article.reason for article in none)


def test_the_relevance_gate_can_be_closed_and_opened(model: Model) -> None:
    text = "The bread is in the oven."
    closed, opened = (
        tagger(model, Thresholds(np.zeros(3), gate)).tag([Document("a", text)])[0]
        for gate in (1.0, 0.0)
    )
    assert (closed.topics, closed.reason) == ((), "no_topic")
    assert len(opened.topics) == 3
    assert closed.relevance.tolist() == opened.relevance.tolist()


def test_kept_fields_and_the_encoding_are_carried(model: Model) -> None:
    kept = {"source": "wire", "n": [1, None]}
    (article,) = tagger(model).tag([Document("a", LINES[0], "x", 1, kept, "cp1252")])
    record = article.to_dict("sentence")
    assert {name: record[name] for name in kept} == kept
    assert set(record) <= {*FIELDS, *kept}
    assert article.encoding == "cp1252"


def test_finding_the_places_of_a_text_takes_little_more_memory_than_its_bytes() -> None:
    text = "The bread – as ever – rises at dawn. " * 10_000
    spans = [(n, n + 36) for n in range(0, len(text), 37)]
    data = text.encode()
    tracemalloc.start()
    places = tagging._byte_places(data, len(text), spans)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [data[start:end].decode() for start, end in places] == [text[a:b] for a, b in spans]
    assert peak < 8 * len(data)
