"""What a bulk run tags with: a model, and perhaps another for a second opinion, both proven."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from topicml.batch.job import Job
from topicml.models.folder import Model, check_golden, open_model
from topicml.models.tagger import make_tagger
from topicml.scoring.backends import Backend
from topicml.tagging.tagger import Tagger


def open_proven(path: Path, backend: Backend) -> Model:
    """Open a model for a bulk run, and prove on its golden sentences what is going to score.

    Raises:
        ModelError: The folder is damaged, or this machine computes other probabilities.
    """
    model = open_model(path)
    _prove(model, backend)
    return model


def _prove(model: Model, backend: Backend) -> None:
    model.scorer.use(backend)
    check_golden(model)


class Opened(NamedTuple):
    """What a job tags with.

    Attributes:
        model: Reads everything.
        second: Reads again what the model is unsure of; None where nothing does.
        tagger: Of both.
    """

    model: Model
    second: Model | None
    tagger: Tagger

    def prove(self, backend: Backend) -> None:
        """Choose what scores, and prove it on the golden sentences.

        Raises:
            ModelError: A folder is damaged, or this machine computes other probabilities.
        """
        for model in (self.model, self.second):
            if model:
                _prove(model, backend)


def open_models(job: Job) -> Opened:
    """Open what a job tags with.

    Raises:
        ModelError: A folder is damaged, a model lacks the thresholds asked for, or the second
            one does not go with the first.
    """
    model = open_model(job.model)
    second = open_model(job.second) if job.second else None
    tagger = make_tagger(
        model,
        threshold=job.threshold,
        min_precision=job.min_precision,
        relevance=job.relevance,
        unit=job.unit,
        second=second,
        share=job.second_share,
    )
    return Opened(model, second, tagger)


def open_proven_models(job: Job) -> Opened:
    """Open what a job tags with, and prove it; see ``open_models`` and ``Opened.prove``."""
    opened = open_models(job)
    opened.prove(job.backend)
    return opened
