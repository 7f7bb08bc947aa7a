import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import jsonl, read, rejects, texts

from topicml.errors import InputError, RecordError
from topicml.io.readers.fields import LOOKED_THROUGH, path_partitions, plain_id, value_at
from topicml.io.records import Fields, Reject
from topicml.text.document import Document


def of(*records: dict[str, Any], fields: Fields, kind: str = "jsonl") -> list[Document | Reject]:
    data = jsonl(*records) if kind == "jsonl" else json.dumps(records).encode()
    return read("-", stdin=data, input_format=kind, fields=fields)


NESTED = {"meta": {"uid": 7}, "article": {"head": "Head", "body": "Body."}, "deep.er": {"x": 1}}


@pytest.mark.parametrize("kind", ["jsonl", "json"])
def test_fields_inside_others(kind: str) -> None:
    fields = Fields("article.body", "meta.uid", "article.head", ("deep.er", "article.head"))
    (record,) = of(NESTED, fields=fields, kind=kind)
    kept = {"deep.er": {"x": 1}, "article.head": "Head"}
    assert record == Document("7", "Head\n\nBody.", "<stdin>", 1, kept)
    literal = {**NESTED, "article.body": "Literal."}
    assert texts(of(literal, fields=fields, kind=kind)) == ["Head\n\nLiteral."]


def test_a_number_inside_another_field_keeps_all_digits() -> None:
    record = {"meta": {"uid": 2**80 + 1}, "text": "x"}
    (found,) = of(record, fields=Fields(id="meta.uid"))
    assert isinstance(found, Document)
    assert found.id == str(2**80 + 1)


@given(
    st.recursive(
        st.integers(),
        lambda inner: st.dictionaries(st.sampled_from(["a", "b", "a.b"]), inner, max_size=3),
    )
)
def test_a_field_of_just_that_name_wins(values: Any) -> None:
    if isinstance(values, dict):
        inner = values.get("a")
        other = inner.get("b") if isinstance(inner, dict) else None
        assert value_at(values, "a.b") == values.get("a.b", other)


def test_several_texts_are_joined_by_a_blank_line() -> None:
    fields = Fields(("headline", "lead", "body"), title=None)
    items = of(
        {"headline": "H", "lead": None, "body": "B."},
        {"headline": " ", "body": "B."},
        {"lead": "L."},
        {"headline": 5, "body": "B."},
        {"n": 1},
        {"lead": ""},
        fields=fields,
    )
    assert texts(items) == ["H\n\nB.", "B.", "L."]
    assert rejects(items) == [(4, "wrong_type"), (5, "missing_text"), (6, "empty_text")]


SAMPLE = {"id": "a", "text": "Bread.", "meta": {"outlet": "Times"}}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (Fields(id="idd"), "no field 'idd'. Did you mean 'id'? "),
        (Fields(keep=("meta.outlett",)), "no field 'meta.outlett'. Did you mean 'meta.outlet'? "),
        (Fields(title="headline"), "no field 'headline'. "),
        (Fields(("text", "body")), "no field 'body'. "),
    ],
)
@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv", "tsv"])
def test_a_field_that_no_record_has_is_an_error(
    tmp_path: Path, fields: Fields, said: str, suffix: str
) -> None:
    path = tmp_path / f"in.{suffix}"
    if suffix in {"csv", "tsv"}:
        mark = "," if suffix == "csv" else "\t"
        path.write_text(f"id{mark}text{mark}meta.outlet\na{mark}Bread.{mark}Times\n")
    else:
        path.write_text(json.dumps(SAMPLE) + "\n")
    with pytest.raises(InputError) as error:
        read(path, fields=fields)
    assert said in str(error.value)
    assert "Found: id, meta" in str(error.value)
    data = path.read_bytes()
    with pytest.raises(InputError, match="no field"):
        read("-", stdin=data, input_format=suffix, fields=fields)


def test_what_is_usual_need_not_be_there() -> None:
    (record,) = of({"text": "x"}, fields=Fields(keep=("*",)))
    assert isinstance(record, Document)
    assert record.id == "<stdin>:1"


