"""How many labels that were made wrong on purpose does `topicml labels issues` list first?

    python benchmarks/quality/label_issues.py

200 labels of the real sentences are changed, all other labels stay, and the command's rows on the
real sentences are counted. Three ways to change one, of sentences drawn at random:

- `cell`: one topic, drawn from all, is added where it is not there and removed where it is.
- `half`: a coin says whether one of the sentence's topics is removed or another one added; where
  it has none, one is added.
- `swap`: the sentence gets the topics of another one, drawn from those with other topics.

The recipe starts from the background model. What a fold starts from has seen neither its labels
nor its texts, but it was taught with the other folds' labels as they were before the change; so
`--no-background` measures a start from nothing, too. The score was chosen on seeds 100 to 109;
the figures are of others. `--estimate` predicts once, by all labels, and then changes labels, for
ten seeds. Needs the extra labels, and the texts of the labels by reference (`topicml labels
fetch`); without them it changes 200 of the sentences written for training.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))  # for what all benchmarks share
from markdown_tables import write_between
from measuring import environment

from topicml.files import write_text
from topicml.labels.records import LabelRecord, write_labels
from topicml.labels.store import read_label_files
from topicml.models.label_issues import find_label_issues
from topicml.models.parameters import choose_start
from topicml.models.store import DEFAULT_MODEL, ModelStore
from topicml.taxonomy import load_taxonomy
from topicml.training.dataset import load_dataset, make_dataset
from topicml.training.features import Parameters
from topicml.training.label_quality import out_of_fold_probabilities

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FIGURES = HERE / "label_issues.json"
LABELS = ROOT / "data/labels"
CHANGED = 200
ROWS = (100, 200, 400)
WAYS = ("cell", "half", "swap")
SEEDS = (1, 2)
ESTIMATED = range(1, 11)


def main(arguments: list[str] | None = None) -> int:
    """Measure, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--sentences", type=int, help="to try: so many sentences")
    parser.add_argument("--ways", nargs="*", default=WAYS, help="these again; the others stay")
    parser.add_argument("--seeds", nargs="*", type=int, default=SEEDS)
    parser.add_argument("--no-background", action="store_true", help="start from nothing")
    parser.add_argument("--estimate", action="store_true", help="predict once, for ten seeds")
    options = parser.parse_args(arguments)
    taxonomy = load_taxonomy(LABELS / "taxonomy.toml")
    records, source = labelled(options.sentences)
    if options.estimate:
        kept = kept_figures()
        write_text(FIGURES, json.dumps(kept | {"estimate": estimate(records)}, indent=2) + "\n")
        write_between(HERE / "README.md", "label-issues", table(kept_figures()))
        return 0
    for seed in options.seeds:
        for way in options.ways:
            changed = change(records, taxonomy.topic_ids, way, seed)
            background = None if options.no_background else "own"
            found = measure(records, changed, background, options.jobs)
            add({"way": way, "seed": seed, "background": background is not None} | found)
    about = {"source": source, "sentences": len(records), "changed": CHANGED}
    result = kept_figures() | about | environment(("cleanlab", "scikit-learn", "numpy"))
    write_text(FIGURES, json.dumps(result, indent=2) + "\n")
    write_between(HERE / "README.md", "label-issues", table(result))
    return 0


def kept_figures() -> dict[str, Any]:
    """Return what was measured so far."""
    kept = json.loads(FIGURES.read_text("utf-8")) if FIGURES.exists() else {}
    return {"runs": [], **kept}


def add(run: dict[str, Any]) -> None:
    """Keep a run in place of an earlier one of its kind."""
    print(json.dumps(run), flush=True)
    same, kept = ("background", "way", "seed"), kept_figures()
    others = [one for one in kept["runs"] if any(one[key] != run[key] for key in same)]
    runs = sorted([*others, run], key=lambda one: (not one["background"], one["way"], one["seed"]))
    write_text(FIGURES, json.dumps(kept | {"runs": runs}, indent=2) + "\n")


