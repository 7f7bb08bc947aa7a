"""What more labels, and more unlabelled text, would bring: learning curves on documents left out.

    python benchmarks/quality/curves.py --work FOLDER --pool DUMP

`FOLDER` is the work folder of `topicml distill`, with what the network without the first fold
said of the pool (docs/distill.md). Both curves are judged on the real sentences of that fold.
The figures go to `curves.json` and into the table of `docs/quality.md`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.append(str(Path(__file__).parents[1]))  # for what all benchmarks share
from markdown_tables import write_between

from topicml.files import write_text
from topicml.io.records import Fields, ReadOptions
from topicml.taxonomy import load_taxonomy
from topicml.training.background import Background, fit_background, fold_of
from topicml.training.cross_validation import cross_validate
from topicml.training.dataset import Dataset, load_dataset
from topicml.training.features import Parameters
from topicml.training.fit import fit_pipeline
from topicml.training.pool import read_pool
from topicml.training.search import score_candidate

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LABELS = ROOT / "data/labels"
FOLDS = 5
SHARES = (0.0, 0.125, 0.25, 0.5, 1.0)
ALONE = Parameters(min_df=2, nb_mixing=0.75)
ADAPTED = Parameters(background=True, min_df=3, C=1.0)

Rows = NDArray[np.intp]


def main(arguments: list[str] | None = None) -> int:
    """Measure both curves, and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="work folder of topicml distill")
    parser.add_argument("--pool", type=Path, required=True, help="the pool it was run with")
    options = parser.parse_args(arguments)
    data = load_dataset(sorted(LABELS.glob("*.jsonl")), load_taxonomy(LABELS / "taxonomy.toml"))
    folds = np.array([fold_of(group, FOLDS) for group in data.groups])
    train, test = np.flatnonzero(folds != 0), np.flatnonzero((folds == 0) & data.articles)
    result = {
        "test_sentences": len(test),
        "labels": [with_labels(data, train, test, share) for share in SHARES],
        "pool": [with_pool(data, train, test, share, options) for share in SHARES[1:]],
    }
    write_text(HERE / "curves.json", json.dumps(result, indent=2) + "\n")
    write_between(ROOT / "docs/quality.md", "curves", table(result))
    return 0


def with_labels(data: Dataset, train: Rows, test: Rows, share: float) -> list[float]:
    """Learn from the project's own sentences and a share of the real ones, without a background."""
    real = train[data.articles[train]]
    picked = np.random.default_rng(0).permutation(real)[: round(share * len(real))]
    rows = np.append(train[~data.articles[train]], picked)
    (log_odds,) = cross_validate(data, [ALONE], [(rows, test)])
    return [len(picked), score_candidate(ALONE, data.Y, log_odds).macro_average_precision]


def with_pool(
    data: Dataset, train: Rows, test: Rows, share: float, options: argparse.Namespace
) -> list[float]:
    """Start from a background of a share of the pool, and adapt it to all labels."""
    reading = ReadOptions(Fields("text", "id", None))
    pool = read_pool([str(options.pool)], reading, without=data.texts, count=200_000)
    soft = np.load(options.work / "soft-0-0.npy").astype(np.float32)
    kept = np.flatnonzero([fold_of(document, FOLDS) != 0 for document in pool.documents])
    picked = np.random.default_rng(0).permutation(kept)[: round(share * len(kept))]
    real = data.subset(train[data.articles[train]])
    blocks, intercepts = fit_background(
        *([pool.texts[i] for i in picked], soft[picked], real.texts, real.Y)
    )
    background = Background.of_nothing_seen(data.topics, blocks, intercepts)
    pipeline = fit_pipeline(data.subset(train), ADAPTED, background)
    held_out = data.subset(test)
    log_odds = pipeline[-1].log_odds(pipeline[:-1].transform(held_out.texts))
    found = score_candidate(ADAPTED, held_out.Y, log_odds)
    return [len(picked), found.macro_average_precision]


def table(result: dict[str, Any]) -> str:
    """Render both curves."""
    lines = [
        f"Mean average precision on {result['test_sentences']:,} real sentences of a fifth of the "
        "documents.",
        "",
        "| real labels, no background | mAP | unlabelled sentences, all labels | mAP |",
        "|---|---|---|---|",
    ]
    pool = [["–", None], *result["pool"]]
    for (labels, one), (sentences, other) in zip(result["labels"], pool, strict=True):
        right = "–" if other is None else f"{other:.3f}"
        count = sentences if other is None else f"{sentences:,}"
        lines.append(f"| {labels:,} | {one:.3f} | {count} | {right} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
