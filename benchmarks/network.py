"""The accurate model's costs: sentences a second, memory and start, in each precision.

Each precision is a process of its own, on all cores: bfloat16 where the processor is fast at
it, float32, and 8-bit whole numbers (torch's dynamic quantization of the linear maps), which the
product does not offer. `--work` of a `topicml train --kind network` gives what a precision
costs in quality, too: micro-F1 at one half on the fold that its first network has not seen.

    topicml models fetch-base alliance-topics-accurate
    python benchmarks/network.py [--work train-work]

Writes `network.json` and the table in docs/network.md.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
import warnings
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from markdown_tables import write_between
from measuring import ROOT, cpu_seconds, environment, read_sentences

from topicml.files import write_text
from topicml.models.folder import ADAPTERS, base_of, open_model
from topicml.models.store import ModelStore
from topicml.network.base import MPNET, base_folder

STORE = ModelStore(ROOT / "models")
ACCURATE = "alliance-topics-accurate"
LABELS = ROOT / "data/labels"
ARTICLE = next((ROOT / "data/raw").glob("001_*.txt"))
PRECISIONS = {"bf16": "bfloat16", "fp32": "float32", "int8": "8-bit, dynamic"}
SENTENCES = 600
JUDGED = 1_000
FOLDS, FOLD = 3, 0


def make_network(precision: str, adapters: Path) -> Any:
    """Return a network ready to read in a precision."""
    import torch

    from topicml.network.encoder import TopicNetwork

    model = open_model(STORE.find(ACCURATE))
    base = base_of(model.manifest) or MPNET
    network = TopicNetwork(
        base_folder(base), len(model.scorer.topics) + 1, is_exact=precision != "bf16"
    )
    network.load(adapters)
    network.merge()
    if precision == "int8":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecated; measured nevertheless
            torch.ao.quantization.quantize_dynamic(
                network, {torch.nn.Linear}, dtype=torch.qint8, inplace=True
            )
    return network


def measure(precision: str, work: Path | None) -> dict[str, float]:
    """Return the figures of one precision, in this process."""
    started = time.perf_counter()
    network = make_network(precision, STORE.find(ACCURATE) / ADAPTERS)
    ready = time.perf_counter() - started
    texts = list(islice(read_sentences(), SENTENCES))
    network.log_odds(texts[:64])
    started = time.perf_counter()
    network.log_odds(texts)
    rate = len(texts) / (time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    found = {"seconds_to_load": ready, "sentences_per_second": rate, "peak_megabytes": peak}
    if work:
        found["micro_f1"] = quality(precision, work)
    return {name: round(value, 4) for name, value in found.items()}


def quality(precision: str, work: Path) -> float:
    """Return micro-F1 at one half on the fold that a network has not seen."""
    from topicml.models.fold_networks import FoldNetworks
    from topicml.taxonomy import load_taxonomy
    from topicml.training.calibration import micro_f1
    from topicml.training.dataset import load_dataset

    data = load_dataset(sorted(LABELS.glob("*.jsonl")), load_taxonomy(LABELS / "taxonomy.toml"))
    folds = FoldNetworks(data, Path(), work, FOLDS, 0)
    held_out = np.flatnonzero((folds.fold_of_each() == FOLD) & (data.sources == "archive"))
    test = data.subset(np.random.default_rng(0).permutation(held_out)[:JUDGED])
    log_odds = make_network(precision, folds.adapters(FOLD, 0)).log_odds(test.texts)
    return micro_f1(test.Y, log_odds[:, :-1] >= 0)


def cold_start() -> dict[str, float]:
    """Return wall and CPU seconds of `classify` on an article, in a process of its own."""
    command = [sys.executable, "-m", "topicml", "classify", str(ARTICLE), "--model", ACCURATE]
    walls, used = [], []
    for _ in range(4):  # the first proves the model, where it is new here
        before, started = cpu_seconds(), time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        walls.append(time.perf_counter() - started)
        used.append(cpu_seconds() - before)
    return {
        "article_bytes": ARTICLE.stat().st_size,
        "wall_seconds": round(float(np.median(walls[1:])), 2),
        "cpu_seconds": round(float(np.median(used[1:])), 2),
    }


def warm_article() -> float:
    """Return the seconds that an article of some 5 KB takes once the network is loaded."""
    from topicml import classify_text, load_model

    model = load_model(STORE.find(ACCURATE))
    text = ARTICLE.read_text(encoding="utf-8")[:5_000]
    classify_text(text, model)
    taken = []
    for _ in range(5):
        started = time.perf_counter()
        classify_text(text, model)
        taken.append(time.perf_counter() - started)
    return round(float(np.median(taken)), 2)


def table(result: dict[str, Any]) -> str:
    """Return the figures as a Markdown table."""
    lines = ["| | " + " | ".join(PRECISIONS.values()) + " |", "|---" * 4 + "|"]
    rows = {
        "sentences_per_second": ("sentences a second", "{:.0f}"),
        "peak_megabytes": ("peak memory, MB", "{:,.0f}"),
        "seconds_to_load": ("seconds to load", "{:.1f}"),
        "micro_f1": ("micro-F1 of held-out documents, at one half", "{:.3f}"),
    }
    for key, (name, form) in rows.items():
        found = [result["precisions"][p].get(key) for p in PRECISIONS]
        if None not in found:
            lines.append(f"| {name} | " + " | ".join(map(form.format, found)) + " |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Measure all, or one precision for the process that asks; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, help="of train --kind network")
    parser.add_argument("--one", choices=PRECISIONS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(measure(options.one, options.work)))
        return 0
    own = ["--work", str(options.work)] if options.work else []
    found = {}
    for precision in PRECISIONS:
        command = [sys.executable, __file__, "--one", precision, *own]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found[precision] = json.loads(done.stdout.splitlines()[-1])
        print(precision, found[precision], flush=True)
    result = {
        **environment(("topicml", "torch", "transformers")),
        "precisions": found,
        "classify": cold_start(),
        "warm_seconds_for_5_kb": warm_article(),
    }
    write_text(ROOT / "benchmarks/network.json", json.dumps(result, indent=2) + "\n")
    write_between(ROOT / "docs/network.md", "costs", table(result))
    print(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
