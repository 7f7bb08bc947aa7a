"""How good the model is on real text that it has not seen: before and now, by source, genre, topic.

    python benchmarks/quality/unseen.py                          all that takes minutes
    python benchmarks/quality/unseen.py --across FOLDER --pool DUMP --base FOLDER
        and from one archive to the other, which needs a network fine-tuned on each (the
        extra "neural"; `FOLDER` keeps the steps, see `topicml distill`)

Needs the texts of the labels by reference (`topicml labels fetch`). The model as it was is
tested on all real sentences, of which it was trained on none; the recipe of today by grouped
cross-validation over documents, each fold from a background model that has not seen it, tagged
as `classify` does. The figures go to `unseen.json` and into the tables of `docs/quality.md`.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.append(str(Path(__file__).parents[1]))  # for what all benchmarks share
from markdown_tables import write_between

from topicml.files import write_text
from topicml.models.background import background_folder, choose_background, read_background
from topicml.models.folder import open_model
from topicml.models.parameters import tuned_parameters
from topicml.models.store import DEFAULT_MODEL, ModelStore
from topicml.tagging.tagger import tag_sentences
from topicml.taxonomy import load_taxonomy
from topicml.training.background import Background
from topicml.training.cross_validation import splits_of
from topicml.training.dataset import Dataset, load_dataset
from topicml.training.evaluation import Predictions, cross_validated_predictions
from topicml.training.export import make_scorer
from topicml.training.features import Parameters
from topicml.training.fit import fit_model
from topicml.training.search import nested_predictions, settings_for

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LABELS = ROOT / "data/labels"
STORE = ModelStore(ROOT / "models")
BEFORE = "1.1.0"
FIGURES = {
    "micro_f1": "micro F1",
    "macro_average_precision": "mAP",
    "false_tag_rate": "false tags",
    "expected_calibration_error": "ECE",
}
ARCHIVES = {
    "White House": "brian14708/wh-briefings",
    "Australian Prime Ministers": "wragge/pm-transcripts",
}
GENRES = {
    "press briefings": ("press-briefings",),
    "speeches": ("speeches-remarks", "remarks"),
    "releases": (
        *("statements-releases", "presidential-actions", "articles", "fact-sheets"),
        *("briefings-statements", "releases", "blog"),
    ),
}
Rows = NDArray[np.bool_]


def main(arguments: list[str] | None = None) -> int:
    """Measure, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--across", type=Path, help="folder for the networks of each archive")
    parser.add_argument("--pool", type=Path, help="dump of `topicml labels documents`")
    parser.add_argument("--base", type=Path, help="folder of the network to start from")
    options = parser.parse_args(arguments)
    taxonomy = load_taxonomy(LABELS / "taxonomy.toml")
    data = load_dataset(sorted(LABELS.glob("*.jsonl")), taxonomy)
    real = data.subset(data.sources == "archive")
    if not len(real):
        print("no texts of labels by reference: run topicml labels fetch", file=sys.stderr)
        return 1
    path = HERE / "unseen.json"
    kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
    result = {"sentences": len(real), "documents": len(set(real.groups.tolist()))}
    result |= compare(data, real)
    if options.across:
        result["across"] = across(data, real, options)
    elif "across" in kept:
        result["across"] = kept["across"]
    write_text(path, json.dumps(result, indent=2) + "\n")
    publish(result, ROOT / "docs/quality.md")
    return 0


def compare(data: Dataset, real: Dataset) -> dict[str, Any]:
    """Predict the real sentences with the model before, and with today's recipe."""
    taxonomy = load_taxonomy(LABELS / "taxonomy.toml")
    background = choose_background(STORE, DEFAULT_MODEL, taxonomy, "own")
    parameters = tuned_parameters(STORE, DEFAULT_MODEL, taxonomy, background=True)
    now = cross_validated_predictions(data, "article", parameters, background, jobs=2)
    alone = retrained_alone(data, parameters, background)
    only_archives = data.sources[data.articles] == "archive"
    both = {
        "before": predict_with(open_model(STORE.path(DEFAULT_MODEL, BEFORE)).scorer, real),
        "now": rows_of(now, only_archives),
    }
    parts: dict[str, Rows] = {"all": np.ones(len(real), dtype=np.bool_), "random": real.drawn}
    parts |= {name: starts(real, repository) for name, repository in ARCHIVES.items()}
    parts |= {name: in_folders(real, folders) for name, folders in GENRES.items()}
    return {
        "parts": {
            name: {which: figures(rows_of(p, rows)) for which, p in both.items()}
            for name, rows in parts.items()
        },
        "alone": {name: figures(rows_of(alone, parts[name])) for name in ("all", "random")},
        "topics": {
            which: {t.topic: [t.support, t.f1, t.average_precision] for t in p.evaluate().topics}
            for which, p in both.items()
        },
    }


def retrained_alone(
    data: Dataset, parameters: Parameters | None, background: Background | None
) -> Predictions:
    """Predict the real sentences with what a clone without their texts trains.

    It has the project's own sentences and the background; each fold without its documents.
    """
    real = data.sources == "archive"
    own = [(train[~real[train]], test[real[test]]) for train, test in splits_of(data, background)]
    settings = settings_for(parameters, background, data.scheme)
    probabilities, tags = nested_predictions(data, own, settings, background=background, jobs=2)
    return Predictions(
        "", data.topics, data.Y[real], probabilities[real], tags[real], data.groups[real]
    )


