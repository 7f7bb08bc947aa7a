"""A new project: a taxonomy to fill in, labels to look at, and what to do next."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict
from pathlib import Path

from topicml.errors import OutputError, TaxonomyError
from topicml.files import write_text, writing
from topicml.project.folder import LABELS, MODELS, TAXONOMY
from topicml.scheme import Kind, Scheme
from topicml.taxonomy import ID

EXAMPLE = LABELS / "labels.jsonl.example"

_TAXONOMY = """\
# The label scheme of this project: which topics there are, and when a text carries one.
# These are examples: write your own. All keys: docs/schemes.md of topicml.

name = {name}  # of the models, too: lower-case words joined by hyphens
title = {name}  # for readers
version = "1.0"  # raise it where labels change

# "multilabel": a text carries none, one or several topics; "multiclass": exactly one.
kind = {kind}

# Of the texts. The rules that tell other languages and the page around an article apart are for
# English ("en") and are not applied in any other.
language = {language}

# For the model card; leave out what you do not want to say.
# license = "mit"
# meant_for = "news sentences"

# Read by annotators above the topics: topicml labels codebook
introduction = \"\"\"
What a text is, and what the topics are for.
\"\"\"

# What holds for all topics.
rules = ["Label what the text says standing alone."]

# A topic each: id (lower-case words joined by hyphens), name, definition; excludes and settled
# may be left out. Their order is the order of columns everywhere.
[[topics]]
id = "delivery"
name = "Delivery"
definition = "when, where and how something is delivered"
excludes = "what is delivered"
settled = ["A broken parcel is delivery; what was broken in it before is not."]

[[topics]]
id = "billing"
name = "Billing"
definition = "invoices, prices and payments"

[[topics]]
id = "service"
name = "Service"
definition = "how customers are answered and helped"

# Texts with their right topics, as examples for annotators; near: topics that a text only seems to
# carry. They may be left out.
[[cases]]
text = "The parcel came a week late."
topics = ["delivery"]
near = ["service"]
"""

_README = """\
# {name}

A label scheme, labels and models of one's own, for [topicml](https://pypi.org/project/topicml/).

| path | what |
|---|---|
| `{taxonomy}` | the label scheme: topics, {kind}, language `{language}` |
| `{labels}/*.jsonl` | labels, one text a line |
| `{models}/` | model versions, each with a card that says how good it is |

Commands find all of it from anywhere in this folder.

1. Write your topics into `{taxonomy}`.
2. Write labels into `{labels}/labels.jsonl`, a JSON object a line, like those of
   `{example}`, which is not read:

   `{line}`

   `id` is unique. {topics}
   `article` names the document, or whatever texts belong together: none is ever both learned from
   and judged by, and three at least are needed. To leave a text out, add `"status": "skipped"`. For
   text that was made up for training, add `"source": "authored"`, and give `train` and `evaluate`
   the option `--by group` where all of it was.
3. Then:

```console
$ topicml labels check
$ topicml labels stats
$ topicml train
$ topicml evaluate
$ topicml classify TEXT.txt
$ topicml batch TEXTS.jsonl --output tags.jsonl
```
"""
_TOPICS: dict[Kind, str] = {
    "multilabel": "`topics` are all that the text carries; `[]`, none, is a label too.",
    "multiclass": "`topics` is the one that the text carries.",
}
_MODELS = "Model versions, written by `topicml train`, a folder each.\n"
_EXAMPLES: tuple[tuple[str, str, list[str]], ...] = (
    ("letter-1", "The parcel came a week late.", ["delivery"]),
    ("letter-1", "You charged me twice for it.", ["billing"]),
    ("letter-2", "Nobody answers the telephone.", ["service"]),
)
_EXAMPLES_OF_MANY: tuple[tuple[str, str, list[str]], ...] = (
    ("letter-3", "I paid for express, and was told to wait.", ["billing", "delivery", "service"]),
    ("letter-3", "It is Tuesday.", []),
)


def start_project(folder: Path, name: str | None, scheme: Scheme) -> list[Path]:
    """Write the files of a new project.

    Args:
        folder: Of the project; made where it is not there.
        name: Of the scheme and its models; None for the folder's.
        scheme: Kind and language.

    Returns:
        The files.

    Raises:
        TaxonomyError: The name cannot be that of a model.
        OutputError: One of them is there already, and then none is written; or the folder cannot
            be written to.
    """
    name = _name_of(folder) if name is None else name
    if not ID.match(name):
        raise TaxonomyError(
            f"name {name!r} is not made of lower-case words joined by hyphens",
            hint="Write it like 'customer-letters'.",
        )
    files = {folder / part: text for part, text in _contents(name, scheme).items()}
    for path in files:
        if os.path.lexists(path):
            raise OutputError("exists already", where=path, hint="Give a folder without it.")
        for parent in path.parents:  # before anything is written
            if os.path.lexists(parent) and not parent.is_dir():
                raise OutputError("is no folder", where=parent, hint="Give a folder without it.")
    for path, text in files.items():
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    return [*files]


def _name_of(folder: Path) -> str:
    return (
        re.sub(r"[^a-z0-9]+", "-", Path(os.path.realpath(folder)).name.lower()).strip("-")
        or "my-topics"
    )


def _contents(name: str, scheme: Scheme) -> dict[Path, str]:
    examples = _EXAMPLES if scheme.is_multiclass else _EXAMPLES + _EXAMPLES_OF_MANY
    lines = [
        json.dumps({"id": f"{number}", "article": article, "text": text, "topics": topics})
        for number, (article, text, topics) in enumerate(examples, start=1)
    ]
    stated = {key: json.dumps(value) for key, value in asdict(scheme).items()}
    readme = _README.format(
        **{"name": name, **asdict(scheme), "line": lines[0], "topics": _TOPICS[scheme.kind]},
        taxonomy=TAXONOMY,
        labels=LABELS,
        models=MODELS,
        example=EXAMPLE,
    )
    return {
        TAXONOMY: _TAXONOMY.format(name=json.dumps(name), **stated),
        EXAMPLE: "".join(f"{line}\n" for line in lines),
        MODELS / "README.md": _MODELS,
        Path("README.md"): readme,
    }
