import csv
import gzip
import io
import json
import os
from pathlib import Path
from typing import Any, get_args

import pyarrow.parquet
import pytest
from backports import zstd
from conftest import Tiny
from hypothesis import given
from hypothesis import strategies as st

from topicml.errors import InputError, OutputError
from topicml.io.writers import parquet
from topicml.io.writers.csv import defused
from topicml.io.writers.output import Format, Output, output_kind
from topicml.io.writers.writer import Writer, check_kept, write_stream
from topicml.models.folder import open_model
from topicml.tagging.articles import DETAILS, Detail, TaggedArticle
from topicml.tagging.tagger import Tagger
from topicml.text.document import Document

TOPICS = ("baking", "sailing")


def record(identifier: str, detail: Detail, **more: Any) -> dict[str, Any]:
    probabilities = {"sailing": 0.75}
    if detail == "probabilities":
        probabilities = {"baking": 0.125, "sailing": 0.75}
    sentence: dict[str, Any] = {"index": 0, "start": 0, "end": 5}
    sentence |= {"text": "Sail!"} if detail == "probabilities" else {}
    sentence |= {"topics": ["sailing"], "reason": None}
    sentence |= {"relevance": 0.5} if detail == "probabilities" else {}
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
        ("a.json", ("json", "none")),
        ("a.json.gz", ("json", "gzip")),
        ("a.parquet", ("parquet", "none")),
        ("/dev/null", ("jsonl", "none")),
    ],
)
def test_kind_follows_the_name(name: str, kind: tuple[str, str]) -> None:
    assert output_kind(name) == kind


@pytest.mark.parametrize("name", ["a.txt", "a.parquet.gz", "a.xlsx", "tags", "tags.gz", ".jsonl"])
def test_unknown_kind_is_an_error(name: str) -> None:
    with pytest.raises(OutputError, match=r"unknown kind of output\. Names end in \.jsonl"):
        output_kind(name)


@pytest.mark.parametrize("name", ["{}", "nowhere/"])
def test_a_folder_is_no_output(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match=r"is a folder\. Names end in \.jsonl"):
        output_kind(name.format(tmp_path))


@pytest.mark.parametrize(("name", "expected"), [("a.csv", "none"), ("a.gz", "gzip"), ("-", "none")])
def test_a_format_asked_for_wins_over_the_name(name: str, expected: str) -> None:
    assert output_kind(name, "jsonl") == ("jsonl", expected)


UNPACK = {"none": bytes, "gzip": gzip.decompress, "zstd": zstd.decompress}


@pytest.mark.parametrize("detail", DETAILS)
@pytest.mark.parametrize("compression", UNPACK)
@pytest.mark.parametrize("kind", ["jsonl", "json"])
def test_pieces_of_json_make_the_file(kind: Any, compression: Any, detail: Detail) -> None:
    writer = Writer(Output(kind, compression, detail, TOPICS))
    rows = [record("a", detail), bare("é\u2028", detail), record("c", detail, kept=[1])]
    pieces = [writer.encode(rows[:2]), writer.encode([]), writer.encode(rows[2:])]
    whole = writer.header()
    for before, piece in zip((False, True, True), pieces, strict=True):
        whole += writer.join(before, piece)
    text = UNPACK[compression](whole + writer.footer()).decode("utf-8")
    if kind == "json":
        assert json.loads(text) == rows
    else:
        assert [json.loads(line) for line in text.split("\n")[:-1]] == rows
        assert text.endswith("\n")
    assert writer.encode(rows) == writer.encode(rows)


