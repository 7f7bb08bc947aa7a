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
    assert of(data, fields=Fields(keep=("date",))) == [
        Document("1", 'One, "two"\nthree', "<stdin>", 2, {"date": "2024"}),
        Document("<stdin>:4", "Four", "<stdin>", 4, {"date": ""}),
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


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("delimiter", list(",;\t|"))
@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_the_separator_is_found(kind: str, delimiter: str, mark: str) -> None:
    rows = [["id", "text"], ["1", "One, two; three."], ["2", 'A "b" | c\td'], ["3", "x"]]
    data = mark.encode() + written(rows, delimiter=delimiter)
    assert texts(of(data, kind)) == ["One, two; three.", 'A "b" | c\td', "x"]


def test_a_separator_within_quotes_or_texts_does_not_count() -> None:
    assert texts(of(b'text\n"a;b"\n"c;d"\n')) == ["a;b", "c;d"]
    assert texts(of(b'"id","text"\n"1","a; b; c"\n"2","d; e; f"\n')) == ["a; b; c", "d; e; f"]


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
def test_a_table_in_another_encoding(encoding: str) -> None:
    body = ["Le ministre a déclaré à Paris que l’exercice était prêt.", "L’été"]
    data = "\n".join(["id;text", *(f"{n};{text}" for n, text in enumerate(body))])
    items = of(data.encode(encoding))
    assert texts(items) == body
    name = "utf-8" if encoding == "utf-8-sig" else encoding
    assert {item.encoding for item in items if isinstance(item, Document)} == {name}


def test_a_semicolon_table_without_the_field_is_told_with_its_columns() -> None:
    with pytest.raises(InputError) as error:
        of(b"id;headline;body\n1;Short, so;Somewhat longer, too.\n")
    assert str(error.value) == (
        "<stdin>:1: no field 'text'. Found: body, headline, id. "
        "Name the one with the text: --text-field body"
    )


HEADLESS = b"101\tTalks\tThe ministers met in Tokyo.\n102\tDrill\tThe exercise ended, as planned.\n"


def test_a_table_without_a_header_is_read_by_its_longest_column() -> None:
    assert of(HEADLESS, "tsv") == [
        Document("<stdin>:1", "The ministers met in Tokyo.", "<stdin>", 1),
        Document("<stdin>:2", "The exercise ended, as planned.", "<stdin>", 2),
    ]
    assert len(texts(of(HEADLESS.replace(b"\t", b"|"), "csv"))) == 2


def test_prose_is_not_cut_at_its_commas() -> None:
    prose = b"In Tokyo, they met on Monday.\nOn Tuesday, they agreed at last.\n"
    assert texts(of(prose, "tsv")) == prose.decode().splitlines()
    with pytest.raises(InputError, match="reads like prose and not like a table"):
        of(prose, "csv")
    assert texts(of(prose.replace(b", ", b" "), "csv")) == [
        "In Tokyo they met on Monday.", "On Tuesday they agreed at last."
    ]  # fmt: skip


def test_columns_without_names_are_numbered() -> None:
    fields = Fields(text="2", id="1", title=None, keep=("3",))
    items = of(HEADLESS, "tsv", fields=fields)
    assert [(item.id, item.text, item.kept) for item in items if isinstance(item, Document)] == [
        ("101", "Talks", {"3": "The ministers met in Tokyo."}),
        ("102", "Drill", {"3": "The exercise ended, as planned."}),
    ]


def test_a_field_that_a_table_without_header_cannot_have_is_told() -> None:
    with pytest.raises(InputError) as error:
        of(HEADLESS, "tsv", fields=Fields(text="body"))
    assert str(error.value) == (
        "<stdin>:1: no column 'body': there are no names, or the first line reads like data. "
        "Columns are numbered then, 1 to 3. Name the one with the text: --text-field 3"
    )


@pytest.mark.parametrize(
    ("first", "is_header"),
    [
        ("id,headline,body", True),
        (",headline,body", True),
        ("Date of publication,Head line,Body", True),
        ("1,headline,body", False),
        ("id,body,Body", False),
        ("id,,body", False),
        ("id,headline,The ministers met.", False),
        ("id,headline,the ministers met in Tokyo to talk about bases", False),
        ("id,headline," + "x" * 80, False),
        ("2024-01-02,headline,body", False),
    ],
)
def test_what_reads_like_names_is_a_header(first: str, is_header: bool) -> None:
    data = f"{first}\n7,Talks,The ministers met in Tokyo on Monday afternoon.\n".encode()
    if is_header:
        with pytest.raises(InputError, match="no field 'text'"):
            of(data)
    else:
        assert len(texts(of(data))) == 2


def test_a_few_nuls_are_kept_and_many_are_binary() -> None:
    items = of(b"id,text\n1," + b"x" * 99 + b"\0\n2,a\0b\n")
    assert texts(items) == ["x" * 99 + "\0"]
    assert rejects(items) == [(3, "binary")]


@pytest.mark.soak
def test_a_table_of_a_million_columns() -> None:
    names = ",".join(f"c{n}" for n in range(1_000_000))
    row = "," * 999_999
    with pytest.raises(InputError) as error:
        of(f"{names}\n{row}\n".encode())
    assert len(str(error.value)) < 500
    items = of(f"{names},text\n{row},One.\n".encode())
    assert texts(items) == ["One."]


def test_a_first_line_that_never_ends_is_refused() -> None:
    with pytest.raises(InputError) as error:
        of(b'"' + b"x" * (LARGEST_RECORD + 100))
    assert "the first line is no row of cells" in str(error.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_refused(data: bytes) -> None:
    try:
        items = of(data, encoding="utf-8")
    except InputError as err:
        assert err.hint  # noqa: PT017 - either will do
    else:
        assert all(item.number >= 1 for item in items)


@pytest.mark.parametrize(
    "row", ['1\t"We will defend Japan," he said.', '1\tHe said "no', '1\t"open', '1\t"a" b "c"']
)
def test_quotes_between_tabs_are_text_where_they_are_no_quoting(tmp_path: Path, row: str) -> None:
    path = tmp_path / "in.tsv"
    path.write_text(f"id\ttext\n{row}\n2\tBread.\n")
    items = read(path)
    assert texts(items) == [row.partition("\t")[2], "Bread."]


def test_the_separator_that_excel_declares_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("sep=;\nid;text\n1;Bread, sails; \n2;Wind.\n".replace("; \n", "\n"))
    assert texts(read(path)) == ["Bread, sails", "Wind."]


def test_a_delimiter_that_is_given_is_taken() -> None:
    data = b"id,x^text, with commas\n1,2^Bread, sails, wind.\n"
    (record,) = of(data, delimiter="^", fields=Fields("text, with commas", "id,x"))
    assert isinstance(record, Document)
    assert (record.id, record.text) == ("1,2", "Bread, sails, wind.")
    assert texts(of(b"a\x01text\nb\x01Bread.\n", "tsv", delimiter="\x01")) == ["Bread."]


NAMELIKE = b"alpha,beta,gamma\ndelta,epsilon,zeta\n"


@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_a_table_said_to_have_no_header_has_none(kind: str) -> None:
    data = NAMELIKE if kind == "csv" else NAMELIKE.replace(b",", b"\t")
    fields = Fields("3", "1", "2", ("2",))
    assert of(data, kind, has_header=False, fields=fields) == [
        Document("alpha", "beta\n\ngamma", "<stdin>", 1, {"2": "beta"}),
        Document("delta", "epsilon\n\nzeta", "<stdin>", 2, {"2": "epsilon"}),
    ]
    with pytest.raises(InputError, match="no field '4'"):
        of(data, kind, has_header=False, fields=Fields("3", keep=("4",)))
    with pytest.raises(InputError, match="no column 'gamma'"):
        of(data, kind, has_header=False, fields=Fields("gamma"))


def test_prose_is_a_table_where_somebody_says_so() -> None:
    data = b"In Tokyo, they met.\nOn Tuesday, they agreed.\n"
    items = of(data, delimiter=",", has_header=False, fields=Fields("2"))
    assert texts(items) == [" they met.", " they agreed."]


@pytest.mark.parametrize("kind", ["csv", "tsv"])
@pytest.mark.parametrize("block_bytes", [1, 10**6])
def test_quotes_behind_backslashes_are_text(kind: str, block_bytes: int) -> None:
    rows = [
        r'1,"He said \"no\", twice"', r'2,"one', r'two \"three\"', 'four"', r'3,"\"All\""',
        r'4,"C:\dir\"', r'5,"a ""b"" c"', r'6,"back \\ and \" quote"', "7,plain",
    ]  # fmt: skip
    data = "id,text\n" + "\n".join(rows) + "\n"
    if kind == "tsv":
        data = "\n".join(line.replace(",", "\t", 1) for line in data.split("\n"))
    items = of(data.encode(), kind, block_bytes=block_bytes)
    assert texts(items) == [
        'He said "no", twice', 'one\ntwo "three"\nfour', '"All"', "C:\\dir\\", 'a "b" c',
        'back \\ and " quote', "plain",
    ]  # fmt: skip


@given(
    st.lists(st.text(st.sampled_from('ab",\\\n'), min_size=1, max_size=8), min_size=1, max_size=5)
)
def test_backslashes_change_no_row_that_is_quoted_as_usual(cells: list[str]) -> None:
    rows = [["id", "text"], *(["x", cell] for cell in cells)]
    data = written(rows, quoting=csv.QUOTE_ALL)  # type: ignore[arg-type]
    assert texts(of(data, any_text=True)) == cells


def test_lines_that_end_in_carriage_returns() -> None:
    data = b'id,text\r1,"Bread, sails"\r2,Wind.\r3,"x\r'
    items = of(data)
    assert texts(items) == ["Bread, sails", "Wind."]
    assert rejects(items) == [(4, "bad_row")]
    assert items[-1].offset == data.index(b"3,")  # type: ignore[union-attr]
    wide = data.decode().encode("utf-16")
    assert texts(of(wide)) == ["Bread, sails", "Wind."]


def test_a_table_in_latin_1_is_detected_or_named() -> None:
    rows = "id;text\n" + "".join(f"{n};Señor Núñez dijo: «adiós».\n" for n in range(5))
    for encoding in (None, "latin-1"):
        items = of(rows.encode("latin-1"), encoding=encoding)
        assert texts(items) == ["Señor Núñez dijo: «adiós»."] * 5
