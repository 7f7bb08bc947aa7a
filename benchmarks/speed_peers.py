"""Peers of the speed benchmark: fastText and ONNX Runtime, where they are installed.

Each function returns what scores the texts when called, or raises ``NotMeasuredError`` with
the reason why it cannot be measured.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import LabelBinarizer

from topicml.training.dataset import Dataset

WORDS = r"[\p{L}\p{N}_]{2,}"  # scikit-learn's (?u)\b\w\w+\b as far as RE2 can say it
SAME = 1e-3
ONNX_BATCH = 100  # sentences; of 1, 10, 100 and 1,000 the fastest

Score = Callable[[Sequence[str]], Any]


class NotMeasuredError(Exception):
    """A peer that is not measured; the message says why."""


def _require(*modules: str) -> None:
    if not all(importlib.util.find_spec(module) for module in modules):
        raise NotMeasuredError("not installed")


def fit_fasttext(data: Dataset, **settings: int) -> Score:
    """Train fastText, one binary loss per label, on the text as it is.

    Settings beyond those given are those of ``quality/peers.py``. It is asked for all topics
    over one half, which takes it less time than all probabilities.
    """
    _require("fasttext")
    import fasttext

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "train.txt"
        pairs = zip(data.texts, data.Y, strict=True)
        file.write_text("".join(_fasttext_line(*pair) for pair in pairs), encoding="utf-8")
        model = fasttext.train_supervised(
            input=str(file),
            loss="ova",
            epoch=50,
            lr=0.5,
            bucket=200_000,
            thread=1,
            verbose=0,
            **settings,
        )
    return lambda texts: model.predict(texts, k=-1, threshold=0.5)


def _fasttext_line(text: str, row: NDArray[np.int8]) -> str:
    labels = [f"__label__{topic}" for topic in np.flatnonzero(row)] or ["__label__none"]
    return " ".join([*labels, *text.split()]) + "\n"


def convert_to_onnx(pipeline: Pipeline) -> Score:
    """Convert a fitted pipeline with skl2onnx; relevance becomes one more class."""
    _require("skl2onnx", "onnxruntime")
    import onnxruntime
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import StringTensorType

    features, classifier = pipeline.named_steps["features"], _plain_classifier(pipeline)
    options = {
        id(vectorizer): {"tokenexp": WORDS, "locale": "C.UTF-8"}
        for _, vectorizer in features.transformer_list
    }
    try:
        model = convert_sklearn(
            Pipeline([("features", features), ("classifier", classifier)]),
            initial_types=[("texts", StringTensorType([None, 1]))],
            options={**options, id(classifier): {"zipmap": False}},
        )
    except NotImplementedError as err:
        raise NotMeasuredError(f"skl2onnx: {str(err).split('.')[0]}") from err
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )
    return lambda texts: _run_onnx(session, texts)


def _plain_classifier(pipeline: Pipeline) -> OneVsRestClassifier:
    """Return the same coefficients in classes of scikit-learn that a converter knows."""
    fitted = pipeline.named_steps["classifier"]
    estimators = [*fitted.estimators_, fitted.relevance_]
    classifier = OneVsRestClassifier(LogisticRegression())
    classifier.estimators_ = [_plain_estimator(estimator) for estimator in estimators]
    rows = np.array([[0] * len(estimators), [1] * len(estimators)])
    classifier.label_binarizer_ = LabelBinarizer().fit(rows)
    classifier.classes_ = classifier.label_binarizer_.classes_
    return classifier


def _plain_estimator(fitted: Any) -> LogisticRegression:
    plain = LogisticRegression()
    plain.coef_, plain.intercept_ = np.asarray(fitted.coef_), np.asarray(fitted.intercept_)
    plain.classes_ = np.array([0, 1])
    plain.n_features_in_ = plain.coef_.shape[1]
    return plain


def _run_onnx(session: Any, texts: Sequence[str]) -> NDArray[np.float32]:
    output = session.get_outputs()[1].name
    column = np.array(texts, dtype=object).reshape(-1, 1)
    batches = range(0, len(texts), ONNX_BATCH)
    rows = [session.run([output], {"texts": column[i : i + ONNX_BATCH]})[0] for i in batches]
    return np.vstack(rows)


def agreement(found: NDArray[np.floating[Any]], expected: NDArray[np.float64]) -> float:
    """Return the share of texts whose probabilities all agree to a thousandth."""
    return float((np.abs(found - expected).max(axis=1) <= SAME).mean())
