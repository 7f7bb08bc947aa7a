"""Whole distillations of a tiny encoder, cut off and gone on with in every place."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from toy import TOPICS, dataset, make_network, pool, shaken

from topicml.errors import OutputError
from topicml.models import distill, fold_networks
from topicml.models.background import MANIFEST, SCORER, SEEN, read_background
from topicml.models.distill import Distillation, DistillSettings
from topicml.models.fold_networks import claim
from topicml.models.folder import sha256_file
from topicml.models.steps import Step
from topicml.models.store import ModelStore
from topicml.network import fine_tuning
from topicml.network.base import Base
from topicml.network.encoder import TopicNetwork
from topicml.training.background import log_odds_of

SETTINGS = DistillSettings(folds=2, seeds=1, epochs=2, features=200)
SOURCES = {"labels": {"labels.jsonl": "1" * 64}, "taxonomy": "2" * 64}
DATA, POOL = dataset(), pool()
OUTPUTS = len(TOPICS) + 1


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that there are several of each kind."""
    monkeypatch.setattr(distill, "_CHUNK", 25)
    monkeypatch.setattr(fine_tuning, "_STEPS_BETWEEN_CHECKPOINTS", 3)


@pytest.fixture
def toy(base: Base, folder: Path, tmp_path: Path) -> Distillation:
    torch.manual_seed(0)  # as a process begins anew
    return Distillation(DATA, POOL, base, folder, tmp_path / "work", SETTINGS, SOURCES)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def fold_of(group: str, folds: int = SETTINGS.folds) -> int:
    return int(hashlib.sha1(group.encode(), usedforsecurity=False).hexdigest(), 16) % folds


def written(store: ModelStore, name: str = "home") -> dict[str, bytes]:
    root = store.root / name
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_distillation_leaves_a_background_and_its_teacher(
    toy: Distillation, store: ModelStore
) -> None:
    assert toy.run(store, "home") == store.root / "home/background"
    assert written(store).keys() == {
        *(f"background/{name}" for name in (SCORER, SEEN, MANIFEST)),
        *("teacher/adapters.safetensors", f"teacher/{MANIFEST}"),
    }


def test_manifests_say_what_was_made_of_what(
    toy: Distillation, store: ModelStore, base: Base
) -> None:
    made = toy.run(store, "home")
    manifest = json.loads((made / MANIFEST).read_text("utf-8"))
    teacher = {"base": base.name, "revision": base.revision}
    assert manifest == {
        **SOURCES,
        "labels_sentences": len(DATA),
        "pool_sentences": len(POOL),
        "teacher": teacher,
        "settings": {"folds": 2, "seeds": 1, "epochs": 2, "features": 200},
        "topics": list(TOPICS),
        "files": {name: sha256_file(made / name) for name in (SCORER, SEEN)},
    }
    adapters = made.parent / "teacher/adapters.safetensors"
    stated = json.loads(adapters.with_name(MANIFEST).read_text("utf-8"))
    assert 0 <= stated.pop("average_precision") <= 1
    assert stated == {
        **teacher,
        "files": base.files,
        "topics": list(TOPICS),
        "adapters": sha256_file(adapters),
    }


def test_each_label_is_seen_once_with_its_fold_and_the_log_odds_of_each_fold(
    toy: Distillation, store: ModelStore
) -> None:
    found = read_background(toy.run(store, "home"))
    groups = dict(zip(DATA.texts[::-1], DATA.groups[::-1].tolist(), strict=True))  # first is last
    assert len(groups) < len(DATA)
    assert found.topics == TOPICS
    assert found.log_odds.shape == (2, len(groups), OUTPUTS)
    digests = {hashlib.sha1(t.encode(), usedforsecurity=False).hexdigest(): t for t in groups}
    assert found.seen.keys() == digests.keys()
    for digest, row in found.seen.items():
        assert found.folds[row] == fold_of(groups[digests[digest]])
    assert sum(len(block.vocabulary) for block in found.blocks) == SETTINGS.features


