"""Learning curves: how good is a model of fewer real labels, or of less unlabelled text?

One fold of documents is held out, as in a run of `topicml distill`: the teacher of its work
folder has not seen it. Both curves are judged on its real sentences.

- Labels: the project's recipe without a background, on the sentences written for training and on
  the real sentences of more and more documents.
- Pool: a background from more and more soft-labelled sentences and all labels of the other
  folds, and what `train` makes of it.

    topicml labels documents pool.jsonl
    topicml distill --pool pool.jsonl --work distill-work      its first fold is enough
    python benchmarks/quality/curves.py --pool pool.jsonl --work distill-work

The figures go to `curves.json`, into docs/quality.md, and into a picture.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

sys.path.append(str(Path(__file__).parents[1]))  # for what all benchmarks share
from markdown_tables import write_between

from topicml.files import write_text
from topicml.io.records import ReadOptions
from topicml.taxonomy import load_taxonomy
from topicml.training.background import Background, fit_background, fold_of
from topicml.training.calibration import micro_f1
from topicml.training.dataset import Dataset, load_dataset
from topicml.training.features import AdaptedClassifier, Parameters
from topicml.training.fit import fit_pipeline
from topicml.training.pool import read_pool

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LABELS = ROOT / "data/labels"
PARAMETERS = ROOT / "models/alliance-topics/parameters.json"
PICTURE = "curves.svg"
FOLD = 0
REAL_LABELS = (0, 500, 1_000, 2_000, 4_000)
POOL = (0, 5_000, 15_000, 30_000)
DRAWS = 3  # of documents, for each number of labels

Floats = NDArray[np.float64]


def main(arguments: list[str] | None = None) -> int:
    """Measure both curves; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pool", required=True, help="the file that distill read")
    parser.add_argument("--work", type=Path, required=True, help="work folder of distill")
    options = parser.parse_args(arguments)
    settings = json.loads((options.work / "manifest.json").read_text("utf-8"))
    data = load_dataset(sorted(LABELS.glob("*.jsonl")), load_taxonomy(LABELS / "taxonomy.toml"))
    groups = np.array([fold_of(g, settings["settings"]["folds"]) for g in data.groups.tolist()])
    train = data.subset(groups != FOLD)
    known = {*train.texts}
    elsewhere = np.array([text in known for text in data.texts])
    test = data.subset((groups == FOLD) & (data.sources == "archive") & ~elsewhere)
    if not len(test):
        print("the texts of the real labels are not here: topicml labels fetch", file=sys.stderr)
        return 1
    result = {
        "held_out": {"sentences": len(test), "documents": len({*test.groups.tolist()})},
        "labels": list(label_curve(train, test)),
        "pool": list(pool_curve(data, train, test, options, settings)),
    }
    publish(result)
    return 0


def label_curve(train: Dataset, test: Dataset) -> Iterator[dict[str, Any]]:
    """Yield figures for more and more real labels, of whole documents drawn at random."""
    real = train.sources == "archive"
    for wanted in (*REAL_LABELS, int(real.sum())):
        draws = DRAWS if 0 < wanted < real.sum() else 1
        found = []
        for seed in range(draws):
            part = train.subset(~real | some_documents(train, real, wanted, seed))
            pipeline = fit_pipeline(part, Parameters(), None)
            log_odds = pipeline[-1].log_odds(pipeline[:-1].transform(test.texts))
            found.append(figures(test, log_odds))
        yield say({"labels": wanted, "draws": draws, **mean(found)})


def some_documents(
    train: Dataset, real: NDArray[np.bool_], wanted: int, seed: int
) -> NDArray[np.bool_]:
    """Return the first real sentences, as many as wanted, of documents in random order."""
    names = sorted({*train.groups[real].tolist()})
    random.Random(seed).shuffle(names)  # noqa: S311
    place = {name: n for n, name in enumerate(names)}
    order = sorted(np.flatnonzero(real).tolist(), key=lambda row: place[train.groups[row]])
    chosen = np.zeros(len(train), dtype=np.bool_)
    chosen[order[:wanted]] = True
    return chosen


