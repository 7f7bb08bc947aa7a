"""95 % intervals of figures over documents, by what becomes of each without one document.

Sentences of one document are alike, so that documents are what was sampled. A figure is computed
once with all D of them and once without each; how far those lie apart is the jackknife's estimate
of its standard error (Tukey, 1958; Efron and Stein, "The Jackknife Estimate of Variance", Annals
of Statistics, 1981), which is rather too large than too small where documents are few. The
quantile is Student's with D - 1 degrees of freedom, which Cameron, Gelbach and Miller advise at
least for few clusters ("Bootstrap-Based Improvements for Inference with Clustered Errors", Review
of Economics and Statistics, 2008). Under ``FEWEST_DOCUMENTS`` there is no interval.

``benchmarks/quality/coverage.py`` measures how often these intervals hold the true value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, erf, ndtri, stdtrit

Floats = NDArray[np.float64]

FEWEST_DOCUMENTS = 3
_TAIL = 0.975
_NO_ERROR = 1e-12
"""A standard error that is nothing but rounding."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % interval.

    Attributes:
        value: None where undefined, as are the others then.
        low: None where there is no interval.
        high: None where there is no interval.
        note: Why there is none.
    """

    value: float | None
    low: float | None
    high: float | None
    note: str | None = None


UNDEFINED = Interval(None, None, None)


@dataclass(frozen=True, slots=True)
class Jackknife:
    """A figure with all documents and without each.

    Attributes:
        value: With all; NaN where undefined.
        without: The figure without each of D documents; NaN where it is undefined then.
        documents: How many have something that the figure is about.
    """

    value: float
    without: Floats
    documents: int

    @classmethod
    def of(cls, values: Floats, documents: int | np.integer[Any]) -> Jackknife:
        """Return that of D + 1 values, the first of which is with all documents."""
        return cls(float(values[0]), values[1:], int(documents))

    def __sub__(self, other: Jackknife) -> Jackknife:
        """Return the difference of two figures; only documents that change it tell of it."""
        value, without = self.value - other.value, self.without - other.without
        differing = int((np.abs(np.nan_to_num(without - value)) > _NO_ERROR).sum())
        return Jackknife(value, without, min(differing, max(self.documents, other.documents)))

    @property
    def standard_error(self) -> float:
        """The jackknife's estimate; a document without which there is no figure tells nothing."""
        return float(standard_errors(self.value, self.without, self.documents))

    @property
    def reach(self) -> float:
        """Half the width of the interval around the value, by Student's t."""
        return float(stdtrit(self.documents - 1, _TAIL)) * self.standard_error


def leave_one_out(totals: NDArray[Any]) -> Floats:
    """Return the sum of D by m documents' totals and, under it, that without each: D + 1 by m."""
    whole = totals.sum(axis=0, keepdims=True)
    return np.concatenate([whole, whole - totals]).astype(np.float64)


def standard_errors(value: Floats | float, without: Floats, documents: int) -> Floats:
    """Return the jackknife's standard errors of m figures (without: D by m)."""
    off = np.nan_to_num(without - value)
    return np.asarray(np.sqrt((documents - 1) / documents * (off**2).sum(axis=0)))


def too_few(documents: int) -> str | None:
    """Return why there is no interval for so few documents; None where there is one."""
    if documents >= FEWEST_DOCUMENTS:
        return None
    tell = "document tells" if documents == 1 else "documents tell"
    return f"{documents} {tell} of it, {FEWEST_DOCUMENTS} are needed"


def share_interval(figure: Jackknife) -> Interval:
    """Return the interval of a figure from 0 to 1: a rate, F1, average precision.

    It is that of Clopper and Pearson (1934) for as many independent sentences as would be as
    uncertain, the effective sample size of Korn and Graubard ("Confidence Intervals for
    Proportions with Small Expected Number of Positive Counts Estimated from Survey Data", Survey
    Methodology, 1998). It stays from 0 to 1, holds the value, and is never of no width: where all
    is right, or nothing is, every document counts as one sentence.
    """
    value = figure.value
    if np.isnan(value):
        return UNDEFINED
    if note := too_few(figure.documents):
        return Interval(value, None, None, note)
    size = effective_size(value, figure.standard_error, figure.documents)
    return Interval(value, *clopper_pearson(value, size))


