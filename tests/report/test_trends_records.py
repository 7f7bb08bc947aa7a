from __future__ import annotations

import gzip
import io
import json

import pytest
from conftest import write_jsonl

from topicml.errors import InputError
from topicml.io.sources import list_sources
from topicml.io.writers.output import Output
from topicml.io.writers.writer import write_stream
from topicml.report.trends_records import count_filtered, read_stories


def record(number, *topics, detail="sentence", **fields):
    sentences = [
        {"index": i, "start": i, "end": i + 1, "topics": list(topics[: i + 1]), "reason": None,
         "probabilities": dict.fromkeys(topics[: i + 1], 0.5)}
        for i in range(3)
    ]  # fmt: skip
    made = {
        "id": f"a{number}",
        "model": "weekend@1.0.0",
        "topics": [
            {"topic": t, "probability": 0.5, "sentences": list(range(i, 3))}
            for i, t in enumerate(topics)
        ],
        "reason": None,
        **({"sentences": sentences} if detail == "sentence" else {}),
        "duplicate_of": fields.pop("duplicate_of", None),
    }
    return {**made, **fields}


RECORDS = [
    record(1, "baking", "sailing", date="2024-01-02"),
    record(2, date="2024-01-03", duplicate_of="a1"),
    record(2, "sailing", date=None),  # an id that came before
]


def write(path, kind, keep=("date",), detail="sentence", records=RECORDS):
    output = Output(kind, "none", detail, ("baking", "sailing"), keep, dedupe=True)
    with path.open("wb") as file:
        write_stream([records], output, file)
    return path


def stories(*paths, stdin=b""):
    rejects = []
    sources = list_sources([str(path) for path in paths], results=True).sources
    found = [*read_stories(sources, io.BytesIO(stdin), note=[].append, on_reject=rejects.append)]
    return found, rejects


def seen(found):
    return [
        (s.id, s.model, dict(s.tagged), s.sentences, s.value("date") or None,
         s.fields["duplicate_of"] or None)
        for s in found
    ]  # fmt: skip


EXPECTED = [
    ("a1", "weekend@1.0.0", {"baking": 3, "sailing": 2}, 3, "2024-01-02", None),
    ("a2", "weekend@1.0.0", {}, 3, "2024-01-03", "a1"),
    ("a2", "weekend@1.0.0", {"sailing": 3}, 3, None, None),
]


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "parquet"])
@pytest.mark.parametrize("keep", [("date",), ("*",)])
def test_every_format_that_is_written_is_read_back(kind, keep, tmp_path):
    found, rejects = stories(write(tmp_path / f"tags.{kind}", kind, keep))
    assert seen(found) == EXPECTED
    assert not rejects


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_records_without_sentences_do_not_say_how_many_there_are(kind, tmp_path):
    short = [record(n, "baking", detail="article", date="2024") for n in range(3)]
    found, _ = stories(write(tmp_path / f"tags.{kind}", kind, detail="article", records=short))
    assert [(s.id, s.sentences) for s in found] == [("a0", None), ("a1", None), ("a2", None)]
    assert all(s.tagged.keys() == {"baking"} for s in found)


def test_standard_input_and_compressed_files_are_read(tmp_path):
    lines = "".join(json.dumps(r) + "\n" for r in RECORDS).encode()
    found, _ = stories("-", stdin=lines)
    assert seen(found) == EXPECTED
    path = tmp_path / "tags.jsonl.gz"
    path.write_bytes(gzip.compress(lines))
    assert seen(stories(path)[0]) == EXPECTED


def test_a_folder_of_outputs_is_read_without_what_lies_beside_them(tmp_path):
    write(tmp_path / "tags.jsonl", "jsonl")
    (tmp_path / "tags.jsonl.summary.json").write_text('{"filtered": 4}')
    (tmp_path / "tags.jsonl.rejects.jsonl").write_text("{}")
    found, _ = stories(tmp_path)
    assert seen(found) == EXPECTED
    sources = list_sources([str(tmp_path)], results=True).sources
    assert [count_filtered(source) for source in sources] == [4]


@pytest.mark.parametrize(
    "summary", [None, "", "[]", "[" * 100_000, '{"filtered": "x"}', '{"filtered": null}']
)
def test_without_a_summary_nothing_is_known_to_be_left_out(summary, tmp_path):
    path = write(tmp_path / "tags.jsonl", "jsonl")
    if summary is not None:
        (tmp_path / "tags.jsonl.summary.json").write_text(summary)
    assert count_filtered(list_sources([str(path)]).sources[0]) == 0


def test_a_broken_line_costs_no_other(tmp_path):
    path = write_jsonl(tmp_path / "tags.jsonl", RECORDS)
    with path.open("a") as file:
        file.write('{"id": "torn", "mod')
    found, rejects = stories(path)
    assert seen(found) == EXPECTED
    assert [(r.number, r.reason) for r in rejects] == [(4, "broken_json")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("texts.jsonl", '{"id": "a", "text": "A text."}\n'),
        ("cars.jsonl", '{"id": "a", "model": "Volvo"}\n'),
        ("article.txt", "A text that is no result."),
        ("table.csv", "id,text\na,b\n"),
    ],
)
def test_what_is_no_result_is_refused(name, text, tmp_path):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match="no results of topicml") as caught:
        stories(path)
    assert caught.value.where == str(path)


def test_fields_that_are_not_as_topicml_writes_them_say_nothing(tmp_path):
    rows = [
        record(1) | {"topics": [{"topic": "baking", "sentences": 5}, {"topic": 7}, "baking"]},
        record(2, "baking") | {"sentences": 3, "fields": "5"},
        record(3) | {"fields": "[" * 100_000},
        record(4) | {"topics": None},
        record(5) | {"topics": 3},
    ]
    found, rejects = stories(write_jsonl(tmp_path / "tags.jsonl", rows))
    assert [dict(story.tagged) for story in found] == [{"baking": 1}, {"baking": 3}, {}]
    assert [story.sentences for story in found] == [3, None, 3]
    assert [(r.number, r.reason) for r in rejects] == [(4, "wrong_type"), (5, "wrong_type")]


def test_hosts_are_those_of_addresses(tmp_path):
    rows = [
        record(1, url="https://www.Example.org:80/a"),
        record(2) | {"id": "http://b.org/"},
        record(3, url="ftp://c.org/"),
        record(4, url=7),
    ]
    found, _ = stories(write_jsonl(tmp_path / "tags.jsonl", rows))
    assert [s.host for s in found] == ["example.org", "b.org", None, None]
