"""What each round of authored sentences brought, on labelled sentences of other writers.

For each round the project's recipe is trained on the articles and all rounds up to it, and
evaluated on a file of real sentences that is never trained on:

    python benchmarks/quality/rounds.py --data FILE.jsonl

The last row is the finished model, as `topicml evaluate --data FILE.jsonl` scores it.
Rewrites `rounds.json` and the table in `docs/quality.md`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))  # for what all benchmarks share
from markdown_tables import write_between

from topicml.labels.records import read_labels
from topicml.models import default_store, open_model
from topicml.scoring.scorer_file import load_scorer
from topicml.taxonomy import load_taxonomy
from topicml.training.dataset import Dataset, load_dataset, make_dataset
from topicml.training.evaluation import evaluate_model
from topicml.training.export import export_scorer
from topicml.training.features import Parameters
from topicml.training.fit import fit_model

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LABELS = ROOT / "data/labels"
FIGURES = (
    "micro_f1",
    "macro_f1",
    "macro_average_precision",
    "false_tag_rate",
    "expected_calibration_error",
)


def train_and_evaluate(train: Dataset, test: Dataset, parameters: Parameters) -> dict[str, object]:
    """Fit the recipe; return the figures on the test sentences."""
    fitted = fit_model(train, parameters)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scorer.npz"
        export_scorer(fitted.pipeline, train.topics, fitted.decision, path)
        return headline_row(len(train), evaluate_model(load_scorer(path), test))


def headline_row(sentences: int, evaluation) -> dict[str, object]:
    """Return the figures with their intervals, rounded for print."""
    row: dict[str, object] = {"sentences": sentences}
    for name in FIGURES:
        interval = evaluation.headlines[name]
        row[name] = [round(x, 3) for x in (interval.value, interval.low, interval.high)]
    return row


def run(path: Path) -> list[dict[str, object]]:
    """Return a row of figures per round, and one of the finished model."""
    taxonomy = load_taxonomy(LABELS / "taxonomy.toml")
    test = load_dataset([path], taxonomy)
    articles = read_labels(LABELS / "articles.jsonl")
    authored = read_labels(LABELS / "authored.jsonl")
    store = default_store()
    model = open_model(store.find())
    parameters = Parameters.from_dict(model.manifest["parameters"])
    rows = [{"round": 0, **train_and_evaluate(make_dataset(articles, taxonomy), test, parameters)}]
    last = max(record.round or 0 for record in authored)
    for number in range(1, last):
        records = articles + [r for r in authored if (r.round or 0) <= number]
        data = make_dataset(records, taxonomy)
        rows.append({"round": number, **train_and_evaluate(data, test, parameters)})
        print(rows[-1], flush=True)
    count = model.manifest["labels"]["sentences"]
    rows.append({"round": last, **headline_row(count, evaluate_model(model.scorer, test))})
    return rows


def table(rows: list[dict[str, object]]) -> str:
    """Render the rows as Markdown."""
    names = " | ".join(name.replace("_", " ") for name in FIGURES)
    lines = [f"| round | sentences | {names} |", "|---|---|" + "---|" * len(FIGURES)]
    for row in rows:
        cells = [f"{v:.3f} ({low:.2f} to {high:.2f})" for v, low, high in (row[n] for n in FIGURES)]
        lines.append(f"| {row['round']} | {row['sentences']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def per_doubling(rows: list[dict[str, object]], figure: str) -> float:
    """Return what a doubling of the labels brings, by a straight line over log2(sentences)."""
    authored = [row for row in rows if row["round"] >= 2]
    x = np.log2([row["sentences"] for row in authored])
    return float(np.polyfit(x, [row[figure][0] for row in authored], 1)[0])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="labelled sentences to test on")
    result = run(parser.parse_args().data)
    gains = {name: round(per_doubling(result, name), 3) for name in FIGURES[:3]}
    (HERE / "rounds.json").write_text(
        json.dumps({"rounds": result, "per_doubling": gains}, indent=2) + "\n", encoding="utf-8"
    )
    write_between(ROOT / "docs/quality.md", "rounds", table(result))
    print(table(result), gains, sep="\n")
