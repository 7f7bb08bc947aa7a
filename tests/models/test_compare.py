"""Two models compared: what is the same, what got worse, and what the store remembers of it."""

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Tiny, tiny_records, write_jsonl
from damage import copy_version, rewrite_file

from topicml.cli.render_comparison import comparison_page
from topicml.errors import LabelError, ModelError, TopicmlError
from topicml.models.compare import Comparison, compare_models, record_in_store
from topicml.models.comparisons import (
    COMPARISONS,
    comparisons_of,
    last_comparison,
    record_comparison,
)
from topicml.models.folder import SCORER, open_model, sha256_file, verify_model
from topicml.models.gate import Gate
from topicml.models.manifest import NETWORK
from topicml.models.promotion import promote_version
from topicml.models.store import ModelStore
from topicml.scoring.scorer_file import load_scorer, save_scorer


@pytest.fixture
def store(tiny: Tiny, tmp_path: Path) -> ModelStore:
    """The tiny store with two more versions: the same again, and one that tags hardly anything."""
    root = Path(shutil.copytree(tiny.store.root, tmp_path / "models"))
    copy_version(root / "weekend/1.0.0", "1.1.0")
    worse = copy_version(root / "weekend/1.0.0", "1.2.0")
    arrays = dict(np.load(worse / SCORER))
    arrays["thresholds"] = np.full(3, 0.999)
    np.savez(tmp_path / SCORER, **arrays)
    rewrite_file(worse, SCORER, (tmp_path / SCORER).read_bytes())
    return ModelStore(root)


def compared(store: ModelStore, tiny: Tiny, version: str, **options: object) -> Comparison:
    models = (open_model(store.folder("weekend", v)) for v in ("1.0.0", version))
    return compare_models(*models, [tiny.labels], tiny.taxonomy, **options)  # type: ignore[arg-type]


def test_the_same_model_again_differs_in_nothing(store: ModelStore, tiny: Tiny) -> None:
    comparison = compared(store, tiny, "1.1.0")
    assert comparison.verdict == "ok"
    assert comparison.flips == ()
    assert comparison.words == {"baking": (), "gardening": (), "sailing": ()}
    assert {row.difference for row in comparison.paired.figures.values()} == {0.0}
    assert [edits.status for edits in comparison.labels] == ["same"]
    said = " | ".join(comparison.cautions)
    count = len(tiny_records())
    assert f"weekend@1.1.0 was trained on {count} of these {count} sentences" in said
    assert "4 documents are few" in said
    assert "compare on others" in said


def test_a_worse_model_is_refused(store: ModelStore, tiny: Tiny) -> None:
    comparison = compared(store, tiny, "1.2.0")
    assert comparison.verdict == "refused"
    assert "micro_f1" in [check.what for check in comparison.checks if check.passed is False]
    first = comparison.flips[0]
    assert first.id == "monday-0"
    assert (first.labels, first.gained, first.lost) == (("baking",), (), ("baking",))
    lost = sum(t.flips.lost_wrong + t.flips.lost_right for t in comparison.paired.topics)
    assert lost == sum(len(flip.lost) for flip in comparison.flips)


def test_json_is_strict_and_complete(store: ModelStore, tiny: Tiny, root: Path) -> None:
    fields = compared(store, tiny, "1.2.0").to_dict(flips=1)
    assert json.loads(json.dumps(fields, allow_nan=False))["verdict"] == "refused"
    assert len(fields["flips"]) == 1 < fields["flipped"]
    assert fields["metrics"]["micro_f1"].keys() == {"old", "new", "difference", "interval", "note"}
    assert fields["old"]["seen"]["known"]
    page = (root / "docs/retraining.md").read_text("utf-8")
    named = {
        n for row in re.findall(r"^\| (`.*?) \|", page, re.M) for n in re.findall(r"`(\w+)`", row)
    }
    assert fields.keys() <= named


def test_a_worse_model_is_not_promoted_without_force(store: ModelStore, tiny: Tiny) -> None:
    assert record_in_store(compared(store, tiny, "1.2.0"), store)
    with pytest.raises(ModelError, match=r"refused weekend@1\.2\.0 \(micro_f1"):
        promote_version(store, "weekend", "1.2.0")
    assert store.current("weekend") == "1.0.0"
    assert promote_version(store, "weekend", "1.2.0", force=True).after == "1.2.0"


