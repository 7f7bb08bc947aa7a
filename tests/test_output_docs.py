"""`docs/output.md` names every field, reason, format and reject code there is, and no others."""

import json
import re
from pathlib import Path
from typing import get_args

from conftest import Tiny

from topicml.explain.explainer import Explainer
from topicml.explain.nearest import load_labelled
from topicml.io.records import REASONS, Reject
from topicml.io.writers.output import FORMATS
from topicml.models.folder import open_model
from topicml.tagging.abstention import Reason
from topicml.tagging.articles import FIELDS
from topicml.tagging.tagger import Tagger
from topicml.text.document import Document

PAGE = (Path(__file__).parents[1] / "docs/output.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def first_cells(text: str) -> list[str]:
    return [cell for row in re.findall(r"^\| (`.*?) \|", text, re.M) for cell in row.split(", ")]


def test_every_field_of_a_record_is_there(tiny: Tiny) -> None:
    model = open_model(tiny.folder)
    (article,) = Tagger(model.scorer, "m").tag([Document("a", "The dough is in the oven.")])
    record = article.to_dict()
    fields = {*FIELDS} - {"sentences"}
    for name in ("topics", "sentences"):
        fields |= {f"{name}[].{field}" for field in record[name][0]}
    fields.add("sentences[].explanation")
    assert {cell.strip("`") for cell in first_cells(section("A record"))} == fields


def paths_of(value: object, name: str = "") -> set[str]:
    """All fields of a record by their paths, below lists of objects, too."""
    if isinstance(value, list):
        return set().union(
            *(paths_of(item, f"{name}[]") for item in value if isinstance(item, dict))
        )
    if not isinstance(value, dict):
        return set()
    inside = {f"{name}.{key}".lstrip("."): item for key, item in value.items()}
    return inside.keys() | set().union(*(paths_of(item, path) for path, item in inside.items()))


def test_every_field_of_an_explanation_is_there(tiny: Tiny) -> None:
    model = open_model(tiny.folder)
    explainer = Explainer(model, labelled=load_labelled(model, [tiny.labels]))
    explanation = explainer.explain("The dough is in the oven.")
    named: dict[str, str] = {}
    for cells, _, of in re.findall(
        r"^\| (`.*?) \| (.*) \| (.*?) \|$", section("Explanations"), re.M
    ):
        named |= dict.fromkeys(re.findall(r"`(.*?)`", cells), of)
    for full, rows in ((True, {"both", "`explain`"}), (False, {"both"})):
        record = {**explanation.to_dict(full=full), "relevance": None}
        assert paths_of(record) == {name for name, of in named.items() if of in rows}


def test_the_example_has_the_fields_of_a_record() -> None:
    example = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.S)[0])
    assert list(example) == ["id", "model", "topics", "reason", "sentences"]
    (sentence,) = example["sentences"]
    assert sentence["end"] - sentence["start"] == len(sentence["text"])


def test_every_reason_is_there() -> None:
    found = [cell.strip("`") for cell in first_cells(section("Reasons for no topic"))]
    assert found == [*get_args(Reason)]


def test_every_reject_field_and_code_is_there() -> None:
    fields, codes = section("Rejects").split("| code | means |")
    assert [cell.strip("`") for cell in first_cells(fields)] == [
        *Reject("f", 1, "failed", "", b"", 0).to_dict()
    ]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", codes, re.M))
    assert rows == REASONS


def test_every_output_format_is_there() -> None:
    assert all(f"`.{name}`" in section("Formats") for name in FORMATS)
