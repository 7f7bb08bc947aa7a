"""How often 95 % intervals hold the true value, where that is known.

    python benchmarks/quality/coverage.py [--replications 1000] [--jobs 2]

Needs no text. A population of documents stands for all there are; samples of 5 to 60 are drawn
from it, with replacement, and evaluated as `evaluate` and `compare` do. Three populations:

- documents: the 9,013 real sentences of `data/labels/real.jsonl` in their 1,790 documents of 1 to
  19 sentences, as the background says of them out of fold, with calibration and thresholds as a
  training chooses them; the other model of a comparison is the background that has learned them.
- months: the same in fewer and larger groups of very different sizes, by folder and month.
- synthetic: 4,000 made-up documents of 1 to 120 sentences, each with subjects, difficulty and
  errors of its own, so that sentences of a document are much alike.

The figures go to `coverage.json` and into the table of `benchmarks/quality/README.md`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.append(str(Path(__file__).parents[1]))  # for what all benchmarks share
from markdown_tables import write_between

from topicml.files import write_text
from topicml.models.background import read_background
from topicml.training.calibration import choose_decision
from topicml.training.evaluation import Predictions
from topicml.training.intervals import Jackknife, leave_one_out
from topicml.training.metrics import TOPIC_FIGURES, Documents
from topicml.training.natural_mix import natural_weights
from topicml.training.paired import compare_predictions

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
POPULATIONS = ("documents", "months", "synthetic")
SIZES = {5: 1.0, 10: 1.0, 20: 0.6, 60: 0.4}
"""Documents of a sample, and the share of the replications that it gets."""

CANDIDATES = ("percentile bootstrap", "jackknife, t", "jackknife, t of logit", "as shipped")
Floats = NDArray[np.float64]
Rows = list[NDArray[np.intp]]


@dataclass(frozen=True)
class Population:
    """Two models' predictions for all documents, and the rows of each document."""

    old: Predictions
    new: Predictions
    documents: Rows

    def sample(self, size: int, rng: np.random.Generator) -> tuple[Predictions, Predictions]:
        """Draw documents; one that is drawn twice is two documents."""
        drawn = [self.documents[i] for i in rng.integers(len(self.documents), size=size)]
        rows = np.concatenate(drawn)
        names = np.repeat(np.arange(size), [len(d) for d in drawn]).astype(np.str_)
        return predictions_of(self.old, rows, names), predictions_of(self.new, rows, names)


def predictions_of(whole: Predictions, rows: NDArray[np.intp], names: NDArray[np.str_]) -> Any:
    """Return the predictions of some rows, as of documents of the given names."""
    return Predictions(
        *("", whole.topics, whole.Y[rows], whole.probabilities[rows], whole.tags[rows], names)
    )


@cache
def population(name: str) -> Population:
    """Make one of the ``POPULATIONS``."""
    if name == "synthetic":
        return made_up(np.random.default_rng(1))
    background = read_background(ROOT / "models/alliance-topics/background")
    column = {topic: i for i, topic in enumerate(background.topics)}
    rows, labels, groups, drawn = [], [], [], []
    for line in (ROOT / "data/labels/real.jsonl").read_text("utf-8").splitlines():
        record = json.loads(line)
        row = background.seen.get(record["sha1"])
        if row is None or record["status"] == "skipped":
            continue
        rows.append(row)
        labels.append([topic in record["topics"] for topic in column])
        groups.append(month_of(record["path"]) if name == "months" else record["path"])
        drawn.append(record["chosen"] == "random")
    Y, at = np.array(labels, dtype=np.int8), np.array(rows)
    folds = background.folds[at]
    sides = [
        decided(background.topics, Y, background.log_odds[fold, at].astype(float), np.array(drawn))
        for fold in (folds, (folds + 1) % len(background.log_odds))  # out of fold, and learned
    ]
    return Population(*sides, rows_by(np.array(groups)))


def month_of(path: str) -> str:
    """Return the folder and month of a document; a run of 150 numbers where there is no month."""
    *folders, file = path.split("/")
    if folders[0] == "transcripts":
        return f"transcripts {int(file.split('-')[1].split('.')[0]) // 150}"
    return "/".join(folders[:2])