def test_a_comparison_counts_for_its_gate_and_its_models_alone(
    store: ModelStore, tiny: Tiny
) -> None:
    gate = Gate({"micro_f1": -1.0})
    assert record_in_store(compared(store, tiny, "1.2.0", gate=gate), store)
    with pytest.raises(ModelError, match="not compared"):
        promote_version(store, "weekend", "1.2.0")
    with pytest.raises(ModelError, match="not compared"):
        promote_version(store, "weekend", "1.1.0", gate=gate)
    assert promote_version(store, "weekend", "1.2.0", gate=gate).after == "1.2.0"
    with pytest.raises(ModelError, match="not compared"):  # the other way round
        promote_version(store, "weekend", "1.0.0", gate=gate)


@pytest.mark.parametrize(
    "line", ["{", "[1]", '{"verdict": "ok"}', '{"failed": 7}', '{"failed": [1]}']
)
def test_a_damaged_comparison_is_an_error_for_it_may_be_the_one_that_counts(
    store: ModelStore, line: str
) -> None:
    (store.name_folder("weekend") / COMPARISONS).write_text(line + "\n")
    with pytest.raises(ModelError, match="damaged comparison"):
        last_comparison(store.name_folder("weekend"), "a", "b", "c")


@pytest.mark.parametrize("change", [{"data": 5}, {"data": None}, {"old_sha256": {"a": 1}}])
def test_a_comparison_of_another_form_is_an_error(
    store: ModelStore, change: dict[str, object]
) -> None:
    line = json.dumps({"failed": [], "new_sha256": "a", **change})
    (store.name_folder("weekend") / COMPARISONS).write_text(line + "\n")
    with pytest.raises(ModelError, match=f"{next(iter(change))} is .* not a"):
        comparisons_of(store.name_folder("weekend"), "a")


def test_the_last_comparison_counts(store: ModelStore, tiny: Tiny) -> None:
    path = store.root / "weekend" / COMPARISONS
    assert record_in_store(compared(store, tiny, "1.2.0"), store)
    refused = path.read_text("utf-8")
    passed = json.dumps({**json.loads(refused), "verdict": "ok", "failed": []}) + "\n"
    for lines in (passed + "{damaged\n" + refused, refused.replace('"refused"', '"ok"')):
        path.write_text(lines, "utf-8")
        with pytest.raises(ModelError, match="refused"):
            promote_version(store, "weekend", "1.2.0")
    path.write_text(passed + "{torn", "utf-8")
    with pytest.raises(ModelError, match="damaged comparison"):
        promote_version(store, "weekend", "1.2.0")
    path.write_text(refused + passed, "utf-8")
    assert record_in_store(compared(store, tiny, "1.1.0"), store)
    assert promote_version(store, "weekend", "1.2.0").after == "1.2.0"


def test_a_record_leaves_versions_as_they_were_made(store: ModelStore, tiny: Tiny) -> None:
    assert record_in_store(compared(store, tiny, "1.1.0"), store)
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        verify_model(store.folder("weekend", version))
    assert store.versions("weekend") == ["1.0.0", "1.1.0", "1.2.0"]


def test_comparisons_recorded_at_once_are_all_there(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: record_comparison(tmp_path, {"failed": [], "n": n}), range(40)))
    lines = (tmp_path / COMPARISONS).read_text("utf-8").splitlines()
    assert {json.loads(line)["n"] for line in lines} == set(range(40))


def test_a_difference_that_rounds_to_nothing_has_no_sign(store: ModelStore, tiny: Tiny) -> None:
    fields = compared(store, tiny, "1.1.0").to_dict(0)
    fields["metrics"]["micro_f1"] |= {"difference": -0.0004, "interval": [-0.0002, 0.0049]}
    page = comparison_page(fields)
    assert "0.000 to +0.005" in page
    assert "-0.000" not in page
    assert "+0.000" not in page


def test_models_of_another_place_are_not_recorded(store: ModelStore, tiny: Tiny) -> None:
    comparison = compared(store, tiny, "1.1.0")
    assert not record_in_store(comparison, tiny.store)
    assert not (tiny.store.root / "weekend" / COMPARISONS).exists()