@pytest.mark.parametrize("detail", DETAILS)
def test_csv_has_every_record_and_the_columns_of_its_header(detail: Detail) -> None:
    writer = Writer(Output("csv", "none", detail, TOPICS, keep=("source",), dedupe=True))
    rows = [
        record("a", detail, duplicate_of=None, source='wire, "x"\n'),
        bare("b", detail, duplicate_of="a", source={"n": 1}),
        bare("c", detail, duplicate_of=None),
    ]
    text = (writer.header() + writer.encode(rows)).decode("utf-8")
    table = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["id"] for row in table] == ["a", "b", "c"]
    assert [row["topics"] for row in table] == ["sailing", "", ""]
    assert [row["duplicate_of"] for row in table] == ["", "a", ""]
    assert [row["source"] for row in table] == ['wire, "x"\n', '{"n":1}', ""]
    assert [row["reason"] for row in table] == ["", "unfamiliar", "unfamiliar"]
    assert all(None not in row and None not in row.values() for row in table)
    if detail == "probabilities":
        assert (table[0]["baking"], table[0]["sailing"]) == ("0.125000", "0.750000")
        assert (table[0]["text"], table[0]["relevance"]) == ("Sail!", "0.500000")
    else:
        assert table[0]["probabilities"] == "0.750000"


@pytest.mark.parametrize("detail", DETAILS)
def test_parquet_is_typed_and_has_what_was_given(tmp_path: Path, detail: Detail) -> None:
    output = Output("parquet", "none", detail, TOPICS, keep=("source",), dedupe=True)
    rows = [
        record("a", detail, duplicate_of=None, source="wire"),
        bare("b", detail, duplicate_of="a", source=None),
    ]
    writer = Writer(output)
    pieces = [writer.encode(rows[:1]), b"", writer.encode(rows[1:])]
    stored = io.BytesIO(b"".join(pieces))
    with (tmp_path / "out.parquet").open("wb") as out:
        parquet.write_file((stored.read(len(piece)) for piece in pieces), output, out)
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    back = table.to_pylist()
    assert [row["id"] for row in back] == ["a", "b"]
    assert back[0]["topics"] == rows[0]["topics"]
    assert [row["duplicate_of"] for row in back] == [None, "a"]
    assert [row["source"] for row in back] == ["wire", None]
    assert ("sentences" in table.column_names) is (detail != "article")
    if detail != "article":
        (sentence,), (expected,) = back[0]["sentences"], rows[0]["sentences"]
        found = {p["topic"]: p["probability"] for p in sentence["probabilities"]}
        assert {**sentence, "probabilities": found} == expected
    assert pyarrow.parquet.ParquetFile(tmp_path / "out.parquet").num_row_groups == 2


@pytest.mark.parametrize("kind", get_args(Format))
def test_no_record_at_all_still_makes_a_file(kind: Format) -> None:
    output = Output(kind, "none", "sentence", TOPICS)
    out = io.BytesIO()
    assert write_stream([], output, out) == 0
    if kind == "parquet":
        assert pyarrow.parquet.read_table(io.BytesIO(out.getvalue())).num_rows == 0
    elif kind == "csv":
        assert out.getvalue() == Writer(output).header() != b""
    else:
        assert out.getvalue() == (b"" if kind == "jsonl" else b"[\n\n]\n")


TEXTS = ("The dough is in the oven. Nobody answered.", "", 'Sails, "wind";\nand\r\n\ttide é🤝.')


def tag(tiny: Tiny, *texts: str) -> list[TaggedArticle]:
    model = open_model(tiny.folder)
    documents = [Document(f"id-{number}", text) for number, text in enumerate(texts)]
    return Tagger(model.scorer, model.reference).tag(documents)


def written(kind: Format, articles: list[TaggedArticle]) -> str:
    out = io.BytesIO()
    output = Output(kind, "none", "probabilities", ("baking", "gardening", "sailing"))
    assert write_stream([[a.to_dict()] for a in articles], output, out) == len(articles)
    return out.getvalue().decode("utf-8")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_and_json_lines_hold_the_records(tiny: Tiny, count: int) -> None:
    articles = tag(tiny, *TEXTS[:count])
    expected = [article.to_dict() for article in articles]
    lines = written("jsonl", articles).split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == expected
    assert json.loads(written("json", articles)) == expected


