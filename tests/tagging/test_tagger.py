import numpy as np
import pytest
from conftest import Tiny
from hypothesis import given
from hypothesis import strategies as st

from topicml.models.folder import Model, open_model
from topicml.tagging.articles import classify_document
from topicml.tagging.tagger import FIELDS, Counts, Detail, Tagger
from topicml.text.document import Document

LINES = [
    "Bread is baked in the oven. The fleet sails at dawn!",
    "“Señor Núñez bakes bread — daily.” 🤝 The sailor sails.\n\nDas Brot wird nicht mit dem Schiff",
    "Leave a Reply",
    "",
    " \n ",
    "日本の防衛",
    "Bread.\nBread.\n\nSails and the sea",
]
TEXTS = st.lists(
    st.one_of(st.sampled_from(LINES), st.text(st.characters(exclude_categories=("Cs",)))),
    max_size=6,
)


@pytest.fixture(scope="module")
def model(tiny: Tiny) -> Model:
    return open_model(tiny.folder)


def records(texts: list[str]) -> list[Document]:
    return [Document(f"r{n}", text, "dump.jsonl", n + 1) for n, text in enumerate(texts)]


@pytest.mark.parametrize("unit", ["article", "sentence"])
@given(texts=TEXTS)
def test_many_at_once_are_tagged_as_each_alone(model: Model, unit: str, texts: list[str]) -> None:
    tagged, _ = Tagger(model, "probabilities", unit=unit).tag(records(texts))
    assert len(tagged) == len(texts)
    for output, text in zip(tagged, texts, strict=True):
        alone = classify_document(
            Document(output["id"], text), model.scorer, model.reference, unit=unit
        ).to_dict()
        for sentence in alone["sentences"]:
            assert text[sentence["start"] : sentence["end"]] == sentence.pop("text")
        assert output == alone


def test_details_say_more_and_more(model: Model) -> None:
    details: tuple[Detail, ...] = ("article", "sentence", "probabilities")
    article, sentence, everything = (Tagger(model, d).tag(records(LINES))[0] for d in details)
    assert any(record["topics"] for record in article)
    for least, middle, most in zip(article, sentence, everything, strict=True):
        assert "sentences" not in least
        assert {k: v for k, v in middle.items() if k != "sentences"} == least
        for some, full in zip(middle["sentences"], most["sentences"], strict=True):
            assert list(some) == ["index", "start", "end", "topics", "probabilities"]
            assert list(some["probabilities"]) == some["topics"] == full["topics"]
            assert some["probabilities"].items() <= full["probabilities"].items()
            assert list(full["probabilities"]) == list(model.scorer.topics)


def test_thresholds_are_those_given(model: Model) -> None:
    none, _ = Tagger(model, thresholds=np.full(3, 1.1)).tag(records(LINES))
    assert [record["topics"] for record in none] == [[]] * len(LINES)
    assert all(record["reason"] for record in none)


def test_kept_fields_are_carried(model: Model) -> None:
    record = Document("a", LINES[0], "x", 1, {"source": "wire", "n": [1, None]})
    tagged, _ = Tagger(model).tag([record])
    assert tagged[0]["source"] == "wire"
    assert tagged[0]["n"] == [1, None]
    assert set(tagged[0]) <= {*FIELDS, "source", "n"}


def test_counts_add_up(model: Model) -> None:
    tagger = Tagger(model)
    whole, parts = Counts(), Counts()
    for part in (LINES[:3], LINES[3:], []):
        parts.add(tagger.tag(records(part))[1])
    whole.add(tagger.tag(records(LINES))[1])
    assert whole == parts
    assert whole.records == len(LINES)
    assert whole.text_bytes == sum(len(text.encode()) for text in LINES)
    assert 0 < whole.unfamiliar < whole.sentences
    assert sum(whole.topics.values()) > 0
