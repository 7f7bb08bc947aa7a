"""``pipeline.joblib`` says what ``classify`` says, of versions old and new."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from conftest import Run, Tiny, tiny_records, write_jsonl
from sklearn.pipeline import Pipeline

from topicml.errors import ModelError
from topicml.models.estimator import load_estimator
from topicml.models.folder import PIPELINE, Model, open_model, sha256_file
from topicml.models.manifest import NETWORK
from topicml.models.store import ModelStore
from topicml.tagging.tagger import tag_sentences
from topicml.taxonomy import load_taxonomy
from topicml.training.dataset import load_dataset

LOADED_ALONE = """
import json, sys, joblib
tagger = joblib.load(sys.argv[1])
texts = [json.loads(line)["text"] for line in open(sys.argv[2], encoding="utf-8")]
for row, probabilities in zip(tagger.predict(texts), tagger.predict_proba(texts)):
    given = [topic for topic, yes in zip(tagger.topics_, row) if yes]
    print(json.dumps([given, dict(zip(tagger.topics_, probabilities))]))
"""


@pytest.fixture(scope="module")
def sentences(root: Path) -> list[str]:
    """Every labelled sentence whose text is committed."""
    return [
        json.loads(line)["text"]
        for name in ("articles", "authored")
        for line in (root / f"data/labels/{name}.jsonl").read_text("utf-8").splitlines()
    ]


def assert_says_what_classify_says(model: Model, texts: list[str]) -> None:
    tagger = load_estimator(model)
    probabilities, given, _ = tag_sentences(model.scorer, texts)
    np.testing.assert_array_equal(tagger.predict(texts), given)
    some = slice(0, 300)
    found = tagger.predict_proba(texts[some])
    np.testing.assert_allclose(found, probabilities[some], rtol=0, atol=1e-9)
    assert tagger.topics_ == model.scorer.topics
    assert model.manifest["parameters"]["C"] == tagger.C


def test_current_version_says_what_classify_says_of_every_labelled_sentence(
    root: Path, sentences: list[str]
) -> None:
    assert len(sentences) > 5000
    assert_says_what_classify_says(open_model(ModelStore(root / "models").find()), sentences)


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0", "1.2.0", "1.3.0"])
def test_versions_with_a_plain_pipeline_say_what_classify_says(
    root: Path, sentences: list[str], version: str
) -> None:
    model = open_model(root / "models/alliance-topics" / version)
    assert isinstance(joblib.load(model.path / PIPELINE), Pipeline)
    assert_says_what_classify_says(model, sentences[::20])


def test_loaded_alone_it_gives_the_records_of_classify(
    tiny: Tiny, run: Run, tmp_path: Path
) -> None:
    odd = [
        "Subscribe to our bread and oven newsletter",
        "42",
        "Wind in the sa\u00adils",
        "日本語の文",
    ]
    texts = [*(row["text"] for row in tiny_records()), *odd]
    path = write_jsonl(
        tmp_path / "texts.jsonl", [{"id": str(n), "text": text} for n, text in enumerate(texts)]
    )
    done = subprocess.run(
        [sys.executable, "-c", LOADED_ALONE, tiny.folder / PIPELINE, path],
        capture_output=True,
        text=True,
        check=True,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    records = run(
        *("classify", path, "--unit", "sentence", "--format", "jsonl"), "--model", tiny.folder
    ).records()
    assert len(found) == len(records) == len(texts)
    for (topics, probabilities), record in zip(found, records, strict=True):
        (sentence,) = record["sentences"]
        assert topics == sentence["topics"]
        assert probabilities == pytest.approx(sentence["probabilities"], abs=1e-4)
    assert {r["sentences"][0]["reason"] for r in records} >= {None, "boilerplate", "not_english"}


def test_estimator_of_a_version_refits_to_the_same_model(tiny: Tiny) -> None:
    tagger = load_estimator(open_model(tiny.folder))
    data = load_dataset([tiny.labels], load_taxonomy(tiny.taxonomy))
    probabilities = tagger.predict_proba(data.texts)
    tagger.fit(data.texts, data.Y, data.groups, sources=data.sources, drawn=data.drawn)
    np.testing.assert_array_equal(tagger.predict_proba(data.texts), probabilities)


def test_plain_pipeline_of_an_earlier_version_gets_thresholds_of_its_scorer(
    tiny: Tiny, tmp_path: Path
) -> None:
    expected = load_estimator(open_model(tiny.folder))
    joblib.dump(expected.pipeline_, tmp_path / PIPELINE)
    model = open_model(tiny.folder)
    manifest = {**model.manifest, "files": {PIPELINE: sha256_file(tmp_path / PIPELINE)}}
    found = load_estimator(Model(tmp_path, manifest, model.scorer))
    assert found.get_params() == expected.get_params()
    texts = [row["text"] for row in tiny_records()]
    np.testing.assert_array_equal(found.predict(texts), expected.predict(texts))


def test_damaged_file_is_not_unpickled(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / PIPELINE).write_bytes(b"no pickle at all")
    model = open_model(tiny.folder)
    with pytest.raises(ModelError, match="damaged or was changed") as caught:
        load_estimator(Model(tmp_path, model.manifest, model.scorer))
    assert caught.value.where == str(tmp_path / PIPELINE)


def test_network_is_no_estimator(tiny: Tiny) -> None:
    model = open_model(tiny.folder)
    network = Model(model.path, {**model.manifest, "kind": NETWORK}, model.scorer)
    with pytest.raises(ModelError, match="is a network") as caught:
        load_estimator(network)
    assert "linear model" in str(caught.value.hint)