def estimate(records: Sequence[LabelRecord]) -> dict[str, dict[str, list[float]]]:
    """Return the shares found over ten seeds, with what all labels predict unchanged.

    The prediction for a sentence does not depend on its own label, so only the effect of the
    changed labels on the predictions for others is left out. Rows are by the score alone.
    """
    store, scheme = ModelStore(ROOT / "models"), load_taxonomy(LABELS / "taxonomy.toml")
    everything = load_dataset(sorted(LABELS.glob("*.jsonl")), scheme)
    data = make_dataset(records, scheme)
    rows = everything.sources == records[0].source
    start = choose_start(store, DEFAULT_MODEL, scheme, None, "own")
    probabilities = out_of_fold_probabilities(everything, *start)[rows]
    found: dict[str, dict[str, list[float]]] = {}
    for way in WAYS:
        found[way] = {str(n): [] for n in ROWS}
        for seed in ESTIMATED:
            changed = make_dataset(change(records, data.topics, way, seed), scheme)
            given = np.where(changed.Y == 1, probabilities, 1 - probabilities).min(axis=1)
            order = np.argsort(given, kind="stable")
            wrong = (changed.Y != data.Y).any(axis=1)
            for n in ROWS:
                found[way][str(n)].append(round(float(wrong[order[:n]].sum() / wrong.sum()), 3))
    return found


def labelled(most: int | None) -> tuple[list[LabelRecord], str]:
    """Return the real sentences whose texts are here; else those written for training."""
    taxonomy = load_taxonomy(LABELS / "taxonomy.toml")
    for name in ("real.jsonl", "authored.jsonl"):
        (file,) = read_label_files([LABELS / name], taxonomy)
        records = [record for record in file.records if record.status != "skipped"]
        if records:
            return records[:most], name
    raise SystemExit("no labels")


def change(
    records: Sequence[LabelRecord], topics: Sequence[str], way: str, seed: int
) -> list[LabelRecord]:
    """Return the records, some of them with other topics."""
    rng = np.random.default_rng(seed)
    changed = list(records)
    for row in rng.choice(len(records), CHANGED, replace=False):
        own = {*records[row].topics}
        if way == "swap":
            others = (records[int(n)].topics for n in rng.permutation(len(records)))
            new = {*next(topics for topics in others if {*topics} != own)}
        else:
            able = topics
            if way == "half":
                removes = bool(own) and rng.random() < 0.5
                able = [topic for topic in topics if (topic in own) == removes]
            new = own ^ {able[int(rng.integers(len(able)))]}
        changed[row] = replace(records[row], topics=tuple(sorted(new)))
    return changed


def measure(
    before: Sequence[LabelRecord], after: Sequence[LabelRecord], background: Any, jobs: int
) -> dict[str, Any]:
    """Return which share of the changed labels is among the first rows."""
    wrong = {a.id for a, b in zip(after, before, strict=True) if a.topics != b.topics}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "changed.jsonl"
        write_labels(path, after)
        issues = find_label_issues(
            *(ModelStore(ROOT / "models"), DEFAULT_MODEL, [path], LABELS / "taxonomy.toml"),
            parameters=None if background else Parameters(),
            background=background,
            jobs=jobs,
        )
    found = {n: {issue.label.record.id for issue in issues[:n]} & wrong for n in ROWS}
    return {
        "rows": len(issues),
        "found": {str(n): round(len(ids) / len(wrong), 3) for n, ids in found.items()},
    }


def table(result: dict[str, Any]) -> str:
    """Render the share found, by way of changing."""
    lines = [
        f"| {CHANGED} labels changed by | starts from | seeds "
        f"| {' | '.join(f'in the first {n}' for n in ROWS)} |",
        "|---|---|---|" + "---|" * len(ROWS),
    ]
    for way, shares in result.get("estimate", {}).items():
        cells = [_cell(shares[str(n)]) for n in ROWS]
        lines.append(f"| `{way}` | the background, estimated | 10 | {' | '.join(cells)} |")
    groups: dict[tuple[str, bool], list[dict[str, Any]]] = {}
    for run in result["runs"]:
        groups.setdefault((run["way"], run["background"]), []).append(run)
    for (way, background), runs in groups.items():
        cells = [_cell([run["found"][str(n)] for run in runs]) for n in ROWS]
        start = "the background" if background else "nothing"
        lines.append(f"| `{way}` | {start} | {len(runs)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(found: Sequence[float]) -> str:
    spread = f" ({min(found):.1%} to {max(found):.1%})" if len(found) > 1 else ""
    return f"{np.mean(found):.1%}{spread}"


if __name__ == "__main__":
    sys.exit(main())
