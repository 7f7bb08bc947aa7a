import gzip
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import blocks_of, jsonl, numbered, read, rejects, texts

from topicml.errors import InputError
from topicml.io.records import LARGEST_RECORD, MOST_RAW, REASONS, Fields, Reject
from topicml.text.document import Document

GOOD = '{"text": "Good – très bien."}'.encode()  # so that a bad line is one among good ones


def of(data: bytes, **options: object) -> list[Document | Reject]:
    return read("-", stdin=data, input_format="jsonl", **options)


def test_records_have_text_id_number_and_kept_fields() -> None:
    data = jsonl({"id": "x", "text": "One.", "date": "2024", "deep": {"a": [1]}}, {"text": "Two."})
    fields = Fields(keep=("date", "deep"))
    assert of(data, fields=fields) == [
        Document("x", "One.", "<stdin>", 1, {"date": "2024", "deep": {"a": [1]}}),
        Document("<stdin>:2", "Two.", "<stdin>", 2, {"date": None, "deep": None}),
    ]


def test_a_title_is_the_first_paragraph() -> None:
    titles = ("Head", "", " ", None, 7, "Body")
    data = jsonl(*({"text": "Body.", "title": title} for title in titles), {"text": "B."})
    expected = ["Head\n\nBody.", "Body.", "Body.", "Body.", "Body.", "Body.", "B."]
    assert texts(of(data)) == expected
    assert texts(of(data, fields=Fields(title=None))) == ["Body."] * 6 + ["B."]
    data = data.replace(b"title", b"headline")
    assert texts(of(data, fields=Fields(title="headline"))) == expected


def test_an_empty_text_is_a_document_where_that_is_asked_for() -> None:
    data = jsonl({"text": ""}, {"text": " "}, {"text": None}, {})
    assert rejects(of(data)) == [
        (1, "empty_text"), (2, "empty_text"), (3, "missing_text"), (4, "missing_text")
    ]  # fmt: skip
    items = of(data, any_text=True)
    assert texts(items) == ["", " "]
    assert rejects(items) == [(3, "missing_text"), (4, "missing_text")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "broken_json"),
        (b'{"text": "x"} {"text": "y"}', "broken_json"),
        (b'{"text": NaN}', "missing_text"),
        (b'{"text": "x", "n": Nan, "NaN": 1}', "broken_json"),
        (b'{"text": "x", "n": NaN, "m": "\\ud800"}', "broken_json"),
        (b'{"text": "x", "n": ' + b"[" * 50_000 + b"NaN", "broken_json"),
        (b"[" * 100_000, "broken_json"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "broken_json"),
        (b'{"text": "a\x01"}', "broken_json"),
        (b'\xef\xbb\xbf{"text": "x"}', "broken_json"),
        (b"[1]", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"null", "not_an_object"),
        (b"{}", "missing_text"),
        (b'{"text": null}', "missing_text"),
        (b'{"text": 5}', "wrong_type"),
        (b'{"text": ["x"]}', "wrong_type"),
        (b'{"text": "x", "id": true}', "wrong_type"),
        (b'{"text": "x", "id": {}}', "wrong_type"),
        (b'{"text": ""}', "empty_text"),
        (b'{"text": " \\n\\u2003"}', "empty_text"),
        (b'{"text": "\xff"}', "invalid_utf8"),
        (b'{"text": "\xed\xa0\x80"}', "invalid_utf8"),
        (b'{"text": "\\ud800"}', "lone_surrogate"),
        (b'{"text": "x", "id": "\\udc00 "}', "lone_surrogate"),
        (b'{"text": "\\ud83dx"}', "lone_surrogate"),
        (b'{"text": "a\\u0000b"}', "binary"),
        (b"\0\0\0\0\0", "broken_json"),
        (b"\xff\0\0\0\0", "binary"),
        (b'{"text": "' + b"x" * LARGEST_RECORD + b'"}', "too_large"),
    ],
)
def test_a_bad_line_is_rejected_with_its_reason_and_bytes(line: bytes, reason: str) -> None:
    first, reject, last = of(GOOD + b"\n" + line + b"\n" + GOOD)
    assert isinstance(first, Document)
    assert isinstance(reject, Reject)
    assert (reject.source, reject.number, reject.reason) == ("<stdin>", 2, reason)
    assert reject.offset == len(GOOD) + 1
    assert reason in REASONS
    assert reject.raw == line[:MOST_RAW]
    assert reject.length == len(line)
    assert reject.detail
    assert isinstance(last, Document)
    assert last.number == 3


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ('"a"', "a"),
        ("5", "5"),
        ("0", "0"),
        ("-3", "-3"),
        ("18446744073709551617", "18446744073709551617"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ('""', "<stdin>:1"),
        ("null", "<stdin>:1"),
    ],
)
def test_ids_become_strings(identifier: str, expected: str) -> None:
    (record,) = of(f'{{"id": {identifier}, "text": "x"}}'.encode())
    assert isinstance(record, Document)
    assert record.id == expected


