"""Speed of scoring: the kernel beside scikit-learn, fastText, ONNX Runtime and ``wc -w``.

All score the same sentences, split beforehand, in turn and in one run; what is compared is
CPU time (user plus system), so MB/s are those of one core. Two models: the default one, of
words and characters, and one of words only, fitted here with the same parameters. Every
round has a new scorer: one that remembers nothing yet, and one that has been at work on
`EARLIER` other sentences. Slow ones get fewer sentences: `SIZES`.

    python benchmarks/speed.py      rewrites `speed.json` and the tables in `README.md`

fastText and ONNX Runtime are measured where they are installed, best in an environment of
their own:

    pip install -e '.[batch]' fasttext-wheel skl2onnx onnxruntime
"""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from markdown_tables import publish
from measuring import (
    MEGABYTE,
    ROOT,
    byte_count,
    cpu_seconds,
    environment,
    summary,
    take,
    text_source,
)
from speed_models import Model, check_decisions, compiled_scorer, load_models, reference_scorer
from speed_peers import NotMeasuredError, Score, agreement, convert_to_onnx, fit_fasttext

from topicml import compiling
from topicml.taxonomy import load_taxonomy
from topicml.text.packed import pack_texts
from topicml.training.dataset import Dataset, load_dataset

LABELS_FOLDER = ROOT / "data/labels"
ROUNDS = 5
GROWTH = (1, 10, 100)  # MB
EARLIER = 7 * MEGABYTE
SIZES = {
    "at-work": 10 * MEGABYTE,
    "compiled": 10 * MEGABYTE,
    "compiled-strings": 10 * MEGABYTE,
    "reference": MEGABYTE,
    "scikit-learn": 2 * MEGABYTE,
    "fasttext": 5 * MEGABYTE,
    "onnxruntime": 500_000,
    "wc-c": 10 * MEGABYTE,
    "wc-utf-8": 10 * MEGABYTE,
}
ROWS = {
    "at-work": "`Scorer.score`, compiled, at work",
    "compiled": "the same, from a fresh start",
    "compiled-strings": "the same, from Python strings",
    "reference": "the reference scorer",
    "scikit-learn": "scikit-learn, `predict_proba`",
    "fasttext": "fastText, `predict`",
    "onnxruntime": "ONNX Runtime",
    "wc-c": "`LC_ALL=C wc -w`",
    "wc-utf-8": "`LC_ALL=C.UTF-8 wc -w`",
}
RATIOS = {
    "scikit-learn": "times scikit-learn",
    "fasttext": "times fastText",
    "wc-c": "of `wc`, C",
    "wc-utf-8": "of `wc`, C.UTF-8",
}
TITLES = {"words-characters": "words and characters", "words": "words only"}
LIBRARIES = (
    *("topicml", "numpy", "scipy", "scikit-learn", "numba", "llvmlite"),
    *("fasttext-wheel", "fasttext-community", "fasttext", "skl2onnx", "onnx", "onnxruntime"),
)

Job = Callable[[], object]


