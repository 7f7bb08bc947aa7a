"""How many labels does `topicml labels queue` save, beside drawing sentences at random?

    python benchmarks/quality/label_queue.py

A labelling is played through on the real sentences: 200 labels drawn at random, then 100 at a
time, those that the queue puts first by the model so far, or drawn at random. After each batch
the recipe is trained from nothing (no background: its teacher has learned all these labels), of
words alone so that it takes seconds, and judged on documents left out, tagged as `classify` does.

Most of the real sentences were themselves picked for being hard: 57 % have a topic, and of
ordinary ones 24 %. So it is played through twice. In the `ordinary` mix, sentences with a topic
are thinned out until as many are left as among those drawn at random, and those of the documents
left out are weighted to the same share; `labelled` is the mix as it is.

The documents fall into two halves. How the queue works was chosen on one (`--tune` measures that
again); the figures are of the other. Each fourth of a half is left out in turn. Needs the texts
of the labels by reference (`topicml labels fetch`).
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.append(str(Path(__file__).parents[1]))  # for what all benchmarks share
from markdown_tables import write_between
from measuring import environment

from topicml.files import write_text
from topicml.scoring.probabilities import sigmoid
from topicml.tagging.tagger import tag_sentences
from topicml.taxonomy import load_taxonomy
from topicml.training.background import fold_of
from topicml.training.calibration import micro_f1
from topicml.training.dataset import Dataset, load_dataset
from topicml.training.export import make_scorer
from topicml.training.features import Parameters
from topicml.training.fit import FittedModel, fit_model
from topicml.training.held_out import thresholds_of
from topicml.training.label_queue import Candidates, Place, Queued, choose_next

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LABELS = ROOT / "data/labels"
PICTURE = "label_queue.svg"
FIGURES = HERE / "label_queue.json"
PARAMETERS = Parameters(char_ngrams=None)
FOLDS = 8  # four a half
TUNED_ON, REPORTED = (0, 1, 2, 3), (4, 5, 6, 7)
MIXES = ("ordinary", "labelled")
TARGET = 1000
"""Labels drawn at random whose quality the queue is to reach with fewer."""

Rows = NDArray[np.intp]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Way:
    """How labels are chosen.

    Attributes:
        strategy: Of the queue.
        start: Labels drawn at random to begin with.
        batch: Labels between two trainings.
        random_share: Of each batch, drawn at random whatever the strategy.
        about_threshold: Whether the queue sees log-odds less those of the threshold.
    """

    strategy: Any = "combined"
    start: int = 200
    batch: int = 100
    random_share: float = 0.0
    about_threshold: bool = False

    @property
    def counts(self) -> list[int]:
        """Labels at each training."""
        return [*range(self.start, TARGET, self.batch), TARGET]

    def __str__(self) -> str:
        changed = [f"{k.replace('_', ' ')} {v}" for k, v in asdict(self).items() if k != "strategy"]
        usual = [f"{k.replace('_', ' ')} {v}" for k, v in asdict(Way()).items()]
        return ", ".join([self.strategy, *(one for one in changed if one not in usual)])


RANDOM, CHOSEN = Way("random"), Way(random_share=0.2)
"""What it is held against, and what the command does by default."""

REPORTED_WAYS = (RANDOM, CHOSEN, Way())
TUNED_WAYS = (
    RANDOM,
    *(Way(random_share=share) for share in (0.0, 0.2)),
    *(replace(CHOSEN, strategy=one) for one in ("entropy", "confidence", "margin")),
    replace(CHOSEN, about_threshold=True),
    replace(CHOSEN, start=100),
    replace(CHOSEN, batch=50),
)


def main(arguments: list[str] | None = None) -> int:
    """Play it through, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tune", action="store_true", help="compare ways, on the other half")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1])
    parser.add_argument("--mixes", nargs="*", choices=MIXES, default=MIXES)
    parser.add_argument("--only", nargs="*", type=int, help="of the ways, by number from 0")
    parser.add_argument("--folds", nargs="*", type=int, help="left out in turn; those of the half")
    parser.add_argument("--draw", action="store_true", help="tables and picture again")
    options = parser.parse_args(arguments)
    folds, ways = (TUNED_ON, TUNED_WAYS) if options.tune else (REPORTED, REPORTED_WAYS)
    folds = options.folds or folds
    ways = tuple(ways[n] for n in options.only or range(len(ways)))
    if not options.draw:
        data = load_dataset([LABELS / "real.jsonl"], load_taxonomy(LABELS / "taxonomy.toml"))
        for mix, seed, fold, way in itertools.product(options.mixes, options.seeds, folds, ways):
            curve = play(data, fold, seed, mix, way)
            add({"mix": mix, "fold": fold, "seed": seed, **asdict(way), "curve": curve})
    publish(kept_runs())
    return 0


def kept_runs() -> list[dict[str, Any]]:
    """Return the runs that were measured so far."""
    return json.loads(FIGURES.read_text("utf-8"))["runs"] if FIGURES.exists() else []