def decided(
    topics: tuple[str, ...], Y: NDArray[np.int8], log_odds: Floats, drawn: NDArray[np.bool_]
) -> Predictions:
    """Calibrate and tag as a training decides."""
    real = np.ones(len(Y), dtype=np.bool_)
    decision = choose_decision(Y, log_odds, natural_weights(log_odds, real, drawn))
    said = decision.calibrated(log_odds)
    tags = (said[:, :-1] >= decision.thresholds) & (said[:, -1:] >= decision.relevance_threshold)
    nobody = np.zeros(len(Y), dtype=np.str_)
    return Predictions("", topics, Y, said[:, :-1], tags.astype(np.int8), nobody)


def made_up(rng: np.random.Generator, count: int = 4000, topics: int = 9) -> Population:
    """Make documents whose sentences are alike in subjects, difficulty and errors."""
    sizes = np.clip(np.round(np.exp(rng.normal(2.2, 0.9, count))), 1, 120).astype(int)
    of = np.repeat(np.arange(count), sizes)
    shape = len(of), topics
    log_odds = np.linspace(-5.2, -2.7, topics) + rng.normal(0, 1.3, (count, topics))[of]
    log_odds = log_odds + rng.normal(0, 1.6, shape)
    Y = (rng.random(shape) < 1 / (1 + np.exp(-1.3 * log_odds))).astype(np.int8)
    difficulty = np.exp(rng.normal(0, 0.4, (count, 1)))
    bias = rng.normal(0, 0.6, (count, topics))
    sides = []
    for noise in (0.9, 0.7):
        said = log_odds + bias[of] + (difficulty[of] * noise) * rng.normal(size=shape)
        probabilities = 1 / (1 + np.exp(-said))
        tags = (probabilities > 0.4).astype(np.int8)
        names = tuple(f"topic {i}" for i in range(topics))
        sides.append(Predictions("", names, Y, probabilities, tags, np.zeros(len(Y), np.str_)))
    return Population(sides[0], sides[1], rows_by(of))


def rows_by(groups: NDArray[Any]) -> Rows:
    """Return the rows of each group."""
    _, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return np.split(np.argsort(inverse, kind="stable"), np.cumsum(counts)[:-1])


def intervals_of(old: Predictions, new: Predictions) -> Iterator[tuple[str, str, Any]]:
    """Yield kind, name and interval of every figure, and of every difference."""
    evaluation = old.evaluate()
    for name, interval in evaluation.headlines.items():
        yield name, name, interval
    for scores in evaluation.topics:
        for name in TOPIC_FIGURES:
            yield f"topic {name}", f"{scores.topic} {name}", scores.intervals[name]
    paired = compare_predictions(old, new)
    for name, row in paired.figures.items():
        yield f"difference of {name}", f"difference {name}", row
    for topic in paired.topics:
        yield "difference of topic f1", f"difference {topic.topic}", topic.f1


def value_of(interval: Any) -> float | None:
    """Return the value of an interval, or of a difference."""
    return interval.difference if hasattr(interval, "difference") else interval.value


@cache
def truth_of(name: str) -> dict[str, Any]:
    """Return the figures of a whole population."""
    whole = population(name)
    return {figure: value_of(i) for _, figure, i in intervals_of(whole.old, whole.new)}


def simulate(case: tuple[str, int, int], seed: int = 0) -> dict[str, Any]:
    """Return, by kind of figure, how often there was an interval, how often it held, its width."""
    name, size, replications = case
    whole = population(name)
    rng = np.random.default_rng(seed)
    truth = truth_of(name)
    seen: dict[str, list[tuple[bool, bool, float]]] = defaultdict(list)
    tried: dict[str, list[tuple[bool, ...]]] = defaultdict(list)
    for _ in range(replications):
        old, new = whole.sample(size, rng)
        found_here = list(intervals_of(old, new))
        for kind, figure, found in found_here:
            if value_of(found) is None:
                continue
            given = found.low is not None
            held = given and found.low <= truth[figure] <= found.high
            seen[kind].append((given, held, found.high - found.low if given else 0.0))
        for figure, held_by in candidates(old, {n: i for _, n, i in found_here}, truth, rng):
            tried[figure].append(held_by)
    return {
        "population": name,
        "documents": size,
        "replications": replications,
        "figures": {kind: summary(rows) for kind, rows in seen.items()},
        "candidates": {
            figure: dict(zip(CANDIDATES, np.round(np.mean(rows, axis=0), 3).tolist(), strict=True))
            for figure, rows in tried.items()
        },
    }


def summary(rows: list[tuple[bool, bool, float]]) -> dict[str, float | None]:
    """Return the share with an interval, and of those coverage and mean width."""
    given = [(held, width) for there, held, width in rows if there]
    held, width = np.round(np.mean(given, axis=0), 3).tolist() if given else (None, None)
    return {"given": round(len(given) / len(rows), 3), "covered": held, "width": width}