def predict_with(scorer: Any, data: Dataset) -> Predictions:
    """Tag sentences with a finished model."""
    probabilities, given, _ = tag_sentences(scorer, data.texts)
    return Predictions("", data.topics, data.Y, probabilities, given.astype(np.int8), data.groups)


def rows_of(predictions: Predictions, rows: Rows) -> Predictions:
    """Return the predictions of some sentences."""
    return replace(
        predictions,
        Y=predictions.Y[rows],
        probabilities=predictions.probabilities[rows],
        tags=predictions.tags[rows],
        documents=predictions.documents[rows],
        sources=None if predictions.sources is None else predictions.sources[rows],
        lengths=None if predictions.lengths is None else predictions.lengths[rows],
        drawn=None if predictions.drawn is None else predictions.drawn[rows],
    )


def figures(predictions: Predictions) -> dict[str, Any]:
    """Return the compared figures, each with its interval."""
    headlines = predictions.evaluate().headlines
    found: dict[str, Any] = {"sentences": len(predictions.Y)}
    for name in FIGURES:
        row = headlines[name]
        found[name] = [None if v is None else round(v, 4) for v in (row.value, row.low, row.high)]
    return found


def starts(data: Dataset, repository: str) -> Rows:
    """Return which sentences are of an archive."""
    return np.array([group.startswith(f"{repository}/") for group in data.groups], dtype=np.bool_)


def in_folders(data: Dataset, folders: tuple[str, ...]) -> Rows:
    """Return which sentences are of documents in one of an archive's folders."""
    return np.array([group.split("/")[2] in folders for group in data.groups], dtype=np.bool_)


def across(data: Dataset, real: Dataset, options: argparse.Namespace) -> dict[str, Any]:
    """Train on one archive and the project's own sentences, test on the other archive."""
    from topicml.io.records import Fields, ReadOptions
    from topicml.models.distill import Distillation, DistillSettings
    from topicml.network.base import MPNET, base_folder
    from topicml.training.pool import read_pool

    reading = ReadOptions(Fields("text", "id", None))
    pool = read_pool([str(options.pool)], reading, without=data.texts, count=200_000)
    found = {}
    for name, repository in ARCHIVES.items():
        train = data.subset((data.sources != "archive") | starts(data, repository))
        inside = [d.startswith(f"{repository}/") for d in pool.documents]
        own = replace(
            pool,
            texts=tuple(t for t, keep in zip(pool.texts, inside, strict=True) if keep),
            documents=tuple(d for d, keep in zip(pool.documents, inside, strict=True) if keep),
        )
        work = options.across / repository.partition("/")[0]
        distillation = Distillation(
            *(train, own, MPNET, base_folder(MPNET, options.base), work),
            *(DistillSettings(folds=2), {}),
        )
        store = ModelStore(work / "models")
        distillation.run(store, DEFAULT_MODEL)
        background = read_background(background_folder(store, DEFAULT_MODEL))
        parameters = tuned_parameters(
            STORE, DEFAULT_MODEL, load_taxonomy(LABELS / "taxonomy.toml"), background=True
        )
        fitted = fit_model(train, parameters, background)
        test = real.subset(~starts(real, repository))
        scorer = make_scorer(fitted.pipeline, data.topics, fitted.decision)
        found[name] = figures(predict_with(scorer, test))
    return found


def publish(result: dict[str, Any], path: Path) -> None:
    """Write the tables of ``docs/quality.md``."""
    write_between(path, "unseen", parts_table(result))
    write_between(path, "unseen-topics", topics_table(result["topics"]))
    if "across" in result:
        write_between(path, "across", across_table(result))


def parts_table(result: dict[str, Any]) -> str:
    """Render figures of the whole and of its parts, before and now."""
    lines = [
        f"| sentences | | | {' | '.join(FIGURES.values())} |",
        f"|---|---|---|{'---|' * len(FIGURES)}",
    ]
    for name, both in result["parts"].items():
        for which, row in both.items():
            start = f"{name} | {row['sentences']:,}" if which == "before" else " | "
            lines.append(f"| {start} | {which} | {' | '.join(cell(row[f]) for f in FIGURES)} |")
        if name in result["alone"]:
            row = result["alone"][name]
            lines.append(
                f"|  |  | own labels alone | {' | '.join(cell(row[f]) for f in FIGURES)} |"
            )
    return "\n".join(lines)


def topics_table(topics: dict[str, dict[str, list[float]]]) -> str:
    """Render F1 and average precision of each topic, before and now."""
    lines = ["| topic | support | F1 before | F1 now | AP before | AP now |", "|---" * 6 + "|"]
    for topic, (support, f1, precision) in topics["now"].items():
        _, old_f1, old_precision = topics["before"][topic]
        lines.append(
            f"| {topic} | {support} | {old_f1:.2f} | {f1:.2f} "
            f"| {old_precision:.2f} | {precision:.2f} |"
        )
    return "\n".join(lines)


def across_table(result: dict[str, Any]) -> str:
    """Render what a model learned from one archive is worth on the other."""
    lines = [
        f"| trained on | sentences tested | {' | '.join(FIGURES.values())} |",
        f"|---|---|{'---|' * len(FIGURES)}",
    ]
    for name, row in result["across"].items():
        cells = " | ".join(cell(row[f]) for f in FIGURES)
        lines.append(f"| {name} | {row['sentences']:,} of the other | {cells} |")
    return "\n".join(lines)


def cell(figure: list[float | None]) -> str:
    """Render a figure with its interval."""
    value, low, high = figure
    return "–" if value is None else f"{value:.3f} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    sys.exit(main())
