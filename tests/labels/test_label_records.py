from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples import write_lines

from topicml.errors import LabelError
from topicml.labels.fields import read_jsonl
from topicml.labels.records import LabelRecord, read_annotations, read_labels, write_labels

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
offsets = st.none() | st.integers(min_value=0)
label_records = st.builds(
    LabelRecord,
    id=words,
    article=words,
    text=words,
    topics=st.lists(words, max_size=4).map(lambda topics: tuple(sorted(set(topics)))),
    source=st.sampled_from(["article", "authored", "archive"]),
    annotator=st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
    status=st.sampled_from(["gold", "single", "skipped"]),
    start=offsets,
    end=offsets,
    round=offsets,
    chosen=st.none() | words,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(label_records, max_size=5))
def test_written_records_read_back_equal(tmp_path, records):
    path = tmp_path / "labels.jsonl"
    write_labels(path, records)
    assert read_labels(path) == records


@settings(deadline=None)
@given(record=label_records)
def test_json_is_one_line_with_sorted_keys_and_no_null(record):
    line = record.to_json()
    fields = json.loads(line)
    assert "\n" not in line
    assert list(fields) == sorted(fields)
    assert None not in fields.values()


def test_text_is_written_as_readable_utf8(tmp_path):
    path = tmp_path / "labels.jsonl"
    write_labels(path, [LabelRecord("a", "g", "Japan’s “self-defense” – 自衛隊", ())])
    assert "Japan’s “self-defense” – 自衛隊" in path.read_text(encoding="utf-8")


def test_empty_topics_are_written_as_an_empty_list():
    assert json.loads(LabelRecord("a", "g", "t", ()).to_json())["topics"] == []


def test_writing_replaces_the_file_and_leaves_nothing_beside_it(tmp_path):
    path = write_lines(tmp_path / "labels.jsonl", "old")
    write_labels(path, [LabelRecord("a", "g", "new", ())])
    assert [record.text for record in read_labels(path)] == ["new"]
    assert list(tmp_path.iterdir()) == [path]


def test_failed_write_keeps_the_old_file(tmp_path):
    path = write_lines(tmp_path / "labels.jsonl", "old")

    def records():
        yield LabelRecord("a", "g", "new", ())
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_labels(path, records())
    assert path.read_text(encoding="utf-8") == "old\n"