def test_final_background_has_learned_the_topics(toy: Distillation, store: ModelStore) -> None:
    found = read_background(toy.run(store, "home"))
    log_odds = found.predict(["butter and onions in the oven", "mulch the roses and the hedge"])
    assert log_odds[0, 0] > log_odds[1, 0]
    assert log_odds[1, 1] > log_odds[0, 1]


def test_nothing_of_a_fold_is_shown_to_what_is_made_without_it(
    toy: Distillation, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[set[str]] = []
    fit, tune = distill.fit_background, fold_networks.fine_tune

    def fit_background(unlabelled: Any, soft: Any, texts: Any, Y: Any, **options: Any) -> Any:
        shown.append({*unlabelled, *texts})
        return fit(unlabelled, soft, texts, Y, **options)

    def fine_tune(network: Any, train: Any, held_out: Any, **options: Any) -> float:
        assert not {*train.texts} & {*held_out.texts}
        shown.append({*train.texts, *held_out.texts})
        return tune(network, train, held_out, **options)

    monkeypatch.setattr(distill, "fit_background", fit_background)
    monkeypatch.setattr(fold_networks, "fine_tune", fine_tune)
    toy.run(store, "home")
    texts, documents = DATA.texts + POOL.texts, [*DATA.groups.tolist(), *POOL.documents]
    first = dict(zip(texts[::-1], documents[::-1], strict=True))
    assert len(shown) == 2 * (SETTINGS.folds + 1)
    for fold in range(SETTINGS.folds):
        tuned, fitted = shown[2 * fold : 2 * fold + 2]
        assert tuned
        assert fitted & {*POOL.texts}
        assert fold not in {fold_of(first[text]) for text in tuned | fitted}
    assert shown[-2] == {*DATA.texts}
    assert shown[-1] >= {*POOL.texts}


def test_teachers_soft_labels_are_those_of_the_adapters_that_are_kept(
    toy: Distillation, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fine_tune(network: TopicNetwork, *_: object, **__: object) -> float:
        shaken(network)
        return 0.5

    monkeypatch.setattr(fold_networks, "fine_tune", fine_tune)
    claim(toy.work, toy._identity())
    toy.teach(None, 0)
    (soft,), (adapters,) = toy.work.glob("soft*.npy"), toy.work.glob("*.safetensors")
    kept = TopicNetwork(folder, OUTPUTS)
    kept.load(adapters)
    kept.merge()
    expected = np.concatenate([kept.log_odds(POOL.texts[n : n + 25]) for n in range(0, 60, 25)])
    np.testing.assert_array_equal(np.load(soft), expected.astype(np.float16))


def test_teacher_depends_on_its_seed_and_on_nothing_that_was_drawn_before(
    toy: Distillation, tmp_path: Path
) -> None:
    made = []
    for number, seed in enumerate([0, 0, 1]):
        other = replace(toy, work=tmp_path / str(number))
        claim(other.work, other._identity())
        torch.manual_seed(number)
        other.teach(0, seed)
        (adapters,) = other.work.glob("*.safetensors")
        made.append(adapters.read_bytes())
    assert made[0] == made[1] != made[2]


def test_log_odds_of_several_seeds_are_averaged(
    toy: Distillation, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[np.ndarray] = []
    fit = distill.fit_background

    def fit_background(unlabelled: Any, soft: Any, *rest: Any, **options: Any) -> Any:
        given.append(soft)
        return fit(unlabelled, soft, *rest, **options)

    monkeypatch.setattr(distill, "fit_background", fit_background)
    toy = replace(toy, settings=replace(SETTINGS, seeds=2))
    toy.run(store, "home")
    each = [np.load(toy.work / f"soft-all-{seed}.npy").astype(float) for seed in (0, 1)]
    assert not np.array_equal(*each)
    np.testing.assert_allclose(given[-1], sum(each) / 2, atol=1e-5)


def test_run_that_is_cut_off_at_each_of_its_steps_ends_as_one_that_was_not(
    toy: Distillation, store: ModelStore, tmp_path: Path
) -> None:
    whole: list[Step] = []
    toy.run(store, "home", whole.append)
    assert len(whole) > 20
    other, cut_off = replace(toy, work=tmp_path / "other"), set[Step]()
    for step in whole:
        with pytest.raises(KeyboardInterrupt):
            other.run(store, "cut-off", interrupt_at_new(cut_off))
        assert step in cut_off
    assert other.run(store, "cut-off") == store.root / "cut-off/background"
    assert written(store, "cut-off") == written(store, "home")


def interrupt_at_new(seen: set[Step]) -> Callable[[Step], None]:
    """Raise at the first step that none of the runs before has come to."""

    def on_step(step: Step) -> None:
        if step not in seen:
            seen.add(step)
            torch.manual_seed(len(seen))  # the next process draws other numbers
            raise KeyboardInterrupt

    return on_step


def test_nothing_that_is_there_is_done_again(
    toy: Distillation, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.run(store, "home")
    before = written(store)
    for work in ("fit_background", "log_odds_of"):
        monkeypatch.setattr(distill, work, forbidden)
    for work in ("TopicNetwork", "fine_tune"):
        monkeypatch.setattr(fold_networks, work, forbidden)
    toy.run(store, "home", forbidden)
    assert written(store) == before


def forbidden(*_: object, **__: object) -> None:
    pytest.fail("done again")


@pytest.mark.parametrize("lost", ["background", "background-1.npy", "soft-all-0.npy"])
def test_step_whose_file_is_lost_is_done_again(
    toy: Distillation, store: ModelStore, lost: str
) -> None:
    toy.run(store, "home")
    before, path = written(store), toy.work / lost
    if lost == "background":
        (path / MANIFEST).unlink()  # the last of its files: the run was cut off before it
    else:
        path.unlink()
        shutil.rmtree(toy.work / "background")
    toy.run(store, "home")
    assert written(store) == before


@pytest.mark.parametrize(("place", "name"), [(TopicNetwork, "save"), (fold_networks, "write_text")])
def test_run_that_is_cut_off_between_adapters_and_their_score_goes_on(
    toy: Distillation, store: ModelStore, tmp_path: Path, place: object, name: str
) -> None:
    toy.run(store, "home")
    toy = replace(toy, work=tmp_path / "other")
    claim(toy.work, toy._identity())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, name, interrupt)
        with pytest.raises(KeyboardInterrupt):
            toy.teach(None, 0)
    toy.run(store, "cut-off")
    assert written(store, "cut-off") == written(store, "home")


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_log_odds_of_a_fold_are_those_of_what_was_fitted_without_it(
    toy: Distillation, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    fit = distill.fit_background

    def fit_background(*arguments: Any, **options: Any) -> Any:
        made.append(fit(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(distill, "fit_background", fit_background)
    found = read_background(toy.run(store, "home"))
    for fold in range(SETTINGS.folds):
        expected = log_odds_of(*made[fold], list(dict.fromkeys(DATA.texts)))
        np.testing.assert_allclose(found.log_odds[fold], expected, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(found.predict(DATA.texts), log_odds_of(*made[-1], DATA.texts))


@pytest.mark.parametrize(
    "change",
    [
        {"settings": replace(SETTINGS, epochs=3)},
        {"settings": replace(SETTINGS, folds=3)},
        {"sources": {**SOURCES, "taxonomy": "3" * 64}},
        {"pool": pool(40)},
    ],
    ids=["epochs", "folds", "taxonomy", "pool"],
)
def test_work_folder_of_another_run_is_refused_and_left_as_it_is(
    toy: Distillation, store: ModelStore, change: dict[str, Any]
) -> None:
    claim(toy.work, toy._identity())
    before = (toy.work / MANIFEST).read_bytes()
    with pytest.raises(OutputError, match="other inputs or settings") as caught:
        replace(toy, **change).run(store, "home")
    assert caught.value.where == str(toy.work)
    assert "--work" in caught.value.hint
    assert (toy.work / MANIFEST).read_bytes() == before
    assert not store.root.exists()


def test_network_of_the_teacher_folder_is_read_again(
    toy: Distillation, store: ModelStore, folder: Path
) -> None:
    toy.run(store, "home")
    network = TopicNetwork(folder, OUTPUTS)
    network.load(store.root / "home/teacher/adapters.safetensors")
    assert network.log_odds(["the oven"]).shape == (1, OUTPUTS)
    assert make_network(folder).head.out_features != OUTPUTS
