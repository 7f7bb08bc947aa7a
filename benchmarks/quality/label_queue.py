"""How many labels does `topicml labels queue` save, beside drawing sentences at random?

    python benchmarks/quality/label_queue.py

A labelling is played through on the real sentences: 300 labels drawn at random, then 175 at a
time, those that the queue puts first by the model so far, or drawn at random. After each batch
the recipe is trained from nothing (no background: its teacher has learned all these labels), of
words alone so that it takes minutes, and judged on documents left out, tagged as `classify` does.

The documents fall into two halves. What the queue goes by was chosen on one (`--half 0`); the
figures are of the other. Each fourth of a half is left out in turn. Needs the texts of the labels
by reference (`topicml labels fetch`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.append(str(Path(__file__).parents[1]))  # for what all benchmarks share
from markdown_tables import write_between
from measuring import environment

from topicml.files import write_text
from topicml.tagging.tagger import tag_sentences
from topicml.taxonomy import load_taxonomy
from topicml.training.background import fold_of
from topicml.training.calibration import micro_f1
from topicml.training.dataset import Dataset, load_dataset
from topicml.training.export import make_scorer
from topicml.training.features import Parameters
from topicml.training.fit import FittedModel, fit_model
from topicml.training.held_out import thresholds_of
from topicml.training.label_queue import Candidates, Place, choose_next

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LABELS = ROOT / "data/labels"
PICTURE = "label_queue.svg"
PARAMETERS = Parameters(char_ngrams=None)
FOLDS = 8  # four a half
START, BATCH = 300, 175
TARGET = 1000
"""Labels drawn at random whose quality the queue is to reach with fewer."""

Rows = NDArray[np.intp]


def main(arguments: list[str] | None = None) -> int:
    """Play it through, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--half", type=int, default=1, help="of the documents")
    parser.add_argument("--seeds", type=int, default=1, help="for each fourth left out")
    parser.add_argument("--strategies", nargs="*", default=["random", "combined"])
    parser.add_argument("--draw", action="store_true", help="table and picture again")
    options = parser.parse_args(arguments)
    path = HERE / "label_queue.json"
    if options.draw:
        publish(json.loads(path.read_text("utf-8")))
        return 0
    data = load_dataset([LABELS / "real.jsonl"], load_taxonomy(LABELS / "taxonomy.toml"))
    folds = np.array([fold_of(group, FOLDS) for group in data.groups.tolist()])
    curves: dict[str, list[list[list[float]]]] = {name: [] for name in options.strategies}
    for fold in range(4 * options.half, 4 * options.half + 4):
        inside = (folds >= 4 * options.half) & (folds < 4 * options.half + 4)
        pool, test = data.subset(inside & (folds != fold)), data.subset(folds == fold)
        for seed in range(options.seeds):
            for name, found in curves.items():
                found.append(play(pool, test, name, 10 * fold + seed))
                print(fold, seed, name, found[-1], flush=True)
    result = {
        "half": options.half,
        "sentences": int((folds // 4 == options.half).sum()),
        "labels": list(range(START, TARGET + 1, BATCH)),
        "curves": {name: np.round(found, 4).tolist() for name, found in curves.items()},
        **environment(("scikit-learn", "numpy")),
    }
    print(json.dumps(summary(result)))
    if options.half == 1:
        write_text(path, json.dumps(result, indent=2) + "\n")
        publish(result)
    return 0


def play(pool: Dataset, test: Dataset, strategy: str, seed: int) -> list[list[float]]:
    """Return micro-F1, and that of the best single threshold, after each batch."""
    rng = np.random.default_rng(seed)
    start = labelled = rng.choice(len(pool), START, replace=False)
    curve = []
    while True:
        is_drawn = np.isin(labelled, start) | (strategy == "random")
        fitted = fit_model(replace(pool.subset(labelled), drawn=is_drawn), PARAMETERS)
        curve.append(figures(fitted, test))
        if len(labelled) >= TARGET:
            return curve
        left = np.setdiff1d(np.arange(len(pool)), labelled)
        if strategy == "random":
            chosen = rng.choice(left, BATCH, replace=False)
        else:
            chosen = left[next_rows(fitted, pool, labelled, left, strategy, seed)]
        labelled = np.concatenate([labelled, chosen])


def next_rows(
    fitted: FittedModel, pool: Dataset, labelled: Rows, left: Rows, strategy: Any, seed: int
) -> list[int]:
    """Return what the queue puts first."""
    texts = [pool.texts[row] for row in left]
    X = fitted.pipeline[:-1].transform(texts)
    classifier = fitted.pipeline[-1]
    candidates = Candidates(
        tuple(texts),
        tuple(Place(pool.groups[row], 0, len(pool.texts[row])) for row in left),
        classifier.predict_proba(X),
        classifier.predict_relevance(X),
    )
    scorer = make_scorer(fitted.pipeline, pool.topics, fitted.decision)
    queued = choose_next(
        candidates,
        [pool.texts[row] for row in labelled],
        thresholds_of(fitted.decision),
        scorer.blocks,
        strategy=strategy,
        limit=BATCH,
        seed=seed,
    )
    return [one.row for one in queued]


def figures(fitted: FittedModel, test: Dataset) -> list[float]:
    """Return micro-F1 of the tags that classify gives, and of the best single threshold."""
    scorer = make_scorer(fitted.pipeline, test.topics, fitted.decision)
    probabilities, given, _ = tag_sentences(scorer, test.texts)
    cuts = np.quantile(probabilities, np.linspace(0.7, 0.99, 100))
    best = max(micro_f1(test.Y, probabilities >= cut) for cut in cuts)
    return [micro_f1(test.Y, given), best]


def summary(result: dict[str, Any]) -> dict[str, list[float]]:
    """Return by strategy the share of the labels that reaches what random ones reach in the end.

    For each of the two figures, on the mean of all curves.
    """
    labels, curves = result["labels"], result["curves"]
    goal = np.mean(curves["random"], axis=0)[-1]
    shares = {}
    for name, found in curves.items():
        mean = np.maximum.accumulate(np.mean(found, axis=0))
        needed = [needs(labels, mean[:, n], goal[n]) for n in range(len(goal))]
        shares[name] = [round(n / labels[-1], 3) for n in needed]
    return shares


def needs(labels: Sequence[int], curve: NDArray[np.float64], goal: float) -> float:
    """Return how many labels a rising curve takes to reach a goal; infinite where it does not."""
    return float(np.interp(goal, curve, labels)) if curve[-1] >= goal else float("inf")


def publish(result: dict[str, Any]) -> None:
    """Write the table and the picture."""
    write_between(HERE / "README.md", "label-queue", table(result))
    draw(result, HERE / PICTURE)


def table(result: dict[str, Any]) -> str:
    """Render the curves, and the share of labels needed."""
    labels, curves = result["labels"], result["curves"]
    lines = [
        "| labels | " + " | ".join(f"{name}: micro-F1, best threshold" for name in curves) + " |",
        "|---|" + "---|" * len(curves),
    ]
    for n, count in enumerate(labels):
        cells = []
        for found in curves.values():
            here = np.array(found)[:, n]
            spread = here.std(axis=0, ddof=1)
            cells.append(
                ", ".join(
                    f"{m:.3f} ± {s:.3f}" for m, s in zip(here.mean(axis=0), spread, strict=True)
                )
            )
        lines.append(f"| {count:,} | {' | '.join(cells)} |")
    shares = summary(result)
    cells = [", ".join(f"{share:.0%}" for share in shares[name]) for name in curves]
    lines.append(f"| share of {labels[-1]:,} needed | {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(result: dict[str, Any], path: Path) -> None:
    """Draw the mean curves."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams.update({"svg.hashsalt": "label-queue", "font.size": 10})
    figure = Figure(figsize=(8.4, 3.6), layout="constrained")
    for n, (axes, name) in enumerate(
        zip(figure.subplots(1, 2), ("micro-F1, as tagged", "micro-F1, best threshold"), strict=True)
    ):
        for strategy, found in result["curves"].items():
            here = np.array(found)[:, :, n]
            mean, error = here.mean(axis=0), here.std(axis=0, ddof=1) / np.sqrt(len(here))
            axes.plot(result["labels"], mean, "o-", label=strategy, markersize=4)
            axes.fill_between(result["labels"], mean - error, mean + error, alpha=0.2)
        axes.set_xlabel("labels")
        axes.set_ylabel(name)
        axes.grid(color="#e3e7ec", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="lower right")
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    sys.exit(main())
