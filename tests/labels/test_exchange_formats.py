"""Files as annotation tools write them, read format by format."""

from __future__ import annotations

import codecs
import contextlib
import csv
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import TAXONOMY, record

from topicml.errors import LabelError
from topicml.labels.exchange.annotation import Columns
from topicml.labels.exchange.exporting import write_export
from topicml.labels.exchange.formats import FORMATS, format_by_suffix, sniff
from topicml.labels.exchange.source import read_source


def write(path, *objects):
    """Write an array to .json, lines to .jsonl, and text as it is."""
    if isinstance(objects[0], bytes):
        path.write_bytes(objects[0])
    elif path.suffix == ".json":
        path.write_text(json.dumps(objects), encoding="utf-8")
    else:
        path.write_text("".join(json.dumps(o) + "\n" for o in objects), encoding="utf-8")
    return path


def read(path, **columns):
    source = read_source(path)
    return list(FORMATS[sniff(source)].read(source, Columns(**columns)))


def labels(path, **columns):
    return [annotation.labels for annotation in read(path, **columns)]


def choices(*names, control="topics", kind="choices"):
    value = {"choices": [*names]}
    return {"from_name": control, "to_name": "text", "type": kind, "value": value}


DOCCANO = {"id": 1, "text": "Fry.", "label": ["a"]}
TASK = {"id": 1, "data": {"text": "Fry."}, "annotations": [{"result": [choices("a")]}]}
MINIMAL = {"id": 1, "text": "Fry.", "topics": "a", "annotation_id": 7, "annotator": 2}
BINARY = {"text": "Fry.", "label": "a", "answer": "accept", "_input_hash": 5, "_task_hash": 6}
CHOICE = {
    "text": "Fry.",
    "options": [{"id": "a", "text": "A"}, {"id": "b", "text": "B"}],
    "accept": ["a"],
    "answer": "accept",
}
ARGILLA = {
    "id": "r1",
    "fields": {"text": "Fry."},
    "responses": {"topics": [{"value": ["a"], "user_id": "u1"}]},
}
CATS = {"text": "Fry.", "cats": {"a": 1, "b": 0}}


@pytest.mark.parametrize(
    ("name", "file", "content"),
    [
        ("doccano", "a.jsonl", DOCCANO),
        ("label-studio", "a.json", TASK),
        ("label-studio-min", "a.json", MINIMAL),
        ("prodigy", "a.jsonl", BINARY),
        ("prodigy", "a.jsonl", CHOICE),
        ("argilla", "a.json", ARGILLA),
        ("cats", "a.jsonl", CATS),
        ("csv", "a.csv", b"text,topics\nFry.,a\n"),
        ("tsv", "a.tsv", b"text\ttopics\nFry.\ta\n"),
        ("fasttext", "a.txt", b"__label__a Fry.\n"),
    ],
)
def test_format_is_found_by_content(tmp_path, name, file, content):
    path = write(tmp_path / file, content)
    assert sniff(read_source(path)) == name
    (annotation,) = read(path)
    assert (annotation.text, annotation.labels) == ("Fry.", ("a",))


@pytest.mark.parametrize(
    ("file", "content", "could_be"),
    [
        ("a.jsonl", {"text": "Fry."}, "doccano, label-studio, label-studio-min, prodigy, argilla"),
        ("a.jsonl", DOCCANO | CATS, "doccano, cats"),
        ("a.txt", b"Fry.\n", "csv, tsv, fasttext"),
    ],
)
def test_error_says_which_formats_it_could_be(tmp_path, file, content, could_be):
    with pytest.raises(LabelError, match="format is not plain") as caught:
        read(write(tmp_path / file, content))
    assert could_be in caught.value.hint
    assert "--format" in caught.value.hint


def test_suffix_tells_where_it_is_that_of_one_format(tmp_path):
    assert format_by_suffix(tmp_path / "a.CSV") == "csv"
    assert format_by_suffix(tmp_path / "a.txt") == "fasttext"
    with pytest.raises(LabelError, match="not plain") as caught:
        format_by_suffix(tmp_path / "a.json")
    assert "label-studio, label-studio-min, argilla:" in caught.value.hint


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize(
    ("file", "lines"),
    [
        ("a.jsonl", [b'{"id": 1, "text": "Fry.", "label": ["a"]}']),
        ("a.csv", [b"text,topics", b"Fry.,a"]),
        ("a.txt", [b"__label__a Fry."]),
    ],
)
def test_marks_and_line_ends_of_windows_are_read(tmp_path, file, lines, mark, end):
    path = tmp_path / file
    path.write_bytes(mark + end.join([*lines, b""]))
    assert labels(path) == [("a",)]