def candidates(
    sample: Predictions, shipped: dict[str, Any], truth: dict[str, Any], rng: np.random.Generator
) -> Iterator[tuple[str, tuple[bool, ...]]]:
    """Yield, for two figures, which ways to make an interval held the true value."""
    by = Documents.of(sample.documents)
    empty = ~sample.Y.any(axis=1)
    hits, either = 2 * (sample.tags & sample.Y).sum(axis=1), (sample.tags + sample.Y).sum(axis=1)
    columns = {
        "micro_f1": np.column_stack([hits, either]),
        "false_tag_rate": np.column_stack([empty & sample.tags.any(axis=1), empty]),
    }
    for figure, column in columns.items():
        interval = shipped[figure]
        if interval.low is None:
            continue
        totals = by.sums(column)
        part, all_ = leave_one_out(totals).T
        figures = Jackknife.of(part / all_, by.having(column[:, 1]))
        draws = rng.multinomial(by.count, np.full(by.count, 1 / by.count), size=400) @ totals
        some = draws[draws[:, 1] > 0]
        ends = [
            np.percentile(some[:, 0] / some[:, 1], [2.5, 97.5]),
            (figures.value - figures.reach, figures.value + figures.reach),
            logit_ends(figures),
            (interval.low, interval.high),
        ]
        yield figure, tuple(bool(low <= truth[figure] <= high) for low, high in ends)


def logit_ends(figure: Jackknife) -> tuple[float, float]:
    """Return the interval of a figure by Student's t on log-odds; of no width at 0 and 1."""
    value = figure.value
    if not 0 < value < 1:
        return value, value
    centre, reach = np.log(value / (1 - value)), figure.reach / (value * (1 - value))
    with np.errstate(over="ignore"):
        low, high = (float(1 / (1 + np.exp(-end))) for end in (centre - reach, centre + reach))
    return low, high


def coverage_table(results: list[dict[str, Any]]) -> str:
    """Render coverage by figure, population and documents; in brackets what is refused."""
    columns = list(product(POPULATIONS, SIZES))
    by_case = {(r["population"], r["documents"]): r["figures"] for r in results}
    times = ", ".join(f"{r['replications']} of {r['documents']}" for r in results[: len(SIZES)])
    lines = [
        f"Samples of each population: {times} documents.\n",
        "| figure | " + " | ".join(f"{name} {size}" for name, size in columns) + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    kinds = list(by_case[columns[-1]])
    for kind in kinds:
        cells = (coverage_cell(by_case[case].get(kind)) for case in columns)
        lines.append(f"| {kind.replace('_', ' ')} | {' | '.join(cells)} |")
    return "\n".join(lines)


def coverage_cell(row: dict[str, Any] | None) -> str:
    """Render coverage in per cent, and in brackets the share of samples without an interval."""
    if row is None or row["covered"] is None or row["given"] < 0.02:  # too few to say
        return "–"
    refused = f" ({1 - row['given']:.0%})" if row["given"] < 0.995 else ""
    return f"{100 * row['covered']:.1f}{refused}"


def candidates_table(results: list[dict[str, Any]]) -> str:
    """Render coverage of the ways that were tried, the least and the most of the populations."""
    lines = [
        "| figure | documents | " + " | ".join(CANDIDATES) + " |",
        "|---" * (len(CANDIDATES) + 2) + "|",
    ]
    for figure, size in product(("micro_f1", "false_tag_rate"), SIZES):
        found = [r["candidates"].get(figure, {}) for r in results if r["documents"] == size]
        cells = []
        for name in CANDIDATES:
            held = [100 * f[name] for f in found if name in f]
            cells.append(f"{min(held):.1f} to {max(held):.1f}" if held else "–")
        lines.append(f"| {figure.replace('_', ' ')} | {size} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Simulate, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args(arguments)
    cases = [
        (name, size, round(options.replications * share))
        for name, (size, share) in product(POPULATIONS, SIZES.items())
    ]
    with ProcessPoolExecutor(options.jobs) as pool:
        results = list(pool.map(partial(simulate, seed=0), cases))
    write_text(HERE / "coverage.json", json.dumps(results, indent=1) + "\n")
    write_between(HERE / "README.md", "coverage", coverage_table(results))
    write_between(HERE / "README.md", "coverage-candidates", candidates_table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