def test_topics_are_read_sorted_and_once_each(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", {"id": "1", "text": "t", "topics": ["b", "a", "b"]})
    assert read_labels(path)[0].topics == ("a", "b")


@pytest.mark.parametrize(
    ("extra", "group"),
    [({"article": "x", "doc": "y"}, "x"), ({"doc": "y"}, "y"), ({}, "1")],
)
def test_group_is_the_article_else_the_doc_else_the_id(tmp_path, extra, group):
    path = write_lines(tmp_path / "a.jsonl", {"id": "1", "text": "t", "topics": [], **extra})
    assert read_labels(path)[0].article == group


@pytest.mark.parametrize(
    "number",
    [0, 7],
)
def test_group_may_be_a_number(tmp_path, number):
    path = write_lines(
        tmp_path / "a.jsonl", {"id": "1", "text": "t", "topics": [], "article": number}
    )
    assert read_labels(path)[0].article == str(number)


def test_absent_fields_have_their_defaults(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", {"id": "1", "text": "t", "topics": []})
    record = read_labels(path)[0]
    assert (record.source, record.status, record.annotator) == ("article", "gold", "")
    assert (record.start, record.end, record.round) == (None, None, None)
    assert record.chosen is None


@pytest.mark.parametrize(("value", "expected"), [("random", "random"), ("", None), (None, None)])
def test_why_a_sentence_was_chosen_is_read_where_it_is_said(tmp_path, value, expected):
    fields = {"id": "1", "text": "t", "topics": [], "chosen": value}
    assert read_labels(write_lines(tmp_path / "a.jsonl", fields))[0].chosen == expected


def test_null_annotator_is_no_annotator(tmp_path):
    path = write_lines(
        tmp_path / "a.jsonl", {"id": "1", "text": "t", "topics": [], "annotator": None}
    )
    assert read_labels(path)[0].annotator == ""


def test_annotator_of_an_annotation_may_be_null(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", {"id": "1", "topics": [], "annotator": None})
    assert read_annotations(path)[0].annotator == ""


def test_blank_lines_are_skipped_but_counted(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", "", {"id": "1"}, "  ", {"id": "2"})
    assert list(read_jsonl(path)) == [(2, {"id": "1"}), (4, {"id": "2"})]


def test_windows_line_ends_are_read(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"id": "1"}\r\n{"id": "2"}\r\n')
    assert [fields["id"] for _, fields in read_jsonl(path)] == ["1", "2"]


def test_unicode_line_separators_inside_a_text_do_not_split_it(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "one\u2028two\x85three"}\n', encoding="utf-8")
    assert [fields["id"] for _, fields in read_jsonl(path)] == ["one\u2028two\x85three"]


def test_missing_file_is_named(tmp_path):
    path = tmp_path / "none.jsonl"
    with pytest.raises(LabelError) as caught:
        read_labels(path)
    assert "No such file" in caught.value.what
    assert caught.value.where == str(path)
    assert caught.value.hint == "Check the path."


def test_bytes_that_are_not_utf8_are_placed(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"id": "1"}\n{"id": "\xff"}\n')
    with pytest.raises(LabelError) as caught:
        list(read_jsonl(path))
    assert "not valid JSON in UTF-8" in caught.value.what
    assert caught.value.where == f"{path}:2"
    assert "Correct or remove the line" in caught.value.hint


GOOD = {"id": "1", "text": "t", "topics": []}


@pytest.mark.parametrize(
    ("line", "what", "hint"),
    [
        ('{"id": ', "not valid JSON", "Correct or remove the line"),
        ("[1]", "expected a JSON object, found list", "one object a line"),
        ('{"id": "1", "text": "t", "topics": [], "id": "2"}', "'id' is given twice", "Correct"),
        ({**GOOD, "id": ""}, "'id' must be a string that is not empty, found ''", "a 'id'"),
        ({**GOOD, "id": 3}, "'id' must be a string that is not empty, found 3", "a 'id'"),
        ({"id": "1", "topics": []}, "'text' must be a string", "a 'text'"),
        ({"id": "1", "text": "t"}, "'topics' must be a list of topic ids, found None", "Write []"),
        ({**GOOD, "topics": "x"}, "'topics' must be a list of topic ids, found 'x'", "Write []"),
        ({**GOOD, "topics": [1]}, "'topics' must be a list of topic ids, found [1]", "Write []"),
        ({**GOOD, "source": "web"}, "'source' is 'web'", "article, authored"),
        ({**GOOD, "status": "done"}, "'status' is 'done'", "gold, single, skipped"),
        ({**GOOD, "start": "5"}, "'start' must be a whole number, found '5'", "leave it out"),
        ({**GOOD, "end": 1.5}, "'end' must be a whole number, found 1.5", "leave it out"),
        ({**GOOD, "round": True}, "'round' must be a whole number, found True", "leave it out"),
    ],
)
def test_broken_record_is_refused_with_file_and_line(tmp_path, line, what, hint):
    path = write_lines(tmp_path / "a.jsonl", GOOD, "", line)
    with pytest.raises(LabelError) as caught:
        read_labels(path)
    assert what in caught.value.what
    assert caught.value.where == f"{path}:3"
    assert hint in caught.value.hint


def test_annotations_keep_order_topics_and_annotator(tmp_path):
    path = write_lines(
        tmp_path / "pass.jsonl",
        {"id": "2", "topics": ["b", "a"], "annotator": "kim"},
        {"id": "1", "topics": []},
    )
    first, second = read_annotations(path)
    assert (first.id, first.topics, first.annotator) == ("2", ("a", "b"), "kim")
    assert (second.id, second.topics, second.annotator) == ("1", (), "")


def test_annotation_without_topics_is_refused_with_file_and_line(tmp_path):
    path = write_lines(tmp_path / "pass.jsonl", {"id": "1", "topics": []}, {"id": "2"})
    with pytest.raises(LabelError) as caught:
        read_annotations(path)
    assert "'topics' must be a list" in caught.value.what
    assert caught.value.where == f"{path}:2"
    assert "Write []" in caught.value.hint


def test_text_with_half_a_surrogate_pair_is_refused(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", '{"id": "1", "text": "a \\ud800", "topics": []}')
    with pytest.raises(LabelError) as caught:
        read_labels(path)
    assert caught.value.where == f"{path}:1"


def test_deeply_nested_line_is_refused(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", "[" * 100_000)
    with pytest.raises(LabelError) as caught:
        read_labels(path)
    assert caught.value.where == f"{path}:1"


def test_write_that_fails_half_way_leaves_nothing_beside_the_file(tmp_path):
    path = write_lines(tmp_path / "labels.jsonl", "old")
    with pytest.raises(UnicodeEncodeError):
        write_labels(path, [LabelRecord("a", "g", "half a pair \ud800", ())])
    assert list(tmp_path.iterdir()) == [path]