def test_doccano_has_integer_ids_and_metadata_beside(tmp_path):
    rows = [DOCCANO | {"id": 0, "doc": "spring", "label": ["b", "a", "b"]}, DOCCANO | {"id": 2}]
    first, second = read(write(tmp_path / "a.jsonl", *rows))
    assert (first.id, first.article, first.labels) == ("0", "spring", ("b", "a", "b"))
    assert (second.id, second.article) == ("2", "")


def test_doccano_without_labels_does_not_say_that_there_are_none(tmp_path):
    rows = [DOCCANO, DOCCANO | {"label": []}, {"id": 3, "text": "Sow."}]
    _, empty, missing = read(write(tmp_path / "a.jsonl", *rows))
    assert (empty.labels, empty.is_said) == ((), False)
    assert (missing.labels, missing.skipped) == (None, "no label")


def test_marks_on_parts_of_a_text_are_refused(tmp_path):
    path = write(tmp_path / "a.jsonl", DOCCANO | {"label": [[0, 3, "a"]]})
    with pytest.raises(LabelError, match="list of names") as caught:
        read(path)
    assert caught.value.where == f"{path}:1"


def test_label_studio_has_an_annotation_each(tmp_path):
    task = TASK | {
        "annotations": [
            {"result": [choices("a", "b")], "completed_by": 3, "ground_truth": True},
            {"result": [], "completed_by": {"id": 4, "email": "x@y"}},
            {"result": [choices("a")], "was_cancelled": True, "completed_by": 5},
        ]
    }
    found = read(write(tmp_path / "a.json", task, TASK | {"id": 2, "annotations": []}))
    assert [(a.labels, a.annotator, a.is_ground_truth, a.skipped) for a in found] == [
        (("a", "b"), "3", True, "was_cancelled"),
        ((), "x@y", False, "was_cancelled"),
        (None, "5", False, "was_cancelled"),
        (None, "", False, "no annotation"),
    ]
    assert found[1].is_said


def test_label_studio_with_several_controls_asks_which(tmp_path):
    result = [choices("a"), choices("good", control="tone"), choices("x", kind="textarea")]
    path = write(tmp_path / "a.json", TASK | {"annotations": [{"result": result}]})
    with pytest.raises(LabelError, match="several places: tone, topics") as caught:
        read(path)
    assert "--label-field" in caught.value.hint
    assert labels(path, label="tone") == [("good",)]
    with pytest.raises(LabelError, match="no labels in 'mood'"):
        read(path, label="mood")


def test_json_min_has_bare_strings_lists_and_nothing(tmp_path):
    several = MINIMAL | {"topics": {"choices": ["a", "b"]}}
    none = {name: value for name, value in MINIMAL.items() if name != "topics"}
    found = read(write(tmp_path / "a.json", MINIMAL, several, none))
    assert [a.labels for a in found] == [("a",), ("a", "b"), ()]
    assert [a.is_said for a in found] == [True, True, False]
    assert {a.annotator for a in found} == {"2"}


def test_json_min_takes_the_field_with_choices_among_others(tmp_path):
    rows = [{"text": "Fry.", "url": "u", "tone": {"choices": ["a", "b"]}, "annotation_id": 1}]
    assert labels(write(tmp_path / "a.json", *rows)) == [("a", "b")]


def test_prodigy_binary_says_something_of_one_label(tmp_path):
    rows = [BINARY, BINARY | {"answer": "reject"}, BINARY | {"answer": "ignore"}]
    yes, no, ignored = read(write(tmp_path / "a.jsonl", *rows))
    assert (yes.labels, yes.asked) == (("a",), {"a"})
    assert (no.labels, no.asked) == ((), {"a"})
    assert (ignored.labels, ignored.skipped) == (None, "ignore")
    assert yes.id == "5"


def test_prodigy_choice_of_nothing_is_the_empty_set(tmp_path):
    rows = [
        *(CHOICE, CHOICE | {"accept": []}, CHOICE | {"answer": "ignore"}),
        *(CHOICE | {"answer": "reject"}, {"text": "Fry.", "options": CHOICE["options"]}),
    ]
    found = read(write(tmp_path / "a.jsonl", *rows))
    assert [a.labels for a in found] == [("a",), (), None, None, None]
    assert [a.skipped for a in found[2:]] == ["ignore", "reject", "no answer"]
    assert found[0].asked == {"a", "b"}
    assert found[1].is_said