def test_of_duplicate_keys_the_last_counts() -> None:
    assert texts(of(b'{"text": 1, "text": "two"}')) == ["two"]


def test_marks_line_ends_and_blank_lines() -> None:
    data = b"\xef\xbb\xbf" + GOOD + b"\r\n\r\n \t\n" + GOOD + b"\r\n" + GOOD
    assert [(item.number, type(item)) for item in of(data)] == [
        (1, Document),
        (4, Document),
        (5, Document),
    ]
    assert of(b"") == of(b"\n\n") == of(b"\xef\xbb\xbf") == of(b"\xef\xbb\xbf\n") == []


def test_a_few_nuls_are_no_binary() -> None:
    text = "word " * 100 + "\0"
    assert texts(of(jsonl({"text": text}))) == [text]


BAD_LINES = st.one_of(
    st.binary(max_size=60).filter(lambda b: b"\n" not in b),
    st.text('{}[]":,\\u0123dtex ', max_size=30).map(str.encode),
)


@given(st.lists(st.one_of(st.integers(0, 9), BAD_LINES), max_size=30), st.integers(1, 300))
def test_hostile_lines_cost_no_good_one(lines: list[int | bytes], block_bytes: int) -> None:
    good = {"text": "ok"}
    data = [
        json.dumps({**good, "id": line}).encode() if isinstance(line, int) else line
        for line in lines
    ]
    whole = b"\n".join([json.dumps(good).encode(), *data])
    items = of(whole, block_bytes=block_bytes, encoding="utf-8")
    assert [item.number for item in items] == [
        1, *(n for n, line in enumerate(data, start=2) if not line.isspace() and line)
    ]  # fmt: skip
    for item in items[1:]:
        line = lines[item.number - 2]
        if isinstance(line, int):
            assert isinstance(item, Document)
            assert (item.id, item.text) == (str(line), "ok")
        elif isinstance(item, Reject):
            assert item.raw == line
            assert item.reason


@pytest.mark.parametrize("block_bytes", [1, 7, 100, 1000, 10**7])
def test_blocks_are_whole_lines_with_their_first_number(block_bytes: int) -> None:
    data = numbered(40)
    blocks = blocks_of("-", stdin=data, input_format="jsonl", block_bytes=block_bytes)
    items = [item for block in blocks for item in block.items]
    assert b"".join(item.raw for item in items) == data
    number = 1
    for item in items:
        assert item.number == number
        assert data[item.offset :].startswith(item.raw)
        assert item.raw.endswith(b"\n")
        number += item.raw.count(b"\n")
    assert sum(block.size for block in blocks) == len(data)
    assert len({block.digest for block in blocks}) == len(blocks)


@pytest.mark.parametrize("block_bytes", [500, 2_000_000, 50_000_000])
@pytest.mark.parametrize("end", [b"", b"\n", b"\n" + GOOD, b"\r\n" + GOOD + b"\n"])
def test_a_line_that_is_too_large_is_the_same_reject_however_it_is_cut(
    block_bytes: int, end: bytes
) -> None:
    large = b'{"text": "' + b"y" * LARGEST_RECORD + b'"}'
    items = of(GOOD + b"\n" + large + end, block_bytes=block_bytes)
    length = len(large) + end.startswith(b"\r")
    reject = items[1]
    assert isinstance(reject, Reject)
    assert (reject.reason, reject.raw, reject.length) == ("too_large", large[:MOST_RAW], length)
    assert (reject.number, reject.offset) == (2, len(GOOD) + 1)
    assert [item.number for item in items] == ([1, 2, 3] if GOOD in end else [1, 2])


_MEASURE = """
import io, resource, sys
from topicml.io.readers import parse_block, read_blocks
from topicml.io.records import ReadOptions
from topicml.io.sources import list_sources

def pieces():
    yield b'{"text": "first"}\\n{"text": "'
    for _ in range(2000):
        yield b"z" * 100_000
    yield b'"}\\n{"text": "last"}\\n'

class Huge(io.RawIOBase):
    pieces = pieces()
    def read(self, size=-1):
        return next(self.pieces, b"")

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

options = ReadOptions()
stdin = list_sources(["-"], "jsonl").sources
list(parse_block(next(read_blocks(stdin, options, io.BytesIO(b'{"text": "x"}'))), options))
before = peak()
items = []
for block in read_blocks(stdin, options, Huge()):
    for item in parse_block(block, options):
        items.append((item.number, getattr(item, "length", 0) > 200_000_000))
print(items == [(1, False), (2, True), (3, False)], (peak() - before) // 1024)
"""


