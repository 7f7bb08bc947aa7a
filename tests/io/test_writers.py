import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any, get_args

import pyarrow.parquet
import pytest
from backports import zstd

from topicml.errors import InputError
from topicml.io.writers.shards import Format, Output, assemble_parquet, output_kind
from topicml.tagging.tagger import DETAILS, Detail

TOPICS = ("baking", "sailing")


def record(identifier: str, detail: Detail, **more: Any) -> dict[str, Any]:
    probabilities = {"sailing": 0.75}
    if detail == "probabilities":
        probabilities = {"baking": 0.125, "sailing": 0.75}
    sentence = {"index": 0, "start": 0, "end": 5, "topics": ["sailing"]}
    if detail == "probabilities":
        sentence["reason"] = None
    output = {
        "id": identifier,
        "model": "m@1.0.0",
        "topics": [{"topic": "sailing", "probability": 0.75, "sentences": [0]}],
        "reason": None,
        "sentences": [{**sentence, "probabilities": probabilities}],
    }
    if detail == "article":
        del output["sentences"]
    return {**output, **more}


def bare(identifier: str, detail: Detail, **more: Any) -> dict[str, Any]:
    """A record with no topic and no sentence."""
    sentences = {} if detail == "article" else {"sentences": []}
    head = {"id": identifier, "model": "m@1.0.0", "topics": [], "reason": "unfamiliar"}
    return {**head, **sentences, **more}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("-", ("jsonl", "none")),
        ("a.jsonl", ("jsonl", "none")),
        ("a.b.ndjson.gz", ("jsonl", "gzip")),
        ("A.JSONL.ZST", ("jsonl", "zstd")),
        ("a.csv", ("csv", "none")),
        ("a.csv.gz", ("csv", "gzip")),
        ("a.parquet", ("parquet", "none")),
    ],
)
def test_kind_follows_the_name(name: str, kind: tuple[str, str]) -> None:
    assert output_kind(name) == kind


@pytest.mark.parametrize("name", ["a.txt", "a.parquet.gz", "a.json", "a.xlsx"])
def test_unknown_kind_is_an_input_error(name: str) -> None:
    with pytest.raises(InputError, match=r"unknown kind of output\. Names end in \.jsonl"):
        output_kind(name)


@pytest.mark.parametrize("detail", DETAILS)
@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_pieces_of_json_lines_make_the_file(compression: Any, detail: Detail) -> None:
    output = Output("jsonl", compression, detail, TOPICS)
    rows = [record("a", detail), bare("é\u2028", detail), record("c", detail, kept=[1])]
    whole = output.header() + output.encode(rows[:2]) + output.encode([]) + output.encode(rows[2:])
    unpack = {"none": bytes, "gzip": gzip.decompress, "zstd": zstd.decompress}[compression]
    lines = unpack(whole).decode("utf-8").split("\n")
    assert [json.loads(line) for line in lines[:-1]] == rows
    assert lines[-1] == ""
    assert output.encode(rows) == output.encode(rows)


@pytest.mark.parametrize("detail", DETAILS)
def test_csv_has_every_record_and_the_columns_of_its_header(detail: Detail) -> None:
    output = Output("csv", "none", detail, TOPICS, keep=("source",), dedupe=True)
    rows = [
        record("a", detail, duplicate_of=None, source='wire, "x"\n'),
        bare("b", detail, duplicate_of="a", source={"n": 1}),
        bare("c", detail, duplicate_of=None),
    ]
    text = (output.header() + output.encode(rows)).decode("utf-8")
    table = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["id"] for row in table] == ["a", "b", "c"]
    assert [row["topics"] for row in table] == ["sailing", "", ""]
    assert [row["duplicate_of"] for row in table] == ["", "a", ""]
    assert [row["source"] for row in table] == ['wire, "x"\n', '{"n":1}', ""]
    assert [row["reason"] for row in table] == ["", "unfamiliar", "unfamiliar"]
    assert all(None not in row and None not in row.values() for row in table)
    if detail == "probabilities":
        assert (table[0]["baking"], table[0]["sailing"]) == ("0.125000", "0.750000")
    else:
        assert table[0]["probabilities"] == "0.750000"


@pytest.mark.parametrize("detail", DETAILS)
def test_parquet_is_typed_and_has_what_was_given(tmp_path: Path, detail: Detail) -> None:
    output = Output("parquet", "none", detail, TOPICS, keep=("source",), dedupe=True)
    rows = [
        record("a", detail, duplicate_of=None, source="wire"),
        bare("b", detail, duplicate_of="a", source=None),
    ]
    pieces = [output.encode(rows[:1]), b"", output.encode(rows[1:])]
    (tmp_path / "pieces").write_bytes(b"".join(pieces))
    lengths = list(map(len, pieces))
    assemble_parquet(tmp_path / "pieces", lengths, output, tmp_path / "out.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    back = table.to_pylist()
    assert [row["id"] for row in back] == ["a", "b"]
    assert back[0]["topics"] == rows[0]["topics"]
    assert [row["duplicate_of"] for row in back] == [None, "a"]
    assert [row["source"] for row in back] == ["wire", None]
    assert ("sentences" in table.column_names) is (detail != "article")
    if detail != "article":
        found = {p["topic"]: p["probability"] for p in back[0]["sentences"][0]["probabilities"]}
        assert found == rows[0]["sentences"][0]["probabilities"]
    assert pyarrow.parquet.ParquetFile(tmp_path / "out.parquet").num_row_groups == 2


@pytest.mark.parametrize("kind", get_args(Format))
def test_no_record_at_all_still_makes_a_file(tmp_path: Path, kind: Format) -> None:
    output = Output(kind, "none", "sentence", TOPICS)
    assert output.encode([]) == b""
    if kind == "parquet":
        (tmp_path / "pieces").write_bytes(b"")
        assemble_parquet(tmp_path / "pieces", [], output, tmp_path / "out.parquet")
        assert pyarrow.parquet.read_table(tmp_path / "out.parquet").num_rows == 0
    else:
        assert output.header().startswith(b"id,model," if kind == "csv" else b"")