def test_prodigy_options_by_number_have_the_names_that_were_shown(tmp_path):
    options = [{"id": 1, "text": "a"}, {"id": 2, "text": "b"}]
    path = write(tmp_path / "a.jsonl", CHOICE | {"options": options, "accept": [2]})
    assert labels(path) == [("b",)]


def test_unknown_answer_is_refused(tmp_path):
    with pytest.raises(LabelError, match="'answer' is"):
        read(write(tmp_path / "a.jsonl", BINARY | {"answer": ["yes"]}))


def test_argilla_has_a_response_each(tmp_path):
    given = [
        *({"value": ["a"], "user_id": "u1"}, {"value": [], "user_id": "u2"}),
        *({"value": ["a"], "status": "draft"}, {"value": None}, {"value": "b"}),
    ]
    rows = [ARGILLA | {"responses": {"topics": given}}, ARGILLA | {"responses": {}}]
    found = read(write(tmp_path / "a.json", *rows))
    assert [a.labels for a in found] == [("a",), (), None, None, ("b",), None]
    assert [a.annotator for a in found[:2]] == ["u1", "u2"]
    assert [a.skipped for a in found if a.labels is None] == ["draft", *["no response"] * 2]


def test_cats_name_what_was_asked_for(tmp_path):
    rows = [CATS, CATS | {"cats": {"a": 0.0}}, CATS | {"cats": {}}, CATS | {"cats": {"b": True}}]
    found = read(write(tmp_path / "a.jsonl", *rows))
    assert [a.labels for a in found] == [("a",), (), None, ("b",)]
    assert [a.asked for a in found] == [{"a", "b"}, {"a"}, set(), {"b"}]
    with pytest.raises(LabelError, match=r"'cats' has 0\.7 for 'a'"):
        read(write(tmp_path / "b.jsonl", CATS | {"cats": {"a": 0.7}}))


@pytest.mark.parametrize("cell", ["a|b", "b; a", '"a,b"', "a#b", "b|a|b", '"[""a"", ""b""]"'])
def test_names_in_a_cell_are_taken_apart(tmp_path, cell):
    (found,) = labels(write(tmp_path / "a.csv", f"text,topics\nFry.,{cell}\n".encode()))
    assert {*found} == {"a", "b"}


def test_name_that_is_known_whole_is_not_taken_apart(tmp_path):
    path = write(tmp_path / "a.csv", b'text,label\nFry.,"Defense, policy"\n')
    assert labels(path, known={"Defense, policy"}) == [("Defense, policy",)]
    assert labels(path) == [("Defense", "policy")]


def test_table_with_semicolons_quoted_lines_and_other_columns(tmp_path):
    content = 'id;body;tags\r\n7;"Fry\r\nit; now";a|b\r\n8;Sow.;\r\n'.encode("cp1252")
    first, second = read(write(tmp_path / "a.csv", content), text="body", label="tags")
    assert (first.id, first.text, first.labels) == ("7", "Fry\r\nit; now", ("a", "b"))
    assert (second.number, second.labels, second.is_said) == (4, (), False)


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        (b"body,topics\nFry.,a\n", 1, "no column 'text'"),
        (b"text,body\nFry.,a\n", 1, "no column 'topics'"),
        (b"text,topics,label\nFry.,a,b\n", 1, "labels in several columns: topics, label"),
        (b"text,topics,topics\nFry.,a,b\n", 1, "two columns are called 'topics'"),
        (b"text,topics\nFry.\n", 2, "1 cells under 2 names"),
        (b'text,topics\n"Fry" it.,a\n', 2, "no row of cells"),
        (b"text,topics\n,a\n", 2, "no text in 'text'"),
        (b"text,topics,record_id,record_start\nFry.,a,1,x\n", 2, "record_start is 'x'"),
    ],
)
def test_wrong_tables_are_named_by_line(tmp_path, content, line, what):
    path = write(tmp_path / "a.csv", content)
    with pytest.raises(LabelError, match=what) as caught:
        read(path)
    assert caught.value.where == f"{path}:{line}"


def test_cells_that_a_spreadsheet_would_run_are_defused(tmp_path):
    found = [record("=1", "=cmd|' /C calc'!A0"), record("2", "'=x"), record("3", "-2.5")]
    path = tmp_path / "a.csv"
    write_export(found, "csv", TAXONOMY, path)
    written = path.read_text("utf-8").splitlines()
    assert written[1].startswith("'=1,'=cmd|")
    assert written[2].startswith("2,''=x,")
    assert written[3].startswith("3,-2.5,")
    assert [annotation.text for annotation in read(path)] == [one.text for one in found]