def test_unseen_leaves_out_what_a_model_was_trained_on(
    store: ModelStore, tiny: Tiny, tmp_path: Path
) -> None:
    models = [open_model(store.folder("weekend", v)) for v in ("1.0.0", "1.1.0")]
    rows = tiny_records()[:6]
    rows += [
        {"id": f"n{i}", "article": f"n{i}", "text": text, "topics": ["sailing"]}
        for i, text in enumerate(["Reef the mainsail early.", "An anchor held all night long."])
    ]
    data = write_jsonl(tmp_path / "more.jsonl", rows)
    comparison = compare_models(*models, [data], tiny.taxonomy, at_hand=[tiny.labels], unseen=True)
    assert (comparison.paired.sentences, comparison.left_out) == (2, 6)
    with pytest.raises(TopicmlError, match="none is left"):
        compare_models(*models, [tiny.labels], tiny.taxonomy, unseen=True)


def test_sentences_that_one_model_alone_was_trained_on_decide_nothing(
    store: ModelStore, tiny: Tiny, tmp_path: Path
) -> None:
    rows = [
        {"id": f"n{i}", "article": f"n{i}", "text": text, "topics": ["sailing"]}
        for i, text in enumerate(["Reef the mainsail early.", "An anchor held all night long."])
    ]
    easy = write_jsonl(tmp_path / "easy.jsonl", rows)
    old, new = (open_model(store.folder("weekend", v)) for v in ("1.0.0", "1.1.0"))
    files = {**new.manifest["labels"]["files"], easy.name: sha256_file(easy)}
    new = replace(new, manifest={**new.manifest, "labels": {"files": files}})
    comparison = compare_models(old, new, [easy, tiny.labels], tiny.taxonomy)
    count = len(tiny_records())
    assert (comparison.paired.sentences, comparison.left_out) == (count, 2)
    left_out = "left out: 2 sentences that weekend@1.1.0 alone was trained on"
    assert left_out in comparison.cautions
    for models in ((old, new), (new, old)):
        with pytest.raises(TopicmlError, match="alone was trained on every sentence"):
            compare_models(*models, [easy], tiny.taxonomy)


def test_topics_must_be_those_of_the_taxonomy(store: ModelStore, tiny: Tiny, root: Path) -> None:
    models = [open_model(store.folder("weekend", v)) for v in ("1.0.0", "1.1.0")]
    with pytest.raises(TopicmlError, match="other topics"):
        compare_models(*models, [tiny.labels], root / "data/labels/taxonomy.toml")
    with pytest.raises(LabelError, match="unknown topic 'bakeing'"):
        compare_models(*models, [tiny.labels], tiny.taxonomy, gate=Gate(floors={"bakeing": 0.5}))


def test_a_network_has_no_words(store: ModelStore, tiny: Tiny) -> None:
    model = open_model(store.folder("weekend", "1.0.0"))
    base = {"name": "a/b", "revision": "0" * 40, "files": {}}
    network = replace(model, manifest={**model.manifest, "kind": NETWORK, "base": base})
    comparison = compare_models(model, network, [tiny.labels], tiny.taxonomy)
    fields = comparison.to_dict()
    assert (fields["words"], fields["new"]["kind"]) == (None, "network")
    assert "A network has no weights of words." in comparison_page(fields)


def test_words_are_what_changed_in_the_scorer(
    store: ModelStore, tiny: Tiny, tmp_path: Path
) -> None:
    folder = store.folder("weekend", "1.1.0")
    scorer = load_scorer(folder / SCORER)
    (words,) = (block for block in scorer.blocks if block.analyzer == "word")
    coefficients = words.coefficients.copy()
    coefficients[words.vocabulary["oven"], 0] += 2.0
    blocks = tuple(
        b._replace(coefficients=coefficients) if b.analyzer == "word" else b for b in scorer.blocks
    )
    save_scorer(replace(scorer, blocks=blocks), tmp_path / "changed.npz")
    rewrite_file(folder, SCORER, (tmp_path / "changed.npz").read_bytes())
    comparison = compared(store, tiny, "1.1.0")
    assert comparison.words is not None
    (change,) = comparison.words["baking"]
    assert (change.word, change.sentences) == ("oven", 8)
    assert change.change == pytest.approx(change.new - change.old)
    assert change.change > 0
    assert comparison.words["sailing"] == ()
    # what a word adds over all sentences, as log-odds rise by it
    texts = [row["text"] for row in tiny_records()]
    before, after = (
        open_model(store.folder("weekend", v)).scorer.predict_proba(texts)[:, 0]
        for v in ("1.0.0", "1.1.0")
    )
    rise = np.log(after / (1 - after)) - np.log(before / (1 - before))
    assert change.change == pytest.approx(rise.sum())