def add(run: dict[str, Any]) -> None:
    """Keep a run in place of an earlier one of its kind."""
    print(json.dumps(run), flush=True)
    same = [key for key in run if key != "curve"]
    others = [one for one in kept_runs() if any(one[key] != run[key] for key in same)]
    runs = sorted([*others, run], key=lambda one: [one[key] for key in same])
    about = environment(("scikit-learn", "numpy"))
    lines = ",\n".join(f"    {json.dumps(one)}" for one in runs)
    head = json.dumps(about, indent=2)[:-2]
    write_text(FIGURES, f'{head},\n  "runs": [\n{lines}\n  ]\n}}\n')


def play(data: Dataset, fold: int, seed: int, mix: str, way: Way) -> list[list[float]]:
    """Return micro-F1, and that of the best single threshold, after each batch."""
    seed += 10 * fold
    rng = np.random.default_rng(seed)
    folds = np.array([fold_of(group, FOLDS) for group in data.groups.tolist()])
    test = data.subset(folds == fold)
    rows = np.flatnonzero((folds // 4 == fold // 4) & (folds != fold))
    weights = np.ones(len(test))
    if mix == "ordinary":
        share = data.Y[data.drawn].any(axis=1).mean()
        rows, weights = thinned(data, rows, share, rng), weights_for(test, share)
    pool = data.subset(rows)
    labelled = draw_start(pool, way.start, rng)
    is_drawn = np.ones(way.start, dtype=np.bool_)
    curve = []
    while True:
        fitted = fit_model(replace(pool.subset(labelled), drawn=is_drawn), PARAMETERS)
        curve.append([round(n, 4) for n in figures(fitted, test, weights)])
        if len(labelled) >= TARGET:
            return curve
        count = min(way.batch, TARGET - len(labelled))
        left = np.setdiff1d(np.arange(len(pool)), labelled)
        if way.strategy == "random":
            chosen, drawn = rng.choice(left, count, replace=False), [True] * count
        else:
            queued = next_labels(fitted, pool, labelled, left, way, count, seed)
            chosen = left[[one.row for one in queued]]
            drawn = [one.strategy == "random" for one in queued]
        labelled = np.concatenate([labelled, chosen])
        is_drawn = np.concatenate([is_drawn, drawn])


def thinned(data: Dataset, rows: Rows, share: float, rng: np.random.Generator) -> Rows:
    """Leave out sentences with a topic, drawn at random, until a share has any."""
    is_empty = ~data.Y[rows].any(axis=1)
    count = round(is_empty.sum() * share / (1 - share))
    kept = rng.choice(rows[~is_empty], count, replace=False)
    return np.sort(np.concatenate([rows[is_empty], kept]))


def weights_for(data: Dataset, share: float) -> Floats:
    """Return n weights by which a share of the sentences has any topic."""
    has_any = data.Y.any(axis=1)
    return np.where(has_any, share / has_any.mean(), (1 - share) / (~has_any).mean())


def draw_start(pool: Dataset, count: int, rng: np.random.Generator) -> Rows:
    """Draw the first labels, again where a topic is on none of them: no recipe learns from that."""
    while True:
        start: Rows = rng.choice(len(pool), count, replace=False)
        if pool.Y[start].any(axis=0).all():
            return start


def next_labels(
    fitted: FittedModel,
    pool: Dataset,
    labelled: Rows,
    left: Rows,
    way: Way,
    limit: int,
    seed: int,
) -> list[Queued]:
    """Return what the queue puts first."""
    texts = [pool.texts[row] for row in left]
    X = fitted.pipeline[:-1].transform(texts)
    classifier, thresholds = fitted.pipeline[-1], thresholds_of(fitted.decision)
    log_odds = classifier.log_odds(X)
    if way.about_threshold:
        cut = np.clip(thresholds.topics, 1e-9, 1 - 1e-9)
        log_odds[:, :-1] -= np.log(cut / (1 - cut))
    candidates = Candidates(
        tuple(texts),
        tuple(Place(pool.groups[row], 0, len(pool.texts[row])) for row in left),
        sigmoid(log_odds[:, :-1]),
        sigmoid(log_odds[:, -1]),
    )
    scorer = make_scorer(fitted.pipeline, pool.topics, fitted.decision)
    return choose_next(
        *(candidates, [pool.texts[row] for row in labelled], thresholds, scorer.blocks),
        strategy=way.strategy,
        limit=limit,
        random_share=way.random_share,
        seed=seed,
    )


def figures(fitted: FittedModel, test: Dataset, weights: Floats) -> list[float]:
    """Return micro-F1 of the tags that classify gives, and of the best single threshold."""
    scorer = make_scorer(fitted.pipeline, test.topics, fitted.decision)
    probabilities, given, _ = tag_sentences(scorer, test.texts)
    cuts = np.quantile(probabilities, np.linspace(0.7, 0.995, 120))
    best = max(micro_f1(test.Y, probabilities >= cut, weights) for cut in cuts)
    return [micro_f1(test.Y, given, weights), best]


def curves_of(
    runs: Sequence[dict[str, Any]], mix: str, folds: Sequence[int], ways: Sequence[Way]
) -> dict[Way, Floats]:
    """Return the curves of each way, of the folds and seeds that all of them have."""
    found: dict[Way, dict[tuple[int, int], Any]] = {way: {} for way in ways}
    for run in runs:
        way = Way(**{key: run[key] for key in asdict(Way())})
        if way in found and run["mix"] == mix and run["fold"] in folds:
            found[way][run["fold"], run["seed"]] = run["curve"]
    measured = {way: curves for way, curves in found.items() if curves}
    if RANDOM not in measured:
        return {}
    shared = sorted(set.intersection(*({*curves} for curves in measured.values())))
    return {way: np.array([curves[key] for key in shared]) for way, curves in measured.items()}


def shares_of(curves: dict[Way, Floats]) -> dict[Way, list[float]]:
    """Return by way the share of the labels that reaches what random ones reach in the end.

    For each of the two figures, on the mean of all curves.
    """
    goal = curves[RANDOM].mean(axis=0)[-1]
    shares = {}
    for way, found in curves.items():
        rising = np.maximum.accumulate(found.mean(axis=0))
        shares[way] = [needs(way.counts, rising[:, n], goal[n]) / TARGET for n in range(len(goal))]
    return shares


def needs(counts: Sequence[int], rising: Floats, goal: float) -> float:
    """Return how many labels a rising curve takes to reach a goal; infinite where it does not."""
    above = int(np.searchsorted(rising, goal))
    if above == len(rising):
        return float("inf")
    return float(np.interp(goal, rising[: above + 1], counts[: above + 1]))


def publish(runs: Sequence[dict[str, Any]]) -> None:
    """Write the tables and the picture."""
    reported = {mix: curves_of(runs, mix, REPORTED, REPORTED_WAYS) for mix in MIXES}
    tuned = {mix: curves_of(runs, mix, TUNED_ON, TUNED_WAYS) for mix in MIXES}
    text = "\n\n".join(table(mix, curves) for mix, curves in reported.items() if curves)
    write_between(HERE / "README.md", "label-queue", text)
    text = "\n\n".join(tuning_table(mix, curves) for mix, curves in tuned.items() if curves)
    write_between(HERE / "README.md", "label-queue-tuning", text)
    if reported["ordinary"]:
        draw(reported["ordinary"], HERE / PICTURE)


def table(mix: str, curves: dict[Way, Floats]) -> str:
    """Render the curves, and the share of labels needed."""
    columns = [f"{way}: {figure}" for way in curves for figure in ("as tagged", "best threshold")]
    lines = [f"| labels | {' | '.join(columns)} |", "|---|" + "---|" * len(columns)]
    for n, count in enumerate(CHOSEN.counts):
        here = [found[:, n, figure] for found in curves.values() for figure in (0, 1)]
        cells = [f"{one.mean():.3f} ± {one.std(ddof=1):.3f}" for one in here]
        lines.append(f"| {count:,} | {' | '.join(cells)} |")
    cells = [percent(share) for shares in shares_of(curves).values() for share in shares]
    lines.append(f"| needed for what {TARGET:,} random ones reach | {' | '.join(cells)} |")
    return "\n".join([f"The {mix} mix, {len(curves[RANDOM])} runs:", "", *lines])


def tuning_table(mix: str, curves: dict[Way, Floats]) -> str:
    """Render the share of labels that each way needs, and what it reaches."""
    lines = [
        "| way | as tagged: needed | best threshold: needed "
        f"| as tagged, at 700 | best threshold, at 700 | as tagged, at {TARGET:,} |",
        "|---|---|---|---|---|---|",
    ]
    for way, shares in shares_of(curves).items():
        mean = curves[way].mean(axis=0)
        at_700 = mean[way.counts.index(700)]
        cells = [*map(percent, shares), *(f"{n:.3f}" for n in [*at_700, mean[-1, 0]])]
        lines.append(f"| {way} | {' | '.join(cells)} |")
    return "\n".join([f"The {mix} mix, {len(curves[Way('random')])} runs each:", "", *lines])


def percent(share: float) -> str:
    """Render a share of the labels."""
    return f"{share:.0%}" if share < np.inf else "more"


def draw(curves: dict[Way, Floats], path: Path) -> None:
    """Draw the mean curves, with standard errors."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams.update({"svg.hashsalt": "label-queue", "font.size": 10})
    figure = Figure(figsize=(8.4, 3.6), layout="constrained")
    for axes, n, name in zip(
        figure.subplots(1, 2), (0, 1), ("as tagged", "best threshold"), strict=True
    ):
        for way, found in curves.items():
            mean = found[:, :, n].mean(axis=0)
            error = found[:, :, n].std(axis=0, ddof=1) / np.sqrt(len(found))
            axes.plot(way.counts, mean, "o-", label=str(way), markersize=4)
            axes.fill_between(way.counts, mean - error, mean + error, alpha=0.2)
        axes.set_xlabel("labels")
        axes.set_ylabel(f"micro-F1, {name}")
        axes.grid(color="#e3e7ec", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="lower right")
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    sys.exit(main())
