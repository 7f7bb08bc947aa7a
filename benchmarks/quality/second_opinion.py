"""What a second opinion is worth: quality against the share of sentences that are read again.

A fold of the documents is held out. The network of `train --kind network` that has not seen it
reads it, and so does the linear recipe, each fold from a background that has not seen it; both
decide by what was chosen on other documents. Then the share of ordinary sentences that the
network reads is raised from nothing to everything.

    topicml train --kind network --judged 1 --work train-work      its first training is enough
    python benchmarks/quality/second_opinion.py --work train-work

Picked sentences are weighted back to the mix of those drawn at random, so that a share is one of
ordinary text. The figures go to `second_opinion.json`, into docs/network.md, and into a picture.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import FeatureUnion

sys.path.append(str(Path(__file__).parents[1]))  # for what all benchmarks share
from markdown_tables import write_between

from topicml.files import write_text
from topicml.models.background import choose_background
from topicml.models.fold_networks import FoldNetworks
from topicml.models.parameters import tuned_parameters
from topicml.models.store import DEFAULT_MODEL, ModelStore
from topicml.models.tagger import SHARE
from topicml.network.base import MPNET, base_folder
from topicml.tagging.abstention import REASONS
from topicml.tagging.second_opinion import margin_for, margins
from topicml.taxonomy import load_taxonomy
from topicml.training.calibration import choose_decision, micro_f1
from topicml.training.cross_validation import splits_of
from topicml.training.dataset import FOLDS, Dataset, load_dataset
from topicml.training.features import Parameters, make_vectorizer
from topicml.training.held_out import decide_held_out, thresholds_of
from topicml.training.natural_mix import deciding_sentences, natural_weights
from topicml.training.search import search

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LABELS = ROOT / "data/labels"
PICTURE = "second_opinion.svg"
FOLD = 0
SHARES = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
_JUDGED = {None, "no_topic", "below_threshold"}  # what is worth a second reading

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Read:
    """What a model says of n held-out sentences.

    Attributes:
        given: n by T, which topics.
        margins: n.
        cutoffs: n by shares: up to which margin a sentence of its fold is read again.
    """

    given: NDArray[np.bool_]
    margins: Floats
    cutoffs: Floats


def main(arguments: list[str] | None = None) -> int:
    """Measure the curve; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="of train --kind network")
    parser.add_argument("--folds", type=int, default=3, help="that it had")
    parser.add_argument("--base", type=Path, help="folder of the base model")
    options = parser.parse_args(arguments)
    taxonomy = load_taxonomy(LABELS / "taxonomy.toml")
    data = load_dataset(sorted(LABELS.glob("*.jsonl")), taxonomy)
    networks = FoldNetworks(data, base_folder(MPNET, options.base), options.work, options.folds, 3)
    network = networks.log_odds_out_of_fold([FOLD])
    rows = np.flatnonzero(~np.isnan(network[:, 0]))
    judged = data.subset(rows)
    linear = linear_log_odds(data)
    real = judged.sources == "archive"
    weights = natural_weights(linear[rows], real, judged.drawn)
    first, second = read(data, linear, rows), read(judged, network[rows], np.arange(len(rows)))
    curve = list(points(judged, first, second, weights))
    result = {
        "held_out": {"sentences": int(real.sum()), "drawn": int(judged.drawn.sum())},
        "curve": curve,
        "random": list(points(judged, first, second, judged.drawn.astype(float))),
    }
    publish(result)
    return 0


def linear_log_odds(data: Dataset) -> Floats:
    """Return what the linear recipe says, each fold from a background that has not seen it."""
    store, taxonomy = ModelStore(ROOT / "models"), load_taxonomy(LABELS / "taxonomy.toml")
    background = choose_background(store, DEFAULT_MODEL, taxonomy, "own")
    parameters = tuned_parameters(store, DEFAULT_MODEL, taxonomy, background=True) or Parameters()
    splits = splits_of(data, background)
    return search(data, (parameters,), splits, background=background, jobs=2).log_odds


