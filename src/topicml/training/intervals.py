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

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri, stdtrit

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
        few: What there is too little of for an interval to hold; None where there is enough.
    """

    value: float
    without: Floats
    documents: int
    few: str | None = None

    @classmethod
    def of(
        cls, values: Floats, documents: int | np.integer[Any], few: str | None = None
    ) -> Jackknife:
        """Return that of D + 1 values, the first of which is with all documents."""
        return cls(float(values[0]), values[1:], int(documents), few)

    def __sub__(self, other: Jackknife) -> Jackknife:
        """Return the difference of two figures; only documents that change it tell of it."""
        value, without = self.value - other.value, self.without - other.without
        differing = int((np.abs(np.nan_to_num(without - value)) > _NO_ERROR).sum())
        documents = min(differing, max(self.documents, other.documents))
        return Jackknife(value, without, documents, self.few or other.few)

    @property
    def lacks(self) -> str | None:
        """Why it has no interval; None where it has one."""
        if self.few or self.documents >= FEWEST_DOCUMENTS:
            return self.few
        tell = "document tells" if self.documents == 1 else "documents tell"
        return f"{self.documents} {tell} of it, {FEWEST_DOCUMENTS} are needed"

    @property
    def standard_error(self) -> float:
        """The jackknife's estimate; a document without which there is no figure tells nothing."""
        off = np.nan_to_num(self.without - self.value)
        return float(np.sqrt((self.documents - 1) / self.documents * (off**2).sum()))

    @property
    def reach(self) -> float:
        """Half the width of the interval around the value, by Student's t."""
        return float(stdtrit(self.documents - 1, _TAIL)) * self.standard_error


def leave_one_out(totals: NDArray[Any]) -> Floats:
    """Return the sum of D by m documents' totals and, under it, that without each: D + 1 by m."""
    whole = totals.sum(axis=0, keepdims=True)
    return np.concatenate([whole, whole - totals]).astype(np.float64)


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
    if note := figure.lacks:
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
    if note := figure.lacks:
        return Interval(figure.value, None, None, note)
    value, reach = figure.value, figure.reach
    return Interval(value, max(-1.0, value - reach), min(1.0, value + reach))


def format_interval(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return value and range of an ``Interval``'s fields as text; a dash, and why, for none."""
    if row["value"] is None:
        return "–", "–"
    if row["low"] is None:
        note = row.get("note")  # which manifests before it lack
        return f"{row['value']:.3f}", f"– ({note})" if note else "–"
    return f"{row['value']:.3f}", f"{row['low']:.3f} to {row['high']:.3f}"
