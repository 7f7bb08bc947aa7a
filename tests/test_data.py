"""The committed articles, labels and annotations belong together."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from topicml.labels.agreement import differences
from topicml.labels.archives import read_archives
from topicml.labels.checks import check_labels
from topicml.labels.fields import read_jsonl
from topicml.labels.records import read_annotations, read_labels
from topicml.labels.references import read_references
from topicml.labels.store import read_label_file
from topicml.taxonomy import load_taxonomy

DATA = Path(__file__).parents[1] / "data"
RAW = DATA / "raw"
LABELS = DATA / "labels"
ANNOTATIONS = LABELS / "annotations"
LABEL_FILES = sorted(LABELS.glob("*.jsonl"))
REFERENCES = LABELS / "real.jsonl"
JSONL_FILES = [*LABEL_FILES, *sorted(ANNOTATIONS.glob("*.jsonl"))]


@pytest.fixture(scope="module")
def manifest():
    return json.loads((RAW / "manifest.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def raw(manifest):
    return {entry["id"]: (RAW / entry["file"]).read_bytes().decode("utf-8") for entry in manifest}


@pytest.fixture(scope="module")
def records():
    return read_labels(LABELS / "articles.jsonl")


@pytest.fixture(scope="module")
def passes():
    return [read_annotations(ANNOTATIONS / f"articles.pass-{number}.jsonl") for number in (1, 2)]


@pytest.fixture(scope="module")
def adjudications():
    path = ANNOTATIONS / "articles.adjudication.jsonl"
    return [fields for _, fields in read_jsonl(path)]


@pytest.fixture(scope="module")
def taxonomy():
    return load_taxonomy(LABELS / "taxonomy.toml")


def test_raw_articles_are_byte_for_byte_those_of_the_manifest(manifest):
    assert len(manifest) == 5
    for entry in manifest:
        content = (RAW / entry["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], entry["file"]


def test_manifest_lists_every_raw_article(manifest):
    assert sorted(entry["file"] for entry in manifest) == sorted(
        path.name for path in RAW.glob("*.txt")
    )


def test_titles_of_the_manifest_stand_in_the_article(manifest, raw):
    titles = [entry for entry in manifest if entry["title"] is not None]
    assert titles
    for entry in titles:
        assert entry["title"] in raw[entry["id"]]


def test_every_labelled_sentence_stands_at_its_offsets(records, raw):
    assert len(records) == 116
    for record in records:
        assert raw[record.article][record.start : record.end] == record.text, record.id


def test_sentences_of_an_article_cover_it_in_order_without_overlap(records, raw):
    for article, text in raw.items():
        spans = [(r.start, r.end) for r in records if r.article == article]
        assert spans == sorted(spans)
        gaps = [0, *(offset for span in spans for offset in span), len(text)]
        between = [text[gaps[i] : gaps[i + 1]] for i in range(0, len(gaps), 2)]
        assert "".join(between).strip() == "", article


def test_sentence_ids_are_unique_and_name_article_and_position(records):
    positions = {}
    for record in records:
        position = positions.setdefault(record.article, 0)
        assert record.id == f"{record.article}-{position:03d}"
        positions[record.article] += 1


def test_labels_are_gold_from_real_articles(records):
    assert {(r.source, r.status) for r in records} == {("article", "gold")}


@pytest.mark.parametrize("path", JSONL_FILES, ids=lambda path: path.name)
def test_lines_have_sorted_keys_and_stand_in_the_order_of_ids(path):
    content = path.read_bytes().decode("utf-8")
    assert content.endswith("\n")
    lines = content.removesuffix("\n").split("\n")
    objects = [json.loads(line) for line in lines]
    assert lines == [json.dumps(o, ensure_ascii=False, sort_keys=True) for o in objects]
    assert [o["id"] for o in objects] == sorted({o["id"] for o in objects})
    assert all(o["topics"] == sorted(o["topics"]) for o in objects)


@pytest.mark.parametrize("path", LABEL_FILES, ids=lambda path: path.name)
def test_label_files_are_what_writing_them_again_would_give(path):
    content = path.read_bytes().decode("utf-8")
    labels = read_references(path) if path == REFERENCES else read_labels(path)
    assert "".join(label.to_json() + "\n" for label in labels) == content


def test_labels_by_reference_have_no_text_and_point_into_pinned_archives():
    archives = read_archives(LABELS / "archives.toml")
    references = read_references(REFERENCES)
    assert len(references) >= 8000
    assert {r.pointer.repository for r in references} == archives.keys()
    assert all("text" not in fields for _, fields in read_jsonl(REFERENCES))


def test_labels_by_reference_are_gold_where_two_blind_readings_agree():
    readings = {
        reading.id: reading.topics
        for reading in read_annotations(ANNOTATIONS / "real.second-reading.jsonl")
    }
    references = {r.id: r for r in read_references(REFERENCES)}
    assert readings.keys() <= references.keys()
    agreed = {i for i, topics in readings.items() if references[i].topics == topics}
    gold = {r.id for r in references.values() if r.status == "gold"}
    assert agreed <= gold
    assert {references[i].annotator for i in gold - agreed} <= {"adjudicated"}


def test_both_passes_cover_every_sentence(records, passes):
    ids = [record.id for record in records]
    for one in passes:
        assert [annotation.id for annotation in one] == ids


def test_passes_are_of_two_annotators(passes):
    first, second = ({annotation.annotator for annotation in one} for one in passes)
    assert len(first) == len(second) == 1
    assert first.isdisjoint(second)


def test_every_annotation_has_known_topics(passes, adjudications, taxonomy):
    given = {topic for one in passes for annotation in one for topic in annotation.topics}
    given |= {topic for fields in adjudications for topic in fields["topics"]}
    assert given <= set(taxonomy.topic_ids)
    assert given


def test_adjudication_explains_exactly_the_sentences_that_differ(passes, adjudications):
    differing = [
        (a.id, list(a.topics), list(b.topics)) for a, b in differences(passes[0], passes[1])
    ]
    explained = [(f["id"], f["pass_1"], f["pass_2"]) for f in adjudications]
    assert explained == differing
    assert all(fields["reason"].strip() for fields in adjudications)


def test_gold_is_what_the_passes_agree_on_or_the_adjudication_says(records, passes, adjudications):
    expected = {annotation.id: annotation.topics for annotation in passes[0]}
    expected |= {fields["id"]: tuple(fields["topics"]) for fields in adjudications}
    assert {record.id: record.topics for record in records} == expected


def test_codebook_is_the_rendered_taxonomy(taxonomy):
    codebook = (LABELS / "CODEBOOK.md").read_bytes().decode("utf-8")
    assert codebook == taxonomy.to_markdown()


def test_label_files_have_no_error(taxonomy, raw):
    assert LABEL_FILES
    files = [read_label_file(path) for path in LABEL_FILES]
    records = {file.path: file.records for file in files}
    without_text = {file.path: file.without_text for file in files}
    findings = check_labels(records, taxonomy, raw, without_text)
    errors = [finding for finding in findings if finding.severity == "error"]
    assert list(map(str, errors)) == []


def test_what_was_read_again_is_what_the_labels_say():
    readings = {r.id: r.topics for r in read_annotations(ANNOTATIONS / "rereading.jsonl")}
    paths = [LABELS / "authored.jsonl", LABELS / "real.jsonl"]
    labels = {fields["id"]: tuple(fields["topics"]) for p in paths for _, fields in read_jsonl(p)}
    assert len(readings) == 1734
    assert {i: labels[i] for i in readings} == readings


def test_pool_names_every_document_with_a_label():
    lines = (LABELS / "pool.tsv").read_text(encoding="utf-8").splitlines()
    labelled = {
        f"{fields['repository']}\t{fields['path']}"
        for _, fields in read_jsonl(LABELS / "real.jsonl")
    }
    assert len(lines) == len(set(lines)) == 2380
    assert labelled <= set(lines)
