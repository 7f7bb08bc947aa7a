"""Shares with 95 % intervals, and what they are once the model's known errors are taken off.

A share of stories has the exact interval of Clopper and Pearson (1934). Sentences of a story are
alike: the share of sentences p = Σy / Σm, of stories with m sentences each, y of them tagged, has
the variance N / (N - 1) · Σ(y - p·m)² / (Σm)² of a ratio of N clusters (Cochran, "Sampling
Techniques", 1977, chapter 6), and the exact interval of as many independent sentences as would be
as uncertain (``training.intervals``). Where no sentence has the topic that number is as it is in
all stories together, by the design effect (Kish, "Survey Sampling", 1965).

A model that finds a topic in a share Se of the sentences with it, and does not give it to a share
Sp of those without it, tags p = Se·π + (1 - Sp)·(1 - π) of them where π have it; so

    π = (p + Sp - 1) / (Se + Sp - 1)

(Rogan and Gladen, "Estimating Prevalence from the Results of a Screening Test", American Journal
of Epidemiology, 1978). Its interval is that of Lang and Reiczigel ("Confidence Limits for
Prevalence of Disease Adjusted for Estimated Sensitivity and Specificity", Preventive Veterinary
Medicine, 2014), for Se and Sp are known from samples, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from scipy.special import ndtri

from topicml.training.error_rates import ErrorRates
from topicml.training.intervals import FEWEST_DOCUMENTS, clopper_pearson, effective_size
from topicml.training.metrics import FEWEST_DOCUMENTS_OF_TOPIC, FEWEST_SENTENCES_OF_TOPIC

LEAST_INFORMED = 0.1
"""Under which Se + Sp - 1 divides by too little, at its lower end."""

_Z = float(ndtri(0.975))


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its interval.

    Attributes:
        value: None of nothing.
        low: None where there is no interval.
        high: None where there is none.
        size: As many independent observations are as uncertain; 0 where that is not known.
        note: Why there is no interval, or what was done to the value.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    size: float = 0.0
    note: str = ""


NOTHING = Share(None)


def share_of_stories(tagged: int, stories: int) -> Share:
    """Return the share of stories with a topic."""
    if not stories:
        return NOTHING
    value = tagged / stories
    return Share(value, *clopper_pearson(value, stories), stories)


@dataclass(frozen=True, slots=True)
class SentenceSums:
    """Sums over stories of m sentences each, y of them with a topic.

    Attributes:
        tagged: Of y.
        sentences: Of m.
        stories: How many have any sentence.
        tagged_squares: Of y squared.
        squares: Of m squared.
        products: Of y by m.
    """

    tagged: int
    sentences: int
    stories: int
    tagged_squares: int
    squares: int
    products: int


def share_of_sentences(sums: SentenceSums, design_effect: float | None = None) -> Share:
    """Return the share of sentences with a topic.

    Args:
        sums: Over the stories.
        design_effect: How many sentences tell as much as an independent one, for where none has
            the topic, or all have, and nothing in them tells; None where it is not known, and
            every story counts as one sentence.
    """
    if not sums.sentences:
        return NOTHING
    value = sums.tagged / sums.sentences
    if sums.stories < FEWEST_DOCUMENTS:
        return Share(value, note=f"no interval of fewer than {FEWEST_DOCUMENTS} stories")
    size = _effective_size(value, sums)
    if design_effect and value in (0, 1):
        size = max(size, sums.sentences / design_effect)
    size = min(size, float(sums.sentences))
    return Share(value, *clopper_pearson(value, size), size)


def design_effect(sums: SentenceSums) -> float | None:
    """Return how many sentences tell as much of a topic as an independent one (Kish, 1965).

    None where no sentence has it, or all have.
    """
    if sums.stories < FEWEST_DOCUMENTS or sums.tagged in (0, sums.sentences):
        return None
    size = _effective_size(sums.tagged / sums.sentences, sums)
    return max(sums.sentences / size, 1.0)


def _effective_size(value: float, sums: SentenceSums) -> float:
    residual = sums.tagged_squares - 2 * value * sums.products + value**2 * sums.squares
    variance = sums.stories / (sums.stories - 1) * max(residual, 0.0)
    return effective_size(value, sqrt(variance) / sums.sentences, sums.stories)


def why_not_corrected(rates: ErrorRates) -> str | None:
    """Return why shares of a topic cannot be corrected; None where they can."""
    sensitivity, specificity = rates.sensitivity, rates.specificity
    if (
        sensitivity is None
        or specificity is None
        or rates.positives < FEWEST_SENTENCES_OF_TOPIC
        or rates.documents < FEWEST_DOCUMENTS_OF_TOPIC
    ):
        return (
            f"its error is known from {rates.positives} sentences of {rates.documents} documents "
            f"alone; {FEWEST_SENTENCES_OF_TOPIC} of {FEWEST_DOCUMENTS_OF_TOPIC} are needed"
        )
    informed = sensitivity + specificity - 1
    error = sqrt(
        sensitivity * (1 - sensitivity) / rates.sensitivity_size
        + specificity * (1 - specificity) / rates.specificity_size
    )
    if informed - _Z * error < LEAST_INFORMED:
        return (
            f"sensitivity + specificity - 1 is {informed:.2f}, and may be under {LEAST_INFORMED}: "
            "tags say too little of it"
        )
    return None


def why_of_others(share: Share, rates: ErrorRates) -> str | None:
    """Return why error rates do not hold of these sentences; None where they may.

    They do not where fewer sentences are tagged than there would be false tags, beyond chance.
    """
    ends = _ends(share, rates)
    if ends and ends[1] <= 0:
        return "fewer are tagged than false tags alone would be: the model errs less in these texts"
    if ends and ends[0] >= 1:
        return "more are tagged than if all had it: the model errs otherwise in these texts"
    return None


def corrected(share: Share, rates: ErrorRates) -> Share:
    """Return the share that has a topic, given the share that is tagged with it.

    Args:
        share: Of sentences.
        rates: Of single sentences; those for which there is a reason in ``why_not_corrected``
            must not come here.
    """
    if share.value is None:
        return NOTHING
    if why := why_of_others(share, rates):
        return Share(None, note=why)
    sensitivity, specificity = rates.sensitivity or 0.0, rates.specificity or 0.0
    raw = (share.value + specificity - 1) / (sensitivity + specificity - 1)
    value = min(max(raw, 0.0), 1.0)
    note = "" if raw == value else f"{raw:.4f} before it was cut off"
    ends = _ends(share, rates)
    if not ends:
        return Share(value, note="; ".join(filter(None, (share.note, note))))
    low, high = (min(max(end, 0.0), 1.0) for end in ends)
    return Share(value, min(low, value), max(high, value), share.size, note)


def _ends(share: Share, rates: ErrorRates) -> tuple[float, float] | None:
    if share.value is None or not share.size:
        return None
    return lang_reiczigel(
        *(share.value, share.size),
        *(rates.sensitivity or 0.0, rates.sensitivity_size),
        *(rates.specificity or 0.0, rates.specificity_size),
    )


def lang_reiczigel(
    share: float,
    size: float,
    sensitivity: float,
    sensitivity_size: float,
    specificity: float,
    specificity_size: float,
) -> tuple[float, float]:
    """Return the ends of the interval of a corrected share, which may lie beyond 0 and 1."""
    n, n_se, n_sp = size + _Z**2, sensitivity_size + 2, specificity_size + 2
    p = (share * size + _Z**2 / 2) / n
    se = (sensitivity * sensitivity_size + 1) / n_se
    sp = (specificity * specificity_size + 1) / n_sp
    informed = se + sp - 1
    prevalence = (p + sp - 1) / informed
    of_se, of_sp = se * (1 - se) / n_se, sp * (1 - sp) / n_sp
    shift = 2 * _Z**2 * (prevalence * of_se - (1 - prevalence) * of_sp)
    variance = p * (1 - p) / n + prevalence**2 * of_se + (1 - prevalence) ** 2 * of_sp
    reach = _Z * sqrt(variance) / abs(informed)
    middle = prevalence + shift
    return middle - reach, middle + reach
