import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Tiny

import topicml
from topicml import (
    Model,
    Scorer,
    Sentence,
    TaggedArticle,
    TopicmlError,
    classify_text,
    compare,
    evaluate,
    load_model,
    train,
)
from topicml.models.evaluate import predict_labelled
from topicml.models.folder import verify_model

TEXT = "The bread is in the oven. Nobody answered."


def test_public_names_are_these_and_are_there() -> None:
    assert set(topicml.__all__) == {
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


LIGHT = """
import sys, topicml
assert not {"numpy", "topicml.api"} & sys.modules.keys()
topicml.train, topicml.evaluate, topicml.compare, topicml.load_model
assert not {"sklearn", "scipy", "joblib"} & sys.modules.keys()
"""


def test_import_of_all_that_tags_brings_no_scikit_learn() -> None:
    subprocess.run([sys.executable, "-c", LIGHT], check=True)


@pytest.fixture(scope="module")
def trained(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> tuple[Model, list[str]]:
    told: list[str] = []
    version = train(
        *(str(tiny.labels), str(tiny.taxonomy), str(tmp_path_factory.mktemp("models"))),
        parameters={"char_ngrams": [3, 4]},
        on_note=told.append,
    )
    assert version.headline.startswith(f"{version.path}. Leave-one-article-out")
    assert {row["topic"] for row in version.tables()["topics"]} == {
        *("baking", "gardening", "sailing")
    }
    return load_model(version.path), told


def test_train_makes_the_version_that_the_command_makes(
    tiny: Tiny, trained: tuple[Model, list[str]]
) -> None:
    model, told = trained
    assert verify_model(model.path).reference == "weekend@1.0.0"
    expected = load_model(tiny.folder).manifest["files"]
    assert model.manifest["files"]["scorer.npz"] == expected["scorer.npz"]
    assert told[0].startswith("Fitting on 52 sentences")


def test_train_knows_only_parameters_that_there_are(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown parameter 'depth'"):
        train([tiny.labels], tiny.taxonomy, tmp_path / "models", parameters={"depth": 3})
    assert not (tmp_path / "models").exists()


def test_background_is_taken_from_a_folder_by_its_path(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(TopicmlError, match="no manifest of a background model"):
        train(tiny.labels, tiny.taxonomy, tmp_path / "models", background=str(tmp_path))


def test_evaluate_gives_figures_and_what_they_are_of(tiny: Tiny) -> None:
    model = load_model(tiny.folder)
    found = evaluate(model, str(tiny.labels), str(tiny.taxonomy))
    expected = predict_labelled(model, tiny.labels, tiny.taxonomy)
    assert found.evaluation == expected.evaluate()
    np.testing.assert_array_equal(found.predictions.tags, expected.tags)
    assert "these very sentences: the figures say nothing" in repr(found)
    assert found.tables()["figures"][0]["figure"] == "micro_f1"


def test_compare_gives_a_verdict_by_the_gate_of_the_name(
    tiny: Tiny, trained: tuple[Model, list[str]]
) -> None:
    new, _ = trained
    comparison = compare(load_model(tiny.folder), new, tiny.labels, tiny.taxonomy)
    assert comparison.verdict == "ok"
    assert "weekend@1.0.0 in place of weekend@1.0.0: ok. Note: " in repr(comparison)
    assert comparison.tables()["flips"] == []
    assert comparison.tables().keys() == {"figures", "topics", "checks", "flips"}
    (new.path.parent / "gate.toml").write_text("[gate]\nmicro_f1 = 0.5\n", encoding="utf-8")
    comparison = compare(load_model(tiny.folder), new, [tiny.labels], tiny.taxonomy)
    assert comparison.verdict == "refused"
    assert comparison.tables()["checks"][0]["limit"] == 0.5


def test_model_says_where_it_is_and_not_all_its_words(tiny: Tiny) -> None:
    assert repr(load_model(tiny.folder)) == f"Model(path={tiny.folder!r})"