@pytest.mark.parametrize("text", ["__label__x is a word", " \n "])
def test_fasttext_refuses_texts_that_it_cannot_hold(tmp_path, text):
    with pytest.raises(LabelError, match="the text of '1'"):
        write_export([record("1", text)], "fasttext", TAXONOMY, tmp_path / "a.txt")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("file", "content", "what"),
    [
        ("a.jsonl", b'{"text": "Fry."\n', "not valid JSON"),
        ("a.json", b"[1]", "expected an object, found int"),
        ("a.jsonl", b'{"text": 1, "label": []}\n', "no text in 'text'"),
        ("a.jsonl", b'{"text": "\\ud800", "label": []}\n', "lone surrogate"),
        ("a.jsonl", b'{"text": "x", "cats": {}, "meta": 1}\n', "'meta' must be an object"),
        ("a.json", b'[{"data": {"text": "x"}, "annotations": 1}]', "'annotations' must be a list"),
        ("a.jsonl", b'{"text": "x", "label": [], "id": {"n": 1}}\n', "is text or a number, found"),
        ("a.jsonl", b'{"text": "x", "label": [], "doc": ["n"]}\n', "is text or a number, found"),
        ("a.jsonl", b'{"text": "x", "label": [], "label": ["a"]}\n', "'label' is given twice"),
        ("a.json", b'[{"data": {"text": "x", "text": "y"}}]', "'text' is given twice"),
    ],
)
def test_broken_items_are_named(tmp_path, file, content, what):
    path = write(tmp_path / file, content)
    with pytest.raises(LabelError, match=what) as caught:
        read(path)
    assert caught.value.where in {f"{path}:1", str(path)}


@pytest.mark.parametrize("example", [DOCCANO, MINIMAL, BINARY, CHOICE, ARGILLA, CATS, TASK])
def test_field_of_labels_that_no_item_has_is_refused(tmp_path, example):
    path = write(tmp_path / "a.jsonl", example, example)
    with pytest.raises(LabelError, match="no labels in 'genre'") as caught:
        read(path, label="genre")
    assert caught.value.hint.startswith("There are")


def test_fasttext_has_no_field_of_labels(tmp_path):
    path = write(tmp_path / "a.txt", b"__label__a Fry.\n")
    with pytest.raises(LabelError, match="no labels in 'genre'"):
        read(path, label="genre")


def test_text_of_any_length_comes_back_from_a_table(tmp_path):
    limit = csv.field_size_limit(1_000)
    try:
        long = record("1", "Fry. " * 2_000, "cooking")
        write_export([long], "csv", TAXONOMY, tmp_path / "long.csv")
        (found,) = read(tmp_path / "long.csv")
    finally:
        csv.field_size_limit(limit)
    assert found.text == long.text


def test_unreadable_files_are_refused(tmp_path):
    with pytest.raises(LabelError, match="No such file"):
        read_source(tmp_path / "gone.csv")
    (tmp_path / "a.csv").write_bytes(b"\x00\x01" * 200)
    with pytest.raises(LabelError, match="binary"):
        read_source(tmp_path / "a.csv")


KEYS = (
    *("text", "id", "label", "data", "annotations", "result", "value", "choices", "type", "meta"),
    *("topics", "annotation_id", "annotator", "answer", "options", "accept", "fields", "cats"),
    *("responses", "metadata", "completed_by", "user_id", "record_id", "record_topics", "status"),
)
leaves = st.none() | st.booleans() | st.integers() | st.sampled_from(["a", "accept", "choices"])
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("example", [DOCCANO, TASK, MINIMAL, BINARY, CHOICE, ARGILLA, CATS])
@given(data=st.data())
def test_whatever_stands_in_a_field_is_read_or_named(tmp_path_factory, example, data):
    damaged = json.loads(json.dumps(example))
    places = [damaged, *(value for value in damaged.values() if isinstance(value, dict))]
    place = data.draw(st.sampled_from(places))
    place[data.draw(st.sampled_from([*place, *KEYS]))] = data.draw(anything)
    path = write(tmp_path_factory.getbasetemp() / "damaged.jsonl", damaged)
    with contextlib.suppress(LabelError):
        for annotation in read(path):
            assert annotation.text