def test_a_line_of_200_mb_is_not_held() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE], capture_output=True, text=True, check=True
    )
    right, grown = done.stdout.split()
    assert right == "True"
    assert int(grown) < 30  # MB: one record of the largest size, and little more


def test_the_text_field_is_looked_for_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "dump.jsonl"
    path.write_bytes(b"broken\n\n" + jsonl({"url": "u", "headline": "h", "body": "long text"}))
    with pytest.raises(InputError) as error:
        read(path)
    assert str(error.value) == (
        f"{path}:3: no field 'text'. Found: body, headline, url. "
        "Name the one with the text: --text-field body"
    )
    assert texts(read(path, fields=Fields(text="body"))) == ["long text"]


def test_a_name_that_is_nearly_right_is_guessed() -> None:
    with pytest.raises(InputError, match="Did you mean 'texts'"):
        of(jsonl({"texts": "x"}))


def test_one_record_with_the_field_is_enough() -> None:
    data = jsonl({"note": "a header"}, {"text": "x"}, {"body": "y"})
    assert rejects(of(data)) == [(1, "missing_text"), (3, "missing_text")]


def test_only_the_first_hundred_lines_are_looked_at() -> None:
    items = of(b"broken\n" * 100 + jsonl({"body": "x"}))
    assert len(rejects(items)) == 101


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_mark_says_the_encoding(encoding: str) -> None:
    data = '{"id": "a", "text": "Tōkyō"}\n{"id": "b", "text": "x"}'.encode(encoding)
    name = "utf-8" if encoding == "utf-8-sig" else encoding
    assert of(data) == [
        Document("a", "Tōkyō", "<stdin>", 1, encoding=name),
        Document("b", "x", "<stdin>", 2, encoding=name),
    ]


def test_a_file_in_another_encoding_is_read_and_its_bad_lines_are_rejects() -> None:
    body = "Le ministre a déclaré à Paris que l’exercice {} était prêt."
    lines = [f'{{"text": "{body.format(n)}"}}' for n in range(20)]
    data = "\n".join(lines).encode("cp1252").replace(b"13 ", b"13 \x81")
    items = of(data)
    assert texts(items) == [body.format(n) for n in range(20) if n != 13]
    assert {item.encoding for item in items if isinstance(item, Document)} == {"cp1252"}
    (reject,) = [item for item in items if isinstance(item, Reject)]
    assert (reject.number, reject.reason, reject.offset) == (14, "wrong_encoding", None)
    assert "cp1252" in reject.detail


def test_an_encoding_that_is_named_overrides_all() -> None:
    data = '{"text": "日本"}'.encode("shift_jis")
    assert texts(of(data, encoding="shift_jis")) == ["日本"]
    assert rejects(of(b'{"text": "\xc3\xa9"}', encoding="ascii")) == [(1, "wrong_encoding")]
    with pytest.raises(InputError, match="unknown encoding 'base64'"):
        of(data, encoding="base64")


def test_what_starts_as_an_array_is_json(tmp_path: Path) -> None:
    path = tmp_path / "dump.jsonl"
    path.write_bytes(b'[{"text": "One."},\n {"text": "Two."}]')
    assert texts(read(path)) == ["One.", "Two."]


def test_a_damaged_member_costs_the_records_in_it(tmp_path: Path) -> None:
    lines = numbered(30).splitlines(keepends=True)
    members = [bytearray(gzip.compress(b"".join(lines[n : n + 10]), mtime=0)) for n in (0, 10, 20)]
    for number, left in ((0, range(10, 30)), (1, [*range(10), *range(20, 30)]), (2, range(20))):
        damaged = [bytearray(member) for member in members]
        damaged[number][60] ^= 0xFF
        path = tmp_path / f"{number}.jsonl.gz"
        path.write_bytes(b"".join(damaged))
        items = read(path)
        assert texts(items) == [f"Text {n}." for n in left]
        assert [reason for _, reason in rejects(items)] == ["damaged_input"]


def test_of_a_single_damaged_member_all_before_the_damage_is_read(tmp_path: Path) -> None:
    chance = random.Random(1)  # noqa: S311
    data = jsonl(*({"text": f"{chance.getrandbits(300):x}"} for _ in range(200)))
    packed = bytearray(gzip.compress(data, mtime=0))
    packed[-4000] ^= 0xFF
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(packed)
    items = read(path)
    assert len(texts(items)) > 50
    assert rejects(items)[-1][1] == "damaged_input"