@dataclass(slots=True)
class Contest:
    """Who scores for one model: what makes a job ready, by name, and why others do not."""

    prepare: dict[str, Callable[[], Job]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


def make_contest(
    model: Model,
    texts: dict[str, list[str]],
    earlier: list[str],
    data: Dataset,
    file: Path,
) -> Contest:
    """Set up all who score for one model.

    Args:
        model: The model.
        texts: The sentences that each one gets.
        earlier: Other sentences.
        data: The labels, for fastText to learn from.
        file: The sentences for ``wc``, one a line.
    """
    packed, packed_earlier = pack_texts(texts["compiled"]), pack_texts(earlier)
    packed_few = pack_texts(texts["reference"])
    contest = Contest()

    def put_to_work() -> Job:
        scorer = compiled_scorer(model.path)
        scorer.score(*packed_earlier)
        return partial(scorer.score, *packed)

    contest.prepare = {
        "at-work": put_to_work,
        "compiled": lambda: partial(compiled_scorer(model.path).score, *packed),
        "compiled-strings": lambda: partial(
            compiled_scorer(model.path).score_texts, texts["compiled-strings"]
        ),
        "reference": lambda: partial(reference_scorer(model.path).score, *packed_few),
        "scikit-learn": lambda: partial(model.pipeline.predict_proba, texts["scikit-learn"]),
        "wc-c": lambda: partial(count_words, file, "C"),
        "wc-utf-8": lambda: partial(count_words, file, "C.UTF-8"),
    }
    peers: dict[str, Callable[[], Score]] = {
        "fasttext": lambda: fit_fasttext(data, **model.fasttext),
        "onnxruntime": lambda: convert_to_onnx(model.pipeline),
    }
    for name, make in peers.items():
        add_peer(contest, name, make, texts[name])
    if "onnxruntime" in contest.prepare:
        note_agreement(contest, model, texts["onnxruntime"])
    return contest


def add_peer(contest: Contest, name: str, make: Callable[[], Score], texts: list[str]) -> None:
    """Add a peer, or the reason why it is not measured."""
    try:
        score = make()
    except NotMeasuredError as reason:
        contest.notes[name] = str(reason)
    else:
        contest.prepare[name] = lambda: partial(score, texts)


def note_agreement(contest: Contest, model: Model, texts: list[str]) -> None:
    """Note how far ONNX Runtime's probabilities are those of scikit-learn."""
    found: Any = contest.prepare["onnxruntime"]()()
    share = agreement(found[:, :-1], model.pipeline.predict_proba(texts))
    if share < 1:
        contest.notes["onnxruntime"] = (
            f"converts, but to another model: on {share:.1%} of the sentences all "
            "probabilities are within 0.001 of scikit-learn's"
        )


def count_words(file: Path, locale: str) -> None:
    """Run ``wc -w``."""
    settings = {**os.environ, "LC_ALL": locale}
    subprocess.run(["wc", "-w", file], check=True, stdout=subprocess.DEVNULL, env=settings)


def measure(prepare: Callable[[], Job]) -> float:
    """Return the CPU seconds of a job, once it is ready."""
    job = prepare()
    before = cpu_seconds()
    job()
    return cpu_seconds() - before


def run_contests(contests: dict[str, Contest]) -> dict[tuple[str, str], list[float]]:
    """Return CPU seconds by model and name, measured in turn."""
    turns = [(model, name) for model, contest in contests.items() for name in contest.prepare]
    samples: dict[tuple[str, str], list[float]] = {turn: [] for turn in turns}
    for _ in range(ROUNDS):
        for model, name in turns:
            samples[model, name].append(measure(contests[model].prepare[name]))
    return samples


def contest_figures(
    contest: Contest, samples: dict[str, list[float]], texts: dict[str, list[str]]
) -> dict[str, Any]:
    """Return all rows of one model: MB/s, spread and ratios, or why there are none."""
    rows: dict[str, dict[str, Any]] = {name: {} for name in ROWS}
    for name, taken in samples.items():
        megabytes = byte_count(texts[name]) / MEGABYTE
        rows[name]["megabytes"] = round(megabytes, 2)
        rows[name]["cpu_seconds"] = summary(taken)
        rows[name]["megabytes_per_second"] = summary([megabytes / s for s in taken], digits=3)
    for name, row in rows.items():
        if name in samples:
            row["ratios"] = {
                base: float(f"{speed(rows[name]) / speed(rows[base]):.3g}")
                for base in RATIOS
                if base in samples
            }
        if name in contest.notes:
            row["note"] = contest.notes[name]
    return rows


def speed(row: dict[str, Any]) -> float:
    """Return a row's MB/s."""
    return float(row["megabytes_per_second"]["median"])


def measure_growth(models: dict[str, Model]) -> dict[str, Any]:
    """Measure how the time of the compiled kernel grows with the text."""
    buffer, offsets = pack_texts(list(take(GROWTH[-1] * MEGABYTE)))
    ends = {size: int(np.searchsorted(offsets, size * MEGABYTE, "right")) for size in GROWTH}
    samples: dict[tuple[str, int], list[float]] = {(m, s): [] for m in models for s in GROWTH}
    for _ in range(ROUNDS):
        for (name, size), taken in samples.items():
            scorer = compiled_scorer(models[name].path)
            taken.append(
                measure(lambda s=scorer, n=ends[size]: partial(s.score, buffer, offsets[:n]))
            )
    return {name: growth_figures({s: samples[name, s] for s in GROWTH}) for name in models}


def growth_figures(samples: dict[int, list[float]]) -> dict[str, Any]:
    """Return the CPU seconds by megabytes, and each over the one before."""
    medians = [statistics.median(taken) for taken in samples.values()]
    ratios = [round(b / a, 2) for a, b in itertools.pairwise(medians)]
    return {"cpu_seconds": {s: summary(taken) for s, taken in samples.items()}, "ratios": ratios}


def contest_table(rows: dict[str, Any]) -> str:
    """Render the rows of one model as Markdown."""
    head = ["", "MB/s, median", "min to max", *RATIOS.values(), "on MB"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for name, row in rows.items():
        if "cpu_seconds" not in row:
            lines.append(f"| {ROWS[name]} | {row['note']} |" + " |" * (len(head) - 2))
            continue
        low, high = row["megabytes_per_second"]["spread"]
        ratios = [
            significant(row["ratios"][base]) if base in row["ratios"] else "" for base in RATIOS
        ]
        figures = [
            f"{speed(row):.2f}",
            f"{low:.2f} to {high:.2f}",
            *ratios,
            f"{row['megabytes']:g}",
        ]
        lines.append(f"| {ROWS[name]} | {' | '.join(figures)} |")
    notes = {name: row["note"] for name, row in rows.items() if "note" in row and "ratios" in row}
    return "\n".join([*lines, *(f"\n{ROWS[name]}: {note}." for name, note in notes.items())])


def significant(ratio: float) -> str:
    """Render a ratio: two digits of a fraction, three of what is over one."""
    return f"{ratio:.{3 if ratio >= 1 else 2}g}"


def growth_table(growth: dict[str, Any]) -> str:
    """Render the growth of time as Markdown."""
    pairs = itertools.pairwise(GROWTH)
    head = ["model", *(f"{s} MB, CPU s" for s in GROWTH), *(f"{b} over {a} MB" for a, b in pairs)]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for name, row in growth.items():
        seconds = [_with_spread(figures) for figures in row["cpu_seconds"].values()]
        ratios = [f"{ratio:.1f}" for ratio in row["ratios"]]
        lines.append(f"| {TITLES[name]} | {' | '.join([*seconds, *ratios])} |")
    return "\n".join(lines)


def _with_spread(figures: dict[str, Any]) -> str:
    low, high = figures["spread"]
    return f"{figures['median']:.3f} ({low:.3f} to {high:.3f})"


def run(folder: Path) -> dict[str, Any]:
    """Measure everything; temporary files go to the folder."""
    taxonomy = load_taxonomy(LABELS_FOLDER / "taxonomy.toml")
    own = [LABELS_FOLDER / f"{name}.jsonl" for name in ("articles", "authored")]
    data = load_dataset(own, taxonomy)
    models = load_models(data, folder)
    by_size = {size: list(take(size)) for size in set(SIZES.values())}
    texts = {name: by_size[size] for name, size in SIZES.items()}
    file = folder / "sentences.txt"
    file.write_text("".join(f"{text}\n" for text in texts["wc-c"]), encoding="utf-8")
    checked = {name: check_decisions(model, texts) for name, model in models.items()}
    longest = len(texts["compiled"])
    earlier = list(take(SIZES["compiled"] + EARLIER))[longest:]
    contests = {name: make_contest(m, texts, earlier, data, file) for name, m in models.items()}
    samples = run_contests(contests)
    figures = {}
    for name, contest in contests.items():
        taken = {peer: samples[name, peer] for peer in contest.prepare}
        figures[name] = {**checked[name], "rows": contest_figures(contest, taken, texts)}
    return {
        "rounds": ROUNDS,
        **environment(LIBRARIES),
        "wc": words_counter(),
        "text": text_source(),
        "models": figures,
        "growth": measure_growth(models),
    }


def words_counter() -> str:
    """Return which ``wc`` it is, where it says so."""
    asked = subprocess.run(["wc", "--version"], capture_output=True, text=True, check=False)
    return (asked.stdout.splitlines() or ["unknown"])[0]


def tables(result: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """Yield the tables with the names of their places in the README."""
    for name in TITLES:
        yield f"speed-{name}", contest_table(result["models"][name]["rows"])
    yield "speed-growth", growth_table(result["growth"])


def main() -> None:
    """Measure and write down."""
    if not compiling.is_installed():
        raise SystemExit("numba is not installed: pip install -e '.[batch]'")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NUMBA_CACHE_DIR"] = folder
        result = run(Path(folder))
    publish("speed", result, dict(tables(result)))


if __name__ == "__main__":
    main()