def test_csv_is_one_row_a_sentence_with_a_column_a_topic(tiny: Tiny) -> None:
    articles = tag(tiny, *TEXTS)
    header, *rows = csv.reader(io.StringIO(written("csv", articles), newline=""))
    assert header == [
        *("id", "model", "index", "start", "end", "text", "topics", "reason", "relevance"),
        *("baking", "gardening", "sailing"),
    ]
    expected = [(a, i, s) for a in articles for i, s in enumerate(a.sentences)]
    without = [[a.id, a.model, *[""] * 5, a.reason, *[""] * 4] for a in articles if not a.sentences]
    assert [row for row in rows if not row[2]] == without
    rows = [row for row in rows if row[2]]
    assert len(rows) == len(expected) > 3
    for row, (article, index, tagged) in zip(rows, expected, strict=True):
        start, end, text = tagged.sentence
        assert row[:6] == [article.id, article.model, str(index), str(start), str(end), text]
        assert row[6] == ";".join(tagged.topics)
        assert row[7] == (tagged.reason or "")
        assert bool(row[6]) is not bool(row[7])
        assert [float(cell) for cell in row[8:]] == pytest.approx(
            [tagged.relevance, *tagged.probabilities], abs=1e-6
        )


@given(text=st.text(max_size=80))
def test_any_text_survives_every_format(tiny: Tiny, text: str) -> None:
    articles = tag(tiny, text)
    sentences = [tagged.sentence.text for tagged in articles[0].sentences]
    (found,) = [json.loads(line) for line in written("jsonl", articles).split("\n") if line]
    assert [s["text"] for s in found["sentences"]] == sentences
    rows = list(csv.DictReader(io.StringIO(written("csv", articles), newline="")))
    assert [row["text"] for row in rows if row["index"]] == [*map(defused, sentences)]
    assert len(rows) == max(1, len(sentences))  # no record is lost


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv"])
def test_records_are_written_as_they_come(tiny: Tiny, kind: Format) -> None:
    out = io.BytesIO()
    seen: list[bytes] = []

    def groups() -> Any:
        for article in tag(tiny, *TEXTS[:1] * 2):
            seen.append(out.getvalue())
            yield [article.to_dict()]

    write_stream(groups(), Output(kind, "none", "probabilities", TOPICS), out)
    assert b"dough" not in seen[0]
    assert b"dough" in seen[1]


@pytest.mark.parametrize("text", ["=A1", "+1+1", "-2+3", "@x", "\ta", "\r=A1", "-", "=1", "-5 a"])
def test_a_cell_that_a_spreadsheet_would_run_has_an_apostrophe(text: str) -> None:
    assert defused(text) == f"'{text}"


@pytest.mark.parametrize("cell", ["", "a=b", " =A1", "-5", "+1.5", "-1e-07", "'=A1", -5, 0.5])
def test_other_cells_and_numbers_stay(cell: Any) -> None:
    assert defused(cell) == cell


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        *(("text", "probabilities"), ("relevance", "probabilities"), ("start", "sentence")),
        *(("probabilities", "sentence"), ("sailing", "article"), ("id", "article")),
    ],
)
def test_no_field_is_kept_under_the_name_of_a_column(name: str, detail: Detail) -> None:
    with pytest.raises(InputError, match=f"field '{name}' cannot be kept"):
        check_kept(Output("csv", "none", detail, TOPICS, (name,)))
    if name in {"text", "start", "relevance"}:
        check_kept(Output("jsonl", "none", detail, TOPICS, (name,)))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("s.sock", ("jsonl", "none")),
        ("pipe", ("jsonl", "none")),
        ("pipe.fifo.gz", ("jsonl", "gzip")),
        ("pipe.csv", ("csv", "none")),
    ],
)
def test_what_is_no_file_gets_json_lines_unless_its_name_says_more(
    tmp_path: Path, name: str, kind: tuple[Format, str]
) -> None:
    os.mkfifo(tmp_path / name)
    assert output_kind(str(tmp_path / name)) == kind


def test_an_unknown_name_is_told_all_endings_of_the_command() -> None:
    with pytest.raises(OutputError, match=r"\.csv \(each also .*\), \.parquet or \.txt\."):
        output_kind("tags.xyz", None, [".txt"])
