"""`docs/labels.md`: its examples are read, its fields and formats are those there are."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from topicml.labels.exchange.annotation import Columns
from topicml.labels.exchange.formats import FORMATS, sniff
from topicml.labels.exchange.names import Names, read_map
from topicml.labels.exchange.source import read_source
from topicml.labels.records import LabelRecord, read_labels
from topicml.taxonomy import load_taxonomy

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/labels.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"### `([\w-]+)`\n\n```\w+\n(.*?)```", PAGE, re.S))


def test_every_format_is_there():
    assert {*EXAMPLES} == {*FORMATS} - {"tsv"}
    table = PAGE.split("| `--format` |")[1].split("\n\n")[0]
    assert {name for name in re.findall(r"`([a-z-]+)`", table) if name in FORMATS} == {*FORMATS}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_of_a_format_is_read(name, tmp_path):
    path = tmp_path / f"example{FORMATS[name].suffix}"
    path.write_text(EXAMPLES[name], encoding="utf-8")
    source = read_source(path)
    assert sniff(source) == name
    (annotation,) = FORMATS[name].read(source, Columns())
    assert (annotation.text, annotation.labels) == ("The ministers met in Tokyo.", ("diplomacy",))


def test_example_of_a_label_is_read_and_every_field_is_there(tmp_path):
    section = PAGE.split("## A label file\n")[1].split("\n## ")[0]
    path = tmp_path / "labels.jsonl"
    path.write_text(re.findall(r"```json\n(.*?)```", section, re.S)[0], encoding="utf-8")
    (found,) = read_labels(path)
    assert found.to_json() + "\n" == path.read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`.*?) \|", section, re.M)
    named = {name.strip("`") for cell in cells for name in cell.split(", ")}
    assert named == {field.name for field in fields(LabelRecord)} - {"line"}


def test_taxonomy_and_map_are_read(tmp_path):
    taxonomy, names = re.findall(r"```toml\n(.*?)```", PAGE, re.S)
    path = tmp_path / "example.toml"
    path.write_text(taxonomy, encoding="utf-8")
    found = load_taxonomy(path)
    assert found.topics[0].settled
    assert {*tomllib.loads(taxonomy)} == {
        *("name", "version", "title", "introduction", "rules", "topics", "cases")
    }
    path.write_text(names, encoding="utf-8")
    scheme = load_taxonomy(ROOT / "data/labels/taxonomy.toml")
    mapped = Names(scheme, read_map(path, scheme))
    assert mapped.topics(["Nothing", "Talks"]) == {"diplomacy", "alliance-commitment"}
