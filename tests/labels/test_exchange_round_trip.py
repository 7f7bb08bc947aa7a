"""What is exported comes back equal, or with the loss that was said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import TAXONOMY, record

from topicml.labels.exchange.annotation import Columns
from topicml.labels.exchange.exporting import losses, write_export
from topicml.labels.exchange.formats import FORMATS, Format
from topicml.labels.exchange.importing import read_annotations
from topicml.labels.exchange.merge import Merged, Rules, merge
from topicml.labels.exchange.names import Names
from topicml.labels.records import LabelRecord
from topicml.labels.store import read_label_file
from topicml.taxonomy import Taxonomy, load_taxonomy

LABELS = Path(__file__).parents[2] / "data/labels"
LOSSLESS = [name for name in FORMATS if not FORMATS[name].loses]

ODD = ("\n", '"', "\t", "\r\n", "=1+1", "'=1", "''-2", "-2", "@a", "|", ";", "{", "[", "🚢", "日本")
texts = st.lists(
    st.sampled_from(ODD)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
    min_size=1,
    max_size=6,
).map("".join)
records = st.builds(
    LabelRecord,
    id=st.uuids().map(str),
    article=texts,
    text=texts,
    topics=st.sets(st.sampled_from(TAXONOMY.topic_ids)).map(lambda topics: tuple(sorted(topics))),
    source=st.sampled_from(["article", "authored", "archive"]),
    annotator=st.just("") | texts,
    status=st.sampled_from(["gold", "single", "skipped"]),
    start=st.none() | st.integers(0, 10**9),
    end=st.none() | st.integers(0, 10**9),
    round=st.none() | st.integers(0, 99),
    chosen=st.none() | texts,
)


def come_back(
    found: list[LabelRecord], name: Format, folder: Path, taxonomy: Taxonomy = TAXONOMY
) -> Merged:
    path = folder / f"labels{FORMATS[name].suffix}"
    write_export(found, name, taxonomy, path)
    names = Names(taxonomy, {})
    located = read_annotations([path], None, Columns(known=names.known), names)
    return merge(located, Rules(names, "new"))


def back(merged: Merged) -> list[LabelRecord]:
    return [found for _, found in merged.records]


@pytest.fixture(scope="module")
def committed() -> list[LabelRecord]:
    """Give the labels that are committed with their texts."""
    paths = sorted(LABELS.glob("*.jsonl"))
    found = [record for path in paths for record in read_label_file(path).records]
    return [record for record in found if record.source != "archive"]


def one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", get_args(Format))
def test_all_labels_of_the_repository_come_back(name, committed, tmp_path):
    merged = come_back(committed, name, tmp_path, load_taxonomy(LABELS / "taxonomy.toml"))
    assert len(committed) > 5000
    assert not merged.skipped
    if name in LOSSLESS:
        assert back(merged) == committed
        assert losses(committed, name, []) == []
    else:
        kept = {(one_line(found.text), found.topics) for found in committed}
        assert {(found.text, found.topics) for found in back(merged)} == kept
        lost = losses(committed, name, [])
        assert {"id", "article", "annotator", "repeated texts"} <= {*lost}
        assert not {"text", "topics"} & {*lost}


@pytest.mark.parametrize("name", LOSSLESS)
@given(found=st.lists(records, min_size=1, max_size=4, unique_by=lambda found: found.id))
def test_odd_texts_come_back(name, tmp_path_factory, found):
    folder = tmp_path_factory.getbasetemp()
    assert back(come_back(found, name, folder)) == found


@given(text=texts.filter(lambda text: text.split() and "\ufeff" not in text))
def test_odd_texts_come_back_from_fasttext_on_one_line(tmp_path_factory, text):
    found = replace(record("1", "one", "gardening", "cooking"), text=text)
    (again,) = back(come_back([found], "fasttext", tmp_path_factory.getbasetemp()))
    assert (again.text, again.topics) == (one_line(text), ("cooking", "gardening"))


@pytest.mark.parametrize("name", LOSSLESS)
def test_empty_and_skipped_stay_apart(name, tmp_path):
    empty, skipped = record("1", "one"), replace(record("2", "one"), status="skipped")
    merged = come_back([empty, skipped], name, tmp_path)
    assert back(merged) == [empty, skipped]
    assert (sum(merged.skipped.values()), merged.unread) == (0, 1)
    assert merged.unlabelled == 0


def test_fasttext_leaves_skipped_sentences_out_and_says_so(tmp_path):
    found = [record("1", "one", "cooking"), replace(record("2", "one"), status="skipped")]
    assert len(back(come_back(found, "fasttext", tmp_path))) == 1
    assert "skipped sentences" in losses(found, "fasttext", [])
