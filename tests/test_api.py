from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Tiny

import topicml
from topicml import Scorer, Sentence, TaggedArticle, TopicmlError, classify_text, load_model

TEXT = "The bread is in the oven. Nobody answered."


def test_public_names_are_these_and_are_there() -> None:
    assert set(topicml.__all__) == {
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
    }
    assert all(hasattr(topicml, name) for name in topicml.__all__)


def test_text_is_tagged_with_a_model_from_a_folder(tiny: Tiny) -> None:
    article = classify_text(TEXT, load_model(tiny.folder))
    assert isinstance(article, TaggedArticle)
    assert article.model == "weekend@1.0.0"
    assert [topic.topic for topic in article.topics] == ["baking"]
    assert article.sentences[1].sentence == Sentence(26, 42, "Nobody answered.")
    assert article.reason is None
    assert [tagged.reason for tagged in article.sentences] == [None, "below_threshold"]


def test_folder_can_be_given_as_a_string(tiny: Tiny) -> None:
    assert load_model(str(tiny.folder)).reference == "weekend@1.0.0"


@pytest.mark.parametrize("reference", ["weekend", "weekend@1.0.0"])
def test_model_is_found_by_name(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, reference: str
) -> None:
    monkeypatch.setenv("TOPICML_MODELS", str(tiny.store.root))
    assert load_model(reference).path == tiny.folder


def test_default_model_tags_defense_news(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOPICML_MODELS", raising=False)
    monkeypatch.chdir(root)
    model = load_model()
    assert isinstance(model.scorer, Scorer)
    article = classify_text((root / "data/raw/000_67757e0a190ff99f.txt").read_text("utf-8"), model)
    assert {"command-structure", "diplomacy"} <= {topic.topic for topic in article.topics}


def test_minimal_precision_is_taken(tiny: Tiny) -> None:
    model = load_model(tiny.folder)
    table = np.array([[0.0, 2.0], [0.0, np.nan], [0.0, 0.0]])  # baking, gardening, sailing
    scorer = replace(
        model.scorer, thresholds=np.zeros(3), precisions=(0.5, 0.75), precision_thresholds=table
    )
    model = replace(model, scorer=scorer)

    def given(precision: float | None) -> list[tuple[str, ...]]:
        article = classify_text(TEXT, model, min_precision=precision)
        return [tagged.topics for tagged in article.sentences]

    assert given(None) == given(0.5) == [("baking", "gardening", "sailing")] * 2
    assert given(0.75) == given(0.6) == [("sailing",)] * 2


def test_precision_that_the_model_has_not_is_an_error_to_catch(tiny: Tiny) -> None:
    with pytest.raises(TopicmlError, match=r"no thresholds for a precision of 0\.99"):
        classify_text(TEXT, load_model(tiny.folder), min_precision=0.99)


def test_reason_is_given_where_there_is_no_topic(tiny: Tiny) -> None:
    article = classify_text("Leave a Reply", load_model(tiny.folder))
    assert (article.topics, article.reason) == ((), "boilerplate")
    assert [tagged.reason for tagged in article.sentences] == ["boilerplate"]


def test_missing_model_is_an_error_to_catch(tmp_path: Path) -> None:
    with pytest.raises(TopicmlError, match="no model here"):
        load_model(tmp_path)
