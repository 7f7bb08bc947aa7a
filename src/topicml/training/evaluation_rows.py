"""Figures of an evaluation as text, for terminal, report and card alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from topicml.training.intervals import format_interval
from topicml.training.metrics import TOPIC_FIGURES

CALIBRATION_COLUMNS = (
    *("sentences of", "sentences", "documents", "mean probability", "observed share"),
    *("calibration error", "95 % interval"),
)


def topic_cells(row: Mapping[str, Any]) -> list[str]:
    """Return precision, recall, F1 and average precision of a topic, each with its interval.

    Args:
        row: Fields of ``TopicScores``; manifests of earlier releases have no ``intervals``.
    """
    intervals = row.get("intervals", {})
    return [_with_range(row[name], intervals.get(name, {})) for name in TOPIC_FIGURES]


def calibration_rows(parts: Iterable[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Return rows of ``CALIBRATION_COLUMNS``: of each source, of each length of a sentence."""
    return [
        (
            *(part["part"], str(part["sentences"]), str(part["documents"])),
            *(f"{part[name]:.3f}" for name in ("mean_probability", "observed_share")),
            *format_interval(part["error"]),
        )
        for part in parts
    ]


def _with_range(value: float | None, interval: Mapping[str, Any]) -> str:
    if value is None:
        return "–"
    if interval.get("low") is None:
        return f"{value:.2f}"
    return f"{value:.2f} ({interval['low']:.2f} to {interval['high']:.2f})"