def effective_size(share: float, standard_error: float, documents: int) -> float:
    """Return how many independent sentences would be as uncertain; see ``share_interval``."""
    error = float(stdtrit(documents - 1, _TAIL)) * standard_error / float(ndtri(_TAIL))
    if 0 < share < 1 and error > _NO_ERROR:
        return share * (1 - share) / error**2
    return float(documents)


def clopper_pearson(share: float, size: float) -> tuple[float, float]:
    """Return the ends of the exact interval of a share, as beta quantiles.

    Args:
        share: What was seen.
        size: Of how many; need not be whole.
    """
    hits, misses = share * size, (1 - share) * size
    low = float(betaincinv(hits, misses + 1, 1 - _TAIL)) if share > 0 else 0.0
    high = float(betaincinv(hits + 1, misses, _TAIL)) if share < 1 else 1.0
    return min(low, share), max(high, share)


def difference_interval(figure: Jackknife) -> Interval:
    """Return the interval of a difference of two figures on the same documents.

    What makes a document hard for both is in both and cancels out, with it and without it. Where
    hardly a document changes the difference there is none: that nothing was seen to differ is no
    proof that nothing does.
    """
    if np.isnan(figure.value):
        return UNDEFINED
    if note := too_few(figure.documents):
        return Interval(figure.value, None, None, note)
    return _clipped(figure.value, figure.reach, figure.reach, -1.0)


@dataclass(frozen=True, slots=True)
class Gaps:
    """By how much each bin of each topic is off, times its share, summed over documents' sentences.

    Attributes:
        values: D + 1 by m bins; the first row is with all documents.
        topics: How many topics the bins are of.
    """

    values: Floats
    topics: int

    @property
    def error(self) -> Jackknife:
        """The mean of the topics' calibration errors."""
        errors = np.abs(self.values).sum(axis=1) / self.topics
        return Jackknife.of(errors, len(errors) - 1)

    @property
    def excess(self) -> float:
        """By how much chance may have widened the error at most; see ``calibration_interval``."""
        documents = len(self.values) - 1
        errors = standard_errors(self.values[0], self.values[1:], documents)
        uncertain = errors > _NO_ERROR
        errors, gaps = errors[uncertain], np.abs(self.values[0, uncertain])
        smallest = np.maximum(gaps - errors, 0.0)
        noise = errors * np.sqrt(2 / np.pi) * np.exp(-((smallest / errors) ** 2) / 2)
        folded = noise + smallest * erf(smallest / errors / np.sqrt(2))
        return float((folded - smallest).sum()) / self.topics


def calibration_interval(sides: Sequence[Gaps]) -> Interval:
    """Return the calibration error of one model, or the second's less the first's.

    The error is a sum of absolute gaps, which chance can only widen: on few sentences that of
    perfect probabilities is far from zero (Bröcker, "Estimating Reliability and Resolution of
    Probability Forecasts through Decomposition of the Empirical Score", Climate Dynamics, 2012;
    Ferro and Fricker, "A Bias-Corrected Decomposition of the Brier Score", 2012). A gap g that is
    known up to a standard error s is seen as that of a folded normal, on average, which exceeds g
    most where g is small. So the interval reaches up by Student's t, and down by as much and by
    what chance adds where each gap is smaller than it looks by its standard error. It covers the
    error in 95 % of cases or more, in nearly all where sentences are few.
    """
    *olds, new = (side.error for side in sides)
    figure = new - olds[0] if olds else new
    if note := too_few(figure.documents):
        return Interval(figure.value, None, None, note)
    down = figure.reach + sides[-1].excess
    up = figure.reach + (sides[0].excess if olds else 0.0)
    return _clipped(figure.value, down, up, -1.0 if olds else 0.0)


def _clipped(value: float, down: float, up: float, least: float) -> Interval:
    return Interval(value, max(least, value - down), min(1.0, value + up))


def format_interval(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return value and range of an ``Interval``'s fields as text; a dash, and why, for none."""
    if row["value"] is None:
        return "–", "–"
    if row["low"] is None:
        note = row.get("note")  # which manifests before it lack
        return f"{row['value']:.3f}", f"– ({note})" if note else "–"
    return f"{row['value']:.3f}", f"{row['low']:.3f} to {row['high']:.3f}"