def read(data: Dataset, log_odds: Floats, wanted: NDArray[np.intp]) -> Read:
    """Decide sentences by what was chosen on other documents; return the wanted ones."""
    given = np.zeros(data.Y.shape, dtype=np.bool_)
    found, cutoffs = np.full(len(data), np.inf), np.zeros((len(data), len(SHARES)))
    for train, test in data.grouped_splits(FOLDS):
        decision = choose_decision(*deciding_sentences(data.subset(train), log_odds[train]))
        part = data.subset(test)
        words = words_of(data.subset(train))
        scores, given[test], codes = decide_held_out(part, log_odds[test], decision, words)
        can = np.array([REASONS[code] in _JUDGED for code in codes])
        own = margins(scores.probabilities, scores.relevance, thresholds_of(decision))
        found[test] = np.where(can, own, np.inf)
        cutoffs[test] = [margin_for(share, decision.margins) for share in SHARES]
    return Read(given[wanted], found[wanted], cutoffs[wanted])


def words_of(data: Dataset) -> FeatureUnion:
    """Return a vectoriser that knows the words of sentences."""
    made: FeatureUnion = make_vectorizer(
        Parameters(word_ngrams=(1, 1), char_ngrams=None, min_df=1)
    ).fit(data.texts)
    return made


def points(data: Dataset, first: Read, second: Read, weights: Floats) -> Iterator[dict[str, float]]:
    """Yield figures for more and more sentences that are read again."""
    empty = weights * ~data.Y.any(axis=1)
    for n, share in enumerate(SHARES):
        again = first.margins <= first.cutoffs[:, n]
        given = np.where(again[:, None], second.given, first.given)
        row = {
            "share": share,
            "read": float(weights @ again / weights.sum()),
            "micro_f1": micro_f1(data.Y, given, weights),
            "false_tag_rate": float(empty @ given.any(axis=1) / empty.sum()),
        }
        yield {name: round(value, 4) for name, value in row.items()}


def publish(result: dict[str, Any]) -> None:
    """Write the figures, the table and the picture."""
    write_text(HERE / "second_opinion.json", json.dumps(result, indent=2) + "\n")
    text = table(result)
    print(text)
    write_between(ROOT / "docs/network.md", "second-opinion", text)
    draw(result["curve"], HERE / PICTURE)


def gains(curve: list[dict[str, float]]) -> list[float]:
    """Return how much of what reading everything again gains each point has."""
    nothing, everything = curve[0]["micro_f1"], curve[-1]["micro_f1"]
    return [(row["micro_f1"] - nothing) / (everything - nothing) for row in curve]


def table(result: dict[str, Any]) -> str:
    """Return the curve as a Markdown table."""
    lines = [
        "| share asked for | read again | micro-F1 | of the gain | false tags |",
        "|---" * 5 + "|",
    ]
    lines += [
        f"| {row['share']:.0%}{' (default)' if row['share'] == SHARE else ''} | {row['read']:.1%} "
        f"| {row['micro_f1']:.3f} | {gain:.0%} | {row['false_tag_rate']:.3f} |"
        for row, gain in zip(result["curve"], gains(result["curve"]), strict=True)
    ]
    return "\n".join(lines)


def draw(curve: list[dict[str, float]], path: Path) -> None:
    """Draw quality against the share that is read again."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams.update({"svg.hashsalt": "second opinion", "font.size": 10})
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.plot([row["read"] for row in curve], [row["micro_f1"] for row in curve], "o-")
    (default,) = [row for row in curve if row["share"] == SHARE]
    axes.annotate(
        "default",
        (default["read"], default["micro_f1"]),
        xytext=(8, -14),
        textcoords="offset points",
    )
    axes.set_xlabel("share of ordinary sentences that the network reads")
    axes.set_ylabel("micro-F1")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.grid(color="#e3e7ec", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    sys.exit(main())
