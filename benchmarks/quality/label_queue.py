"""How many labels does `topicml labels queue` save, beside drawing sentences at random?

    python benchmarks/quality/label_queue.py

A labelling is played through on the real sentences: 300 labels drawn at random, then 175 at a
time, those that the queue puts first by the model so far, or drawn at random. After each batch
the recipe is trained from nothing (no background: its teacher has learned all these labels), of
words alone so that it takes minutes, and judged on documents left out, tagged as `classify` does.

The documents fall into two halves. What the queue goes by was chosen on one (`--folds 0 1 2 3`);
the figures are of the other. Each fourth of a half is left out in turn. Needs the texts of the
labels by reference (`topicml labels fetch`).
"""

from __future__ import annotations

import argparse
import itertools
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
FIGURES = HERE / "label_queue.json"
PARAMETERS = Parameters(char_ngrams=None)
FOLDS = 8  # four a half
START, BATCH = 300, 175
TARGET = 1000
"""Labels drawn at random whose quality the queue is to reach with fewer."""

COUNTS = list(range(START, TARGET + 1, BATCH))
REPORTED = (4, 5, 6, 7)

Rows = NDArray[np.intp]


def main(arguments: list[str] | None = None) -> int:
    """Play it through, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folds", nargs="*", type=int, default=REPORTED, help="left out in turn")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1])
    parser.add_argument("--strategies", nargs="*", default=["random", "combined"])
    parser.add_argument("--draw", action="store_true", help="table and picture again")
    options = parser.parse_args(arguments)
    if options.draw:
        publish(kept_runs())
        return 0
    data = load_dataset([LABELS / "real.jsonl"], load_taxonomy(LABELS / "taxonomy.toml"))
    folds = np.array([fold_of(group, FOLDS) for group in data.groups.tolist()])
    for seed, fold in itertools.product(options.seeds, options.folds):
        pool = data.subset((folds // 4 == fold // 4) & (folds != fold))
        test = data.subset(folds == fold)
        for name in options.strategies:
            curve = np.round(play(pool, test, name, 10 * fold + seed), 4).tolist()
            add({"fold": fold, "seed": seed, "strategy": name, "curve": curve})
    publish(kept_runs())
    return 0


def kept_runs() -> list[dict[str, Any]]:
    """Return the runs that were measured so far."""
    return json.loads(FIGURES.read_text("utf-8"))["runs"] if FIGURES.exists() else []


def add(run: dict[str, Any]) -> None:
    """Keep a run in place of an earlier one of its kind; of the half that is reported alone."""
    print(json.dumps(run), flush=True)
    if run["fold"] not in REPORTED:
        return
    same = ("fold", "seed", "strategy")
    others = [one for one in kept_runs() if any(one[key] != run[key] for key in same)]
    runs = sorted([*others, run], key=lambda one: [one[key] for key in same])
    result = {"labels": COUNTS, "runs": runs, **environment(("scikit-learn", "numpy"))}
    write_text(FIGURES, json.dumps(result, indent=2) + "\n")


def curves_of(runs: Sequence[dict[str, Any]]) -> dict[str, NDArray[np.float64]]:
    """Return by strategy, random first, curves of the folds and seeds that all of them have."""
    by_name: dict[str, dict[tuple[int, int], Any]] = {"random": {}}
    for run in runs:
        by_name.setdefault(run["strategy"], {})[run["fold"], run["seed"]] = run["curve"]
    both = sorted(set.intersection(*({*found} for found in by_name.values())))
    return {name: np.array([found[key] for key in both]) for name, found in by_name.items()}


def play(pool: Dataset, test: Dataset, strategy: str, seed: int) -> list[list[float]]:
    """Return micro-F1, and that of the best single threshold, after each batch."""
    rng = np.random.default_rng(seed)
    start = labelled = draw_start(pool, rng)
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


def draw_start(pool: Dataset, rng: np.random.Generator) -> Rows:
    """Draw the first labels, again where a topic is on none of them: no recipe learns from that."""
    while True:
        start: Rows = rng.choice(len(pool), START, replace=False)
        if pool.Y[start].any(axis=0).all():
            return start


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


def summary(curves: dict[str, NDArray[np.float64]]) -> dict[str, list[float]]:
    """Return by strategy the share of the labels that reaches what random ones reach in the end.

    For each of the two figures, on the mean of all curves.
    """
    goal = curves["random"].mean(axis=0)[-1]
    shares = {}
    for name, found in curves.items():
        mean = np.maximum.accumulate(found.mean(axis=0))
        shares[name] = [needs(mean[:, n], goal[n]) / TARGET for n in range(len(goal))]
    return shares


def needs(curve: NDArray[np.float64], goal: float) -> float:
    """Return how many labels a rising curve takes to reach a goal; infinite where it does not."""
    return float(np.interp(goal, curve, COUNTS)) if curve[-1] >= goal else float("inf")


def publish(runs: Sequence[dict[str, Any]]) -> None:
    """Write the table and the picture."""
    curves = curves_of(runs)
    print({name: [round(n, 3) for n in share] for name, share in summary(curves).items()})
    write_between(HERE / "README.md", "label-queue", table(curves))
    draw(curves, HERE / PICTURE)


def table(curves: dict[str, NDArray[np.float64]]) -> str:
    """Render the curves, and the share of labels needed."""
    columns = [f"{name}: {figure}" for name in curves for figure in ("best threshold", "as tagged")]
    lines = [f"| labels | {' | '.join(columns)} |", "|---|" + "---|" * len(columns)]
    for n, count in enumerate(COUNTS):
        here = [found[:, n, figure] for found in curves.values() for figure in (1, 0)]
        cells = [f"{one.mean():.3f} ± {one.std(ddof=1):.3f}" for one in here]
        lines.append(f"| {count:,} | {' | '.join(cells)} |")
    shares = [share[figure] for share in summary(curves).values() for figure in (1, 0)]
    cells = [f"{share:.0%}" if share < np.inf else "more" for share in shares]
    lines.append(f"| needed for what {TARGET:,} random ones reach | {' | '.join(cells)} |")
    return "\n".join([f"{len(curves['random'])} runs.", "", *lines])


def draw(curves: dict[str, NDArray[np.float64]], path: Path) -> None:
    """Draw the mean curves, with standard errors."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams.update({"svg.hashsalt": "label-queue", "font.size": 10})
    figure = Figure(figsize=(8.4, 3.6), layout="constrained")
    for axes, n, name in zip(
        figure.subplots(1, 2), (1, 0), ("best threshold", "as tagged"), strict=True
    ):
        for strategy, found in curves.items():
            mean = found[:, :, n].mean(axis=0)
            error = found[:, :, n].std(axis=0, ddof=1) / np.sqrt(len(found))
            axes.plot(COUNTS, mean, "o-", label=strategy, markersize=4)
            axes.fill_between(COUNTS, mean - error, mean + error, alpha=0.2)
        axes.set_xlabel("labels")
        axes.set_ylabel(f"micro-F1, {name}")
        axes.grid(color="#e3e7ec", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="lower right")
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    sys.exit(main())
