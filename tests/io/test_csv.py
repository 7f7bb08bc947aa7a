import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import blocks_of, read, rejects, texts

from topicml.errors import InputError
from topicml.io.readers import csv_rows as tables
from topicml.io.records import LARGEST_RECORD, Fields, Reject
from topicml.text.document import Document


def of(data: bytes, kind: str = "csv", **options: object) -> list[Document | Reject]:
    return read("-", stdin=data, input_format=kind, **options)


def written(rows: list[list[str]], **options: str) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file, **options).writerows(rows)  # type: ignore[arg-type]
    return file.getvalue().encode()


def test_rows_become_records() -> None:
    data = b'id,text,date\n1,"One, ""two""\nthree",2024\n,Four,\n'
    assert of(data, fields=Fields(keep=("date", "other"))) == [
        Document("1", 'One, "two"\nthree', "<stdin>", 2, {"date": "2024", "other": None}),
        Document("<stdin>:4", "Four", "<stdin>", 4, {"date": "", "other": None}),
    ]


def test_tabs_marks_line_ends_spaces_and_blank_lines() -> None:
    data = b'\xef\xbb\xbfid\t text\r\n1\tOne, "two"\r\n\r\n2\t"Three\tfour"'
    items = of(data, "tsv")
    assert texts(items) == ['One, "two"', "Three\tfour"]
    assert [item.number for item in items] == [2, 4]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"1", "bad_row"),
        (b"1,x,y", "bad_row"),
        (b"1,a\0b", "binary"),
        (b"1,\xff", "invalid_utf8"),
        (b"\xff,x", "invalid_utf8"),
        (b'1,"not closed', "bad_row"),
        (b'1,"closed" too early', "bad_row"),
        (b'1,""', "empty_text"),
        (b"1,a\rb", "bad_row"),
    ],
)
def test_a_bad_row_costs_itself_alone(row: bytes, reason: str) -> None:
    before = "id,text\n0,é before\n".encode()
    items = of(before + row + '\n2,"good, one – two"\n3,good\n'.encode())
    assert texts(items) == ["é before", "good, one – two", "good"]
    (reject,) = [item for item in items if isinstance(item, Reject)]
    assert (reject.number, reject.reason, reject.raw) == (3, reason, row)
    assert reject.offset == len(before)


def test_a_quote_that_is_never_closed_costs_its_line_alone() -> None:
    rows = b"".join(b"%d,plain text %d\n" % (n, n) for n in range(3, 1000))
    items = of(b'id,text\n1,good\n2,"open\n' + rows)
    assert rejects(items) == [(3, "bad_row")]
    assert len(texts(items)) == 998


def test_a_quote_is_looked_for_no_further_than_a_record_is_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tables, "LARGEST_RECORD", 300_000)
    filler = b"3,plain text of a row\n" * 20_000
    items = of(b'id,text\n2,"open\n' + filler + b'4,"good"\n')
    assert rejects(items) == [(2, "bad_row")]
    assert len(texts(items)) == 20_001


def test_lines_that_open_a_quote_each_are_not_gone_over_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tables, "LARGEST_RECORD", 300_000)
    items = of(b"id,text\n" + b'x","y\n' * 20_000)
    assert len(items) == 20_000
    assert {item.reason for item in items if isinstance(item, Reject)} <= {"bad_row"}


@pytest.mark.parametrize("block_bytes", [1000, 2_000_000, 10**8])
def test_a_line_that_is_too_large(block_bytes: int) -> None:
    line = b"1," + b"x" * LARGEST_RECORD
    items = of(b"id,text\n" + line + b"\n2,good\n", block_bytes=block_bytes)
    assert rejects(items) == [(2, "too_large")]
    assert items[0].length == len(line)  # type: ignore[union-attr]
    assert texts(items) == ["good"]


def test_fields_longer_than_csv_allows_by_default_are_read() -> None:
    text = "word " * 100_000
    assert texts(of(written([["text", "x"], [text, "1"]]))) == [text]


CELLS = st.text('ab",\n \té', max_size=8)


@given(
    st.lists(st.tuples(CELLS, CELLS), max_size=20),
    st.integers(1, 60),
    st.sampled_from([("csv", ","), ("tsv", "\t")]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_csv_writes_is_read(
    rows: list[tuple[str, str]], block_bytes: int, kind: tuple[str, str], end: str
) -> None:
    data = written(
        [["text", "other"], *([f"t{a}", b] for a, b in rows)], delimiter=kind[1], lineterminator=end
    )
    fields = Fields(keep=("other",))
    items = of(data, kind[0], fields=fields, block_bytes=block_bytes)
    assert [(item.text, item.kept["other"]) for item in items if isinstance(item, Document)] == [
        (f"t{a}", b) for a, b in rows
    ]
    assert len(items) == len(rows)


@given(st.lists(st.text('a1",\n \0', max_size=12), max_size=12), st.integers(1, 80))
def test_any_bytes_give_the_same_however_they_are_cut(lines: list[str], block_bytes: int) -> None:
    data = b"id,text\n" + "\n".join(lines).encode()
    whole = of(data)
    assert of(data, block_bytes=block_bytes) == whole
    numbers = [item.number for item in whole]
    assert numbers == sorted(set(numbers))


def test_every_byte_of_every_row_is_in_a_record_or_a_reject() -> None:
    data = b'text\n"a\nb"\n"c\nd\n"e" f\ng\n'
    items = of(data)
    assert texts(items) == ["a\nb", "d", "g"]
    assert [item.raw for item in items if isinstance(item, Reject)] == [b'"c', b'"e" f']


def test_blocks_tell_what_was_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(written([["text"], *([f"text {n}"] for n in range(500))]))
    blocks = blocks_of(path, block_bytes=500)
    assert len(blocks) > 5
    assert sum(block.size for block in blocks) == path.stat().st_size
    assert blocks == blocks_of(path, block_bytes=500)
    assert len({block.digest for block in blocks}) == len(blocks)


def test_a_missing_column_is_told_with_those_that_are_there() -> None:
    with pytest.raises(InputError) as error:
        of(b"id,headline,body\n1,short,somewhat longer\n")
    assert str(error.value) == (
        "<stdin>:1: no field 'text'. Found: body, headline, id. "
        "Name the one with the text: --text-field body"
    )


@pytest.mark.parametrize("data", [b"text,text\n1,2\n", b'"text\n', b"\xff\xfea\0"])
def test_a_header_that_cannot_be_used_is_refused(data: bytes) -> None:
    with pytest.raises(InputError) as error:
        of(data)
    assert error.value.hint


def test_a_file_with_nothing_or_a_header_alone_is_no_error() -> None:
    assert of(b"") == of(b"\n\n") == of(b"id,text\n") == of(b"id,text") == []
