from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score
from toy import assert_same, examples, learned, make_network

from topicml.network import fine_tuning
from topicml.network.encoder import TopicNetwork
from topicml.network.fine_tuning import Examples, Step, fine_tune

TRAIN, HELD_OUT = examples(116), examples(40, seed=8)
ALWAYS_RIGHT = replace(HELD_OUT, targets=np.ones_like(HELD_OUT.targets))  # no epoch is worse
PER_EPOCH = 4  # batches


def tuned(folder: Path, seed: int = 1, **options: object) -> TopicNetwork:
    network = make_network(folder)
    fine_tune(network, TRAIN, HELD_OUT, seed=seed, **options)  # type: ignore[arg-type]
    return network


def average_precision(network: TopicNetwork) -> float:
    return float(average_precision_score(HELD_OUT.targets, network.log_odds(HELD_OUT.texts)))


def test_network_learns_what_it_did_not_know(folder: Path) -> None:
    network = make_network(folder)
    share = float(HELD_OUT.targets.mean())
    assert average_precision(network) == pytest.approx(share)  # all log-odds are the same
    score = fine_tune(network, examples(1000), HELD_OUT, seed=1, epochs=8)
    assert score == pytest.approx(average_precision(network))
    assert score > 0.8 > share


def test_steps_are_told_of_with_the_last_epochs_score(folder: Path) -> None:
    told: list[Step] = []
    tuned(folder, epochs=2, on_step=told.append)
    assert [(step.done, step.total) for step in told] == [(n, 8) for n in range(1, 9)]
    assert {step.score for step in told[:PER_EPOCH]} == {None}
    assert len({step.score for step in told[PER_EPOCH:]} - {None}) == 1


def test_same_seed_gives_the_same_network_and_another_does_not(folder: Path) -> None:
    first, second, other = (learned(tuned(folder, seed)) for seed in (1, 1, 2))
    assert_same(first, second)
    assert not all(torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_label_of_a_sentence_counts_by_its_weight(folder: Path, weight: float) -> None:
    weights = np.ones(len(TRAIN.texts))
    weights[:20] = weight
    turned = TRAIN.targets.copy()
    turned[:20] = 1 - turned[:20]
    made = [
        fine_tuned_on(folder, Examples(TRAIN.texts, targets, weights))
        for targets in (TRAIN.targets, turned)
    ]
    assert torch.equal(*(one["head.weight"] for one in made)) == (weight == 0)


def fine_tuned_on(folder: Path, train: Examples) -> dict[str, torch.Tensor]:
    network = make_network(folder)
    fine_tune(network, train, HELD_OUT, seed=1, epochs=1)
    return learned(network)


@pytest.mark.parametrize(("between", "last"), [(3, 2), (3, 5), (3, 11), (6, 7), (4, 5), (4, 12)])
def test_training_that_was_cut_off_ends_as_one_that_was_not(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, between: int, last: int
) -> None:
    monkeypatch.setattr(fine_tuning, "_STEPS_BETWEEN_CHECKPOINTS", between)
    checkpoint = tmp_path / "state"
    with pytest.raises(KeyboardInterrupt):
        steps_of(make_network(folder), checkpoint, interrupt_at(last))
    assert checkpoint.exists() == (last > between)
    gone_on, whole = make_network(folder, seed=77 * (last > between)), make_network(folder)
    steps, expected = steps_of(gone_on, checkpoint), steps_of(whole)
    kept = (last - 1) // between * between
    assert [step.done for step in steps] == [*range(kept + 1, 13)]
    assert steps == expected[kept:]
    assert_same(learned(gone_on), learned(whole))
    assert list(tmp_path.iterdir()) == []


def steps_of(
    network: TopicNetwork,
    checkpoint: Path | None = None,
    also: Callable[[Step], None] = lambda _: None,
) -> list[Step]:
    """Train for three epochs; return what was told."""
    told: list[Step] = []

    def on_step(step: Step) -> None:
        told.append(step)
        also(step)

    options = {"seed": 1, "checkpoint": checkpoint, "on_step": on_step}
    assert fine_tune(network, TRAIN, ALWAYS_RIGHT, **options) == 1  # type: ignore[arg-type]
    return told


def interrupt_at(last: int) -> Callable[[Step], None]:
    def on_step(step: Step) -> None:
        if step.done == last:
            raise KeyboardInterrupt

    return on_step


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_training_that_was_cut_off_while_it_was_judged_ends_as_one_that_was_not(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epoch: int
) -> None:
    monkeypatch.setattr(fine_tuning, "_STEPS_BETWEEN_CHECKPOINTS", PER_EPOCH)
    checkpoint, network, judged = tmp_path / "state", make_network(folder), []
    log_odds = network.log_odds

    def interrupted(texts: list[str]) -> object:
        judged.append(texts)
        if len(judged) == epoch:
            raise KeyboardInterrupt
        return log_odds(texts)

    monkeypatch.setattr(network, "log_odds", interrupted)
    with pytest.raises(KeyboardInterrupt):
        steps_of(network, checkpoint)
    gone_on, whole = make_network(folder), make_network(folder)
    assert steps_of(gone_on, checkpoint) == steps_of(whole)[epoch * PER_EPOCH :]
    assert_same(learned(gone_on), learned(whole))


def test_training_ends_after_an_epoch_that_is_worse_and_keeps_the_best(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, held_out = make_network(folder), Examples(["a", "b"], np.array([[1.0], [0]]), [1, 1])
    right, wrong = np.array([[1.0], [0]]), np.array([[0.0], [1]])
    judged = iter([wrong, right, wrong, right])
    after: list[dict[str, torch.Tensor]] = []

    def log_odds(_texts: object) -> object:
        after.append(learned(network))
        return next(judged)

    monkeypatch.setattr(network, "log_odds", log_odds)
    told: list[Step] = []
    score = fine_tune(network, TRAIN, held_out, seed=1, epochs=6, on_step=told.append)
    assert score == 1
    assert [told[-1].done, told[-1].total] == [3 * PER_EPOCH, 6 * PER_EPOCH]
    assert told[-1].score == 1  # of the second epoch, which was the last one judged then
    assert_same(learned(network), after[1])
    assert not torch.equal(after[1]["head.bias"], after[2]["head.bias"])


def test_nobody_to_judge_is_no_error(folder: Path) -> None:
    nobody = Examples([], np.zeros((0, 2)), np.zeros(0))
    network = make_network(folder)
    assert fine_tune(network, TRAIN, nobody, seed=1, epochs=2) == 0
    assert not torch.equal(network.head.bias, make_network(folder).head.bias)


def test_checkpoint_that_would_run_something_is_refused(folder: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "state"
    torch.save({"done": Path("/tmp")}, checkpoint)  # noqa: S108
    with pytest.raises(Exception, match=r"weights_only|Unsupported"):
        tuned(folder, checkpoint=checkpoint)