def pool_curve(
    data: Dataset,
    train: Dataset,
    test: Dataset,
    options: argparse.Namespace,
    settings: dict[str, Any],
) -> Iterator[dict[str, Any]]:
    """Yield figures for more and more soft-labelled sentences."""
    pool = read_pool(
        [options.pool], ReadOptions(), without=data.texts, count=settings["pool_sentences"]
    )
    soft = np.load(options.work / f"soft-{FOLD}-0.npy").astype(np.float32)
    count = settings["settings"]["folds"]
    kept = np.flatnonzero([fold_of(group, count) != FOLD for group in pool.documents])
    order = np.random.default_rng(0).permutation(kept)
    own = train.subset(train.articles)
    for wanted in (*POOL, len(kept)):
        rows = np.sort(order[:wanted])
        blocks, intercepts = fit_background(
            [pool.texts[row] for row in rows], soft[rows], own.texts, own.Y
        )
        known = Background.of_nothing_seen(data.topics, blocks, intercepts)
        alone = figures(test, known.predict(test.texts))
        adapted = figures(test, adapt(known, train, test))
        yield say(
            {"sentences": wanted, "background": alone["mAP"], **adapted}  # of the adapted one
        )


def adapt(known: Background, train: Dataset, test: Dataset) -> Floats:
    """Return the log-odds that train's correction gives; the background knows these labels."""
    parameters = Parameters.from_dict(json.loads(PARAMETERS.read_text(encoding="utf-8")))
    vectorizer = known.vectorizer(train.texts, parameters.min_df)
    prior = known.extended_coefficients(vectorizer), known.intercepts
    X = vectorizer.transform(train.texts).tocsr()
    classifier = AdaptedClassifier(parameters.C).fit(X, train.Y, prior)
    return classifier.log_odds(vectorizer.transform(test.texts))


def figures(test: Dataset, log_odds: Floats) -> dict[str, float]:
    """Return mean average precision, and the micro-F1 of the best single threshold."""
    scores = log_odds[:, :-1]
    cuts = np.quantile(scores, np.linspace(0.5, 0.999, 200))
    return {
        "mAP": float(average_precision_score(test.Y, scores)),
        "best_micro_f1": max(micro_f1(test.Y, scores >= cut) for cut in cuts),
    }


def mean(found: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each figure."""
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


def say(row: dict[str, Any]) -> dict[str, Any]:
    """Print a point of a curve; return it rounded."""
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}
    print(json.dumps(rounded), flush=True)
    return rounded


def publish(result: dict[str, Any]) -> None:
    """Write the figures, the tables and the picture."""
    write_text(HERE / "curves.json", json.dumps(result, indent=2) + "\n")
    write_between(ROOT / "docs/quality.md", "curves", tables(result))
    draw(result, HERE / PICTURE)


def tables(result: dict[str, Any]) -> str:
    """Return both curves as Markdown tables."""
    lines = ["| real labels | mAP | best micro-F1 |", "|---|---|---|"]
    lines += [
        f"| {row['labels']:,} | {row['mAP']:.3f} | {row['best_micro_f1']:.3f} |"
        for row in result["labels"]
    ]
    head = "| soft-labelled sentences | background: mAP | adapted: mAP | best micro-F1 |"
    lines += ["", head, "|---|---|---|---|"]
    lines += [
        f"| {row['sentences']:,} | {row['background']:.3f} | {row['mAP']:.3f} "
        f"| {row['best_micro_f1']:.3f} |"
        for row in result["pool"]
    ]
    return "\n".join(lines)


def draw(result: dict[str, Any], path: Path) -> None:
    """Draw both curves side by side, on one scale."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams.update({"svg.hashsalt": "curves", "font.size": 10})
    figure = Figure(figsize=(8.4, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    line(left, result["labels"], "labels", "mAP", "no background")
    line(right, result["pool"], "sentences", "mAP", "adapted to the labels")
    line(right, result["pool"], "sentences", "background", "background alone")
    left.set_xlabel("real labels")
    left.set_ylabel("mean average precision")
    right.set_xlabel("soft-labelled sentences")
    for axes in (left, right):
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.grid(color="#e3e7ec", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="lower right")
    figure.savefig(path, metadata={"Date": None})


def line(axes: Any, rows: Sequence[dict[str, Any]], x: str, y: str, name: str) -> None:
    """Draw one curve."""
    axes.plot([row[x] for row in rows], [row[y] for row in rows], "o-", label=name, markersize=5)


if __name__ == "__main__":
    sys.exit(main())
