from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from backgrounds import make_background
from conftest import TINY_ARTICLES, Tiny, tiny_records
from damage import rewrite_manifest

from topicml.models.background import background_files, background_folder, save_background
from topicml.models.comparisons import record_comparison
from topicml.models.lineage import trace_model
from topicml.models.manifest import MANIFEST, read_manifest
from topicml.models.store import ModelStore
from topicml.models.train import train_model
from topicml.training.features import Parameters
from topicml.version import __version__

HERE = Path(__file__).parent
PARTS = {
    "labels": {"articles.jsonl": "a" * 64},
    "pool": {"pool.jsonl": "b" * 64},
    "taxonomy": "c" * 64,
    "labels_sentences": 4_000,
    "pool_sentences": 60_000,
    "teacher": {"base": "owner/network", "revision": "d" * 40},
}


@pytest.fixture(scope="module")
def adapted(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    """The tiny store with a second version, which started from a background."""
    root = tmp_path_factory.mktemp("lineage") / "models"
    store = ModelStore(Path(shutil.copytree(tiny.store.root, root)))
    texts = [row["text"] for row in tiny_records()]
    folds = [TINY_ARTICLES.index(row["article"]) for row in tiny_records()]
    topics = ("baking", "gardening", "sailing")
    background = make_background(topics, texts, texts, folds, folds=4)
    save_background(background, background_folder(store, "weekend"), PARTS)
    train_model(store, "weekend", [tiny.labels], tiny.taxonomy)
    return store


def test_a_model_names_all_that_it_was_made_of(adapted: ModelStore, tiny: Tiny) -> None:
    made = read_manifest(adapted.path("weekend", "1.1.0"))
    first = read_manifest(adapted.path("weekend", "1.0.0"))
    assert made["parent"] == {"version": "1.0.0", "sha256": first["manifest_sha256"]}
    assert first["parent"] is None
    assert made["parameters_from"] == {"source": "defaults"}
    assert made["parameters"] == Parameters(min_df=3, C=1.0, background=True).to_dict()
    folder = background_folder(adapted, "weekend")
    assert made["background"] == {"files": background_files(folder)}
    assert made["background"]["files"].keys() == {"scorer.npz", "seen.npz", "manifest.json"}
    assert made["code"]["version"] == __version__
    text = (adapted.path("weekend", "1.1.0") / MANIFEST).read_text("utf-8")
    assert str(adapted.root.parent) not in text
    assert str(tiny.labels.parent) not in text
    assert str(HERE.parents[1]) not in text


def test_the_chain_leads_back_from_predictions_to_files(adapted: ModelStore, tiny: Tiny) -> None:
    path = adapted.path("weekend", "1.1.0")
    made, first = (read_manifest(adapted.path("weekend", v)) for v in ("1.1.0", "1.0.0"))
    verdicts = [("ok", []), ("refused", ["micro_f1"])]
    for verdict, failed in verdicts:
        record_comparison(
            adapted.name_folder("weekend"),
            {"new_sha256": made["manifest_sha256"], "verdict": verdict, "failed": failed},
        )
    chain = trace_model(path, [tiny.labels, tiny.taxonomy])
    json.dumps(chain, allow_nan=False)
    assert chain["predictions"] == {"model": "weekend@1.1.0"}
    assert chain["model"]["sha256"] == made["manifest_sha256"]
    assert chain["model"]["current"] is False
    (labels,) = chain["labels"]
    assert (labels["file"], labels["state"]) == (tiny.labels.name, "unchanged")
    assert chain["taxonomy"]["version"] == "1.3"
    assert chain["taxonomy"]["state"] == "unchanged"
    background = chain["background"]
    assert background["state"] == "unchanged"
    (distilled,) = background["made_of"]["labels"]
    assert (distilled["file"], distilled["state"]) == ("articles.jsonl", "not here")
    assert background["made_of"]["pool_sentences"] == 60_000
    assert background["teacher"]["base"] == "owner/network"
    (parent,) = chain["parents"]
    assert (parent["version"], parent["sha256"]) == ("1.0.0", first["manifest_sha256"])
    assert parent["state"] == "unchanged"
    assert [(c["verdict"], c["failed"]) for c in chain["comparisons"]] == verdicts
    assert trace_model(adapted.path("weekend", "1.0.0"), [])["comparisons"] == []


def test_what_was_changed_or_is_gone_is_said(
    adapted: ModelStore, tiny: Tiny, tmp_path: Path
) -> None:
    store = ModelStore(Path(shutil.copytree(adapted.root, tmp_path / "models")))
    labels = tmp_path / tiny.labels.name
    labels.write_text(tiny.labels.read_text("utf-8") + "\n", "utf-8")
    rewrite_manifest(store.path("weekend", "1.0.0"), seed=1)
    provenance = background_folder(store, "weekend") / MANIFEST
    provenance.write_text(provenance.read_text("utf-8") + "\n", "utf-8")
    chain = trace_model(store.path("weekend", "1.1.0"), [labels])
    assert chain["labels"][0]["state"] == "changed"
    assert chain["taxonomy"]["state"] == "not here"
    assert chain["parents"][0]["state"] == "changed"
    assert chain["background"]["state"] == "changed"
    shutil.rmtree(store.path("weekend", "1.0.0"))
    shutil.rmtree(background_folder(store, "weekend"))
    chain = trace_model(store.path("weekend", "1.1.0"), [tiny.labels, labels])
    assert chain["labels"][0]["state"] == "unchanged"  # one of them is
    assert chain["parents"] == [
        {**read_manifest(store.path("weekend", "1.1.0"))["parent"]}
        | {"state": "not here", "created": None}
    ]
    assert (chain["background"]["state"], chain["background"]["teacher"]) == ("not here", None)


def test_an_older_model_says_what_it_knows() -> None:
    chain = trace_model(HERE / "format_2", [])
    assert chain["parameters_from"] is None
    assert (chain["parents"], chain["comparisons"], chain["background"]) == ([], [], None)
    assert chain["code"]["commit"] is None
    assert chain["code"]["version"]
    assert {file["state"] for file in chain["labels"]} == {"not here"}
