"""A label scheme of another subject, small enough to train on in a blink."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from topicml.labels.records import LabelRecord
from topicml.taxonomy import Taxonomy, Topic
from topicml.training.dataset import Dataset, make_dataset

TAXONOMY_TOML = """\
name = "home-topics"
version = "1.2"
title = "home topics"
introduction = "What a sentence on home life is about."
rules = ["Label what the sentence says.", "Do not infer."]

[[topics]]
id = "cooking"
name = "Cooking"
definition = "preparing food"
excludes = "eating out"
settled = ["Tea counts."]

[[topics]]
id = "gardening"
name = "Gardening"
definition = "growing plants"

[[cases]]
text = "Fry the onions."
topics = ["cooking"]

[[cases]]
text = "The train was late."
topics = []
near = ["gardening"]
"""

TAXONOMY = Taxonomy(
    name="home-topics",
    title="home topics",
    introduction="What a sentence on home life is about.",
    topics=(
        Topic("cooking", "Cooking", "preparing food", "eating out", ("Tea counts.",)),
        Topic("gardening", "Gardening", "growing plants"),
    ),
)

_COOKING = ("cooking",)
_GARDENING = ("gardening",)
_BOTH = ("cooking", "gardening")
_NONE: tuple[str, ...] = ()

SENTENCES: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "spring": (
        ("Fry the onions in butter until they are golden.", _COOKING),
        ("Simmer the soup on the stove for an hour.", _COOKING),
        ("Whisk eggs and flour into a smooth batter.", _COOKING),
        ("Sow the seeds in moist soil by the fence.", _GARDENING),
        ("Prune the roses before new shoots appear.", _GARDENING),
        ("Water the seedlings in the greenhouse every morning.", _GARDENING),
        ("Pick herbs from the garden bed and stir them into the sauce.", _BOTH),
        ("The train to the city was late again.", _NONE),
    ),
    "summer": (
        ("Grill the peppers and season the sauce with salt.", _COOKING),
        ("Bake the bread in a hot oven.", _COOKING),
        ("Boil the noodles and fry the garlic in oil.", _COOKING),
        ("Water the garden bed at dusk and mulch the soil.", _GARDENING),
        ("Plant the tomato seedlings beside the roses.", _GARDENING),
        ("Weeds grow fast between the shoots.", _GARDENING),
        ("Dig up potatoes from the soil and boil them in salt water.", _BOTH),
        ("Her brother plays chess on Sundays.", _NONE),
    ),
    "autumn": (
        ("Roast the squash in the oven with butter.", _COOKING),
        ("Stir the batter and bake it until golden.", _COOKING),
        ("Simmer apples into a sweet sauce on the stove.", _COOKING),
        ("Rake the leaves and mulch the garden bed.", _GARDENING),
        ("Prune the hedge and compost the weeds.", _GARDENING),
        ("Plant bulbs in the soil before the frost.", _GARDENING),
        ("Harvest onions from the garden and fry them in butter.", _BOTH),
        ("The museum opens at nine.", _NONE),
    ),
    "winter": (
        ("Boil beans slowly and season the soup.", _COOKING),
        ("Whisk butter and eggs, then bake the cake.", _COOKING),
        ("Fry garlic and peppers in a hot pan.", _COOKING),
        ("Move the seedlings into the greenhouse before frost.", _GARDENING),
        ("Sow the first seeds in trays of moist soil.", _GARDENING),
        ("Compost and mulch keep the roses alive.", _GARDENING),
        ("Cut greenhouse herbs and simmer them in the soup.", _BOTH),
        ("A new bridge crosses the river.", _NONE),
    ),
}


def home_records(*, authored: tuple[str, ...] = ()) -> list[LabelRecord]:
    """Return 32 sentences in four groups; groups named in ``authored`` are no articles."""
    return [
        LabelRecord(
            id=f"{group}-{number}",
            article=group,
            text=text,
            topics=topics,
            source="authored" if group in authored else "article",
        )
        for group, sentences in SENTENCES.items()
        for number, (text, topics) in enumerate(sentences)
    ]


def home_dataset(*, authored: tuple[str, ...] = ()) -> Dataset:
    return make_dataset(home_records(authored=authored), TAXONOMY)


def record(identifier, text, *topics, **fields):
    return LabelRecord(identifier, fields.pop("article", "g"), text, topics, **fields)


def write_lines(path: Path, *objects: object) -> Path:
    """Write objects as JSON Lines; a string is written as it is."""
    lines = [o if isinstance(o, str) else json.dumps(o) for o in objects]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def with_relevance(Y):
    """Append the column that training adds: the sentence has any topic."""
    return np.column_stack([Y, Y.any(axis=1)])


def relevance(pipeline, texts):
    return pipeline[-1].predict_relevance(pipeline[:-1].transform(texts))


def tags_of(model, texts):
    """Tag with the fitted pipeline, calibration folded in, as its decision says."""
    relevant = relevance(model.pipeline, texts) >= model.decision.relevance_threshold
    likely = model.pipeline.predict_proba(texts) >= model.decision.thresholds
    return likely & relevant[:, None]


def repeated(data, copies):
    return data.subset(np.tile(np.arange(len(data)), copies))


def with_labels(data, rows, value):
    Y = data.Y.copy()
    Y[rows] = value
    return replace(data, Y=Y)


def apart(text, name):
    """Return a text with so many words of its own that it is no near copy of the other."""
    return " ".join([text, *(f"{name}{n}" for n in range(10))])