def test_a_field_that_one_of_many_records_has_is_found(tmp_path: Path) -> None:
    rows = [{"text": "x" * 1000} for _ in range(LOOKED_THROUGH // 1100)]
    path = tmp_path / "in.jsonl"
    path.write_bytes(jsonl(*rows, {"text": "y", "rare": 1}))
    assert read(path, fields=Fields(keep=("rare",)))[-1].kept == {"rare": 1}  # type: ignore[union-attr]


def test_a_field_that_one_of_several_files_has_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl({"text": "x"}))
    (tmp_path / "b.txt").write_text("Text.")
    (tmp_path / "c.jsonl").write_bytes(b"")
    (tmp_path / "d.csv").write_text("text,outlet\ny,Times\n")
    fields = Fields(keep=("outlet",))
    items = read(tmp_path, fields=fields)
    assert [i.kept["outlet"] for i in items if isinstance(i, Document)] == [None, None, "Times"]
    (tmp_path / "d.csv").unlink()
    with pytest.raises(InputError, match="no field 'outlet'"):
        read(tmp_path, fields=fields)
    (tmp_path / "a.jsonl").unlink()
    (tmp_path / "b.txt").unlink()
    assert read(tmp_path / "c.jsonl", fields=fields) == []


def test_partitions_of_a_path() -> None:
    assert path_partitions("a=b.txt") == {}
    assert path_partitions("/data/year=2024/=/x=/b.c=%C3%A9%2F/f=g.csv") == {
        "year": "2024", "x": "", "b.c": "é/"
    }  # fmt: skip


def test_partitions_are_kept_of_every_format(tmp_path: Path) -> None:
    folder = tmp_path / "year=2024" / "month=05"
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_bytes(jsonl({"text": "x", "month": "own"}))
    (folder / "b.txt").write_text("Text.")
    (folder / "c.csv").write_text("text\ny\n")
    items = read(tmp_path, fields=Fields(keep=("year", "month")))
    kept = [(i.kept["year"], i.kept["month"]) for i in items if isinstance(i, Document)]
    assert kept == [("2024", "own"), ("2024", "05"), ("2024", "05")]


def test_every_field_is_kept_but_text_and_id() -> None:
    record = {"id": "a", "text": "x", "title": "T", "n": [1], "model": "m"}
    (found,) = of(record, fields=Fields(keep=("*",)))
    assert isinstance(found, Document)
    assert found.kept == {"title": "T", "n": [1], "model": "m"}
    (found,) = of(record, fields=Fields(keep=("*", "text")))
    assert isinstance(found, Document)
    assert found.kept == {"title": "T", "n": [1], "model": "m", "text": "x"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None), ("", None), ("a", "a"), (7, "7"), (-7, "-7"), (2**70, str(2**70)),
        (7.0, "7"), (1.5, "1.5"), (1e300, "1e+300"), (float("nan"), None), (float("inf"), None),
        ({"$oid": "65a1"}, "65a1"), ({"$numberLong": "5"}, "5"), ({"$oid": ""}, None),
        (bytes(range(16)), "00010203-0405-0607-0809-0a0b0c0d0e0f"), (b"\xff\0", "ff00"),
    ],
)  # fmt: skip
def test_an_id_becomes_a_string(value: Any, expected: str | None) -> None:
    assert plain_id(value, "id") == expected


@pytest.mark.parametrize("value", [True, [], {}, {"oid": "a"}, {"$oid": 5}, {"$a": "b", "c": "d"}])
def test_what_is_no_id(value: Any) -> None:
    with pytest.raises(RecordError, match="'id' must be a string or a number"):
        plain_id(value, "id")


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "9" * 5000, "[NaN, 1]"])
def test_numbers_that_are_none_cost_nothing(number: str) -> None:
    line = f'{{"id": 12345678901234567890123, "text": "x", "n": {number}, "m": 3}}\n'.encode()
    fields = Fields(keep=("n", "m"))
    for kind, data in (("jsonl", line), ("json", b"[" + line + b"]")):
        (record,) = read("-", stdin=data, input_format=kind, fields=fields)
        assert isinstance(record, Document)
        assert record.id == "12345678901234567890123"
        assert record.kept == {"n": [None, 1] if number[0] == "[" else None, "m": 3}
        assert isinstance(record.kept["m"], int)
    assert json.dumps(record.kept)


def test_hints_can_be_pasted_into_a_shell() -> None:
    with pytest.raises(InputError) as error:
        of({"$(rm -rf ~) it's": "a long text", "id": 1}, fields=Fields("body"))
    assert """--text-field '$(rm -rf ~) it'"'"'s'""" in str(error.value)
    with pytest.raises(InputError) as error:
        of({"a;b": [{"text": "x"}]}, fields=Fields())
    assert """(jq '.["a;b"]')""" in str(error.value)
