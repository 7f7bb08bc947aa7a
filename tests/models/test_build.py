import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from conftest import TINY_ARTICLES, Tiny, tiny_records

from topicml.errors import ModelError
from topicml.models.card import render_card
from topicml.models.folder import CARD, GOLDEN, PIPELINE, SCORER, open_model, sha256_file
from topicml.models.store import ModelStore
from topicml.tagging.tagger import tag_sentences
from topicml.taxonomy import load_taxonomy


@pytest.fixture(scope="module")
def again(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second training on the same labels."""
    return tiny.build(ModelStore(tmp_path_factory.mktemp("again")))


@pytest.fixture(scope="module")
def manifest(tiny: Tiny) -> dict[str, Any]:
    return open_model(tiny.folder).manifest


@pytest.mark.parametrize("name", [PIPELINE, SCORER, GOLDEN, CARD])
def test_training_twice_gives_the_same_bytes(tiny: Tiny, again: Path, name: str) -> None:
    assert again != tiny.folder
    assert (again / name).read_bytes() == (tiny.folder / name).read_bytes()


def test_pipeline_and_scorer_are_the_same_model(tiny: Tiny) -> None:
    tagger = joblib.load(tiny.folder / PIPELINE)
    scorer = open_model(tiny.folder).scorer
    texts = [row["text"] for row in tiny_records()]
    probabilities = tagger.predict_proba(texts)
    np.testing.assert_allclose(scorer.predict_proba(texts), probabilities, rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        scorer.score_texts(texts).relevance, tagger.predict_relevance(texts), rtol=0, atol=1e-12
    )


def test_tiny_model_has_learned_its_labels(tiny: Tiny) -> None:
    scorer = open_model(tiny.folder).scorer
    rows = tiny_records()
    given = scorer.predict_proba([row["text"] for row in rows]) >= scorer.thresholds
    found = [[t for t, yes in zip(scorer.topics, row, strict=True) if yes] for row in given]
    assert found == [row["topics"] for row in rows]
    _, tagged, reasons = tag_sentences(scorer, [row["text"] for row in rows])
    np.testing.assert_array_equal(tagged, given)
    assert reasons == [None if row["topics"] else "below_threshold" for row in rows]


def test_manifest_counts_the_labels(manifest: dict[str, Any]) -> None:
    rows = tiny_records()
    assert manifest["labels"]["sentences"] == len(rows)
    assert manifest["labels"]["groups"] == len(TINY_ARTICLES)
    assert manifest["labels"]["empty"] == sum(not row["topics"] for row in rows)
    assert manifest["labels"]["sources"] == {"article": len(rows)}


def test_manifest_has_the_hashes_of_labels_and_taxonomy(
    tiny: Tiny, manifest: dict[str, Any]
) -> None:
    assert manifest["labels"]["files"] == {"labels.jsonl": sha256_file(tiny.labels)}
    assert manifest["taxonomy"]["sha256"] == sha256_file(tiny.taxonomy)


def test_manifest_and_card_have_the_version_of_the_taxonomy(
    tiny: Tiny, manifest: dict[str, Any]
) -> None:
    assert manifest["taxonomy"]["version"] == "1.3"
    card = (tiny.folder / CARD).read_text(encoding="utf-8")
    assert "- The labels follow one codebook (version 1.3); a sentence" in card


def test_card_of_a_taxonomy_without_a_version_names_none(
    tiny: Tiny, manifest: dict[str, Any]
) -> None:
    taxonomy = {k: v for k, v in manifest["taxonomy"].items() if k != "version"}
    card = render_card({**manifest, "taxonomy": taxonomy}, load_taxonomy(tiny.taxonomy))
    assert "- The labels follow one codebook; a sentence" in card


def test_manifest_says_how_the_model_was_made(manifest: dict[str, Any]) -> None:
    assert (manifest["name"], manifest["version"]) == ("weekend", "1.0.0")
    assert manifest["parameters"]["char_ngrams"] == [3, 4]
    assert isinstance(manifest["seed"], int)
    assert {"python", "scikit-learn", "numpy", "joblib", "topicml"} <= manifest["versions"].keys()


def test_manifest_has_metrics_with_intervals(manifest: dict[str, Any]) -> None:
    headlines = manifest["metrics"]["evaluation"]["headlines"]
    assert {"micro_f1", "macro_f1", "macro_average_precision"} <= headlines.keys()
    for figure in headlines.values():
        if figure["note"] is None:
            assert 0 <= figure["low"] <= figure["value"] <= figure["high"] <= 1
    assert headlines["micro_f1"]["note"] is None
    assert manifest["metrics"]["protocol"]


def test_manifest_and_scorer_have_the_same_thresholds(tiny: Tiny, manifest: dict[str, Any]) -> None:
    scorer = open_model(tiny.folder).scorer
    expected = dict(zip(scorer.topics, scorer.thresholds.tolist(), strict=True))
    assert manifest["thresholds"] == expected
    assert manifest["relevance_threshold"] == scorer.relevance_threshold


def test_golden_sentences_have_the_pipelines_probabilities(tiny: Tiny) -> None:
    lines = (tiny.folder / GOLDEN).read_text(encoding="utf-8").splitlines()
    golden = [json.loads(line) for line in lines]
    topics = open_model(tiny.folder).scorer.topics
    expected = [[row["probabilities"][topic] for topic in topics] for row in golden]
    tagger = joblib.load(tiny.folder / PIPELINE)
    found = tagger.predict_proba([row["text"] for row in golden])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        tagger.predict_relevance([row["text"] for row in golden]),
        [row["relevance"] for row in golden],
        rtol=0,
        atol=1e-9,
    )


def test_card_has_front_matter_topics_figures_and_limits(
    tiny: Tiny, manifest: dict[str, Any]
) -> None:
    card = (tiny.folder / CARD).read_text(encoding="utf-8")
    assert card.startswith("---\nlanguage: en\n")
    assert card.index("\n---\n") < card.index("# weekend 1.0.0")
    for heading in ("Use", "Topics", "Training data", "Metrics", "Limits", "How made"):
        assert f"\n## {heading}\n" in card
    assert "- `baking` (Baking): bread, cakes, ovens and dough" in card
    value = manifest["metrics"]["evaluation"]["headlines"]["micro_f1"]["value"]
    assert f"| micro f1 | {value:.3f} |" in card
    assert "95 % intervals are by the jackknife over documents" in card
    assert "Caution: 4 documents are few" in card
    assert "| sentences of | sentences | documents | mean probability" in card
    assert f"{manifest['labels']['sentences']} labelled sentences of 4 groups" in card


def test_card_is_made_of_figures_without_intervals_per_topic_too(
    tiny: Tiny, manifest: dict[str, Any]
) -> None:
    manifest = json.loads(json.dumps(manifest))
    evaluation = manifest["metrics"]["evaluation"]
    for name in ("cautions", "calibration"):
        del evaluation[name]
    for row in evaluation["topics"]:
        del row["intervals"], row["documents"]
    for row in evaluation["headlines"].values():
        del row["note"]
    card = render_card(manifest, load_taxonomy(tiny.taxonomy))
    row = evaluation["topics"][0]
    assert f"| {row['topic']} | {row['support']} | – | {row['precision']:.2f} |" in card


def test_no_version_is_made_twice(tiny: Tiny) -> None:
    before = sha256_file(tiny.folder / SCORER)
    with pytest.raises(ModelError, match="this version exists"):
        tiny.build(tiny.store)
    assert sha256_file(tiny.folder / SCORER) == before
