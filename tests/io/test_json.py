import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import blocks_of, read, rejects, texts

from topicml.errors import InputError
from topicml.io.readers import json as elements
from topicml.io.records import Reject
from topicml.text.document import Document


def of(data: bytes | str, **options: Any) -> list[Document | Reject]:
    data = data.encode() if isinstance(data, str) else data
    return read("-", stdin=data, input_format="json", **options)


RECORDS = [
    {"id": f"a{n}", "text": f'Té"xt {n}, }}, {{"x": [1]}}', "deep": [{"n": n}]} for n in range(30)
]
EXPECTED = [record["text"] for record in RECORDS]


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(RECORDS),
        json.dumps(RECORDS, indent=2, ensure_ascii=False),
        json.dumps(RECORDS, separators=(",", ":")),
        "\ufeff" + json.dumps(RECORDS),
        "\n".join(json.dumps(record, indent=1) for record in RECORDS),
        "".join(map(json.dumps, RECORDS)),
        json.dumps(RECORDS[:9]) + "\n" + json.dumps(RECORDS[9:]),
    ],
)
@pytest.mark.parametrize("block_bytes", [1, 500, 10**6])
def test_arrays_and_values_of_every_layout(data: str, block_bytes: int) -> None:
    items = of(data, block_bytes=block_bytes)
    assert texts(items) == EXPECTED
    assert [(item.id, item.number) for item in items if isinstance(item, Document)] == [
        (f"a{n}", n + 1) for n in range(30)
    ]


def test_one_record_is_one_document(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"title": "Head", "text": "Body."}, indent=2))
    assert read(path) == [Document(f"{path}:1", "Head\n\nBody.", str(path), 1)]


def test_encodings() -> None:
    for encoding in ("utf-16", "utf-8-sig", "utf-32"):
        assert texts(of(json.dumps(RECORDS, ensure_ascii=False).encode(encoding))) == EXPECTED


BROKEN = [
    ('{"text": "x"', "broken_json"),
    ('{"text": "x]', "broken_json"),
    ('{"text": "x\n"}', "broken_json"),
    ('{"text": x}', "broken_json"),
    ('{"text": "x",}', "broken_json"),
    ('{"text": "\\q"}', "broken_json"),
    ('{"text": NaN}', "missing_text"),
    ('{"text": "x", "n": NaN, "y": \\ud800}', "broken_json"),
    ('{"text": "x" "y": 1}', "broken_json"),
    ("garbage", "broken_json"),
    ("[" * 5000, "broken_json"),
    ('{"a":' * 5000 + "1" + "}" * 5000, "broken_json"),
    ("7", "not_an_object"),
    ("null", "not_an_object"),
    ('"text"', "not_an_object"),
    ("[1, 2]", "not_an_object"),
    ("{}", "missing_text"),
    ('{"text": 5}', "wrong_type"),
    ('{"text": "\\ud800"}', "lone_surrogate"),
]


@pytest.mark.parametrize("between", [", ", ",\n  "])
@pytest.mark.parametrize("block_bytes", [1, 10**6])
@pytest.mark.parametrize(("element", "reason"), BROKEN)
def test_a_broken_element_costs_itself_alone(
    element: str, reason: str, between: str, block_bytes: int
) -> None:
    good = ['{"text": "One."}', '{"text": "Two."}']
    data = f"[{good[0]}{between}{element}{between}{good[1]}]"
    items = of(data, block_bytes=block_bytes)
    assert texts(items) == ["One.", "Two."]
    (reject,) = [item for item in items if isinstance(item, Reject)]
    assert (reject.number, reject.reason) == (2, reason)
    assert reject.raw.decode().rstrip(", \n") == element
    assert reject.offset == data.index(element, 17)


@pytest.mark.parametrize(
    ("element", "reason"), [pair for pair in BROKEN if pair[1] == "broken_json"]
)
def test_a_broken_element_at_the_end(element: str, reason: str) -> None:
    items = of('[{"text": "One."}, ' + element + "]")
    assert texts(items) == ["One."]
    assert {item.reason for item in items if isinstance(item, Reject)} == {reason}


def test_what_is_between_two_elements_is_a_reject() -> None:
    items = of('[{"text": "One."}}, {"text": "Two."} x {"text": "Three."}]')
    assert texts(items) == ["One.", "Two.", "Three."]
    assert rejects(items) == [(2, "broken_json"), (4, "broken_json")]


def test_an_array_that_is_cut_off_is_told() -> None:
    whole = json.dumps(RECORDS)
    items = of(whole[: whole.index('{"id": "a7"') - 2])
    assert texts(items) == EXPECTED[:7]
    assert rejects(items) == [(8, "truncated_input")]
    items = of(whole[: whole.index('{"id": "a7"') + 30])
    assert texts(items) == EXPECTED[:7]
    assert (8, "broken_json") in rejects(items)


@given(
    st.lists(st.sampled_from(['{"text": "x"}', '{"text', *'[]}", 1\\']), max_size=25),
    st.integers(1, 100),
)  # fmt: skip
def test_any_pieces_give_the_same_however_they_are_cut(pieces: list[str], block_bytes: int) -> None:
    data = '{"text": "x"}' + "".join(pieces)
    items = of(data)
    assert of(data, block_bytes=block_bytes) == items
    assert texts(items)[0] == "x"
    numbers = [item.number for item in items]
    assert numbers == [*range(1, len(items) + 1)]


@given(st.lists(st.text(max_size=8), min_size=1, max_size=8), st.integers(1, 40))
def test_a_stream_that_comes_in_small_pieces(bodies: list[str], step: int) -> None:
    from topicml.io.compression import Stream

    class Slow(Stream):
        def read(self, size: int) -> bytes:
            return super().read(min(size, step))

    import io

    whole = json.dumps([{"text": body, "n": 12345} for body in bodies], indent=1).encode()
    cut = [item.raw for item in elements._ElementCutter(Slow(io.BytesIO(whole), "x"))]
    assert [json.loads(raw)["text"] for raw in cut] == bodies


def test_the_text_field_is_looked_for_before_anything_is_read() -> None:
    with pytest.raises(InputError) as error:
        of('[{"url": "u", "body": "long text"}]')
    assert str(error.value) == (
        "<stdin>:1: no field 'text'. Found: body, url. "
        "Name the one with the text: --text-field body"
    )


def test_records_within_an_object_are_pointed_to() -> None:
    with pytest.raises(InputError) as error:
        of('{"status": "ok", "articles": [{"text": "One."}]}')
    assert str(error.value) == (
        "<stdin>:1: no field 'text'. Records seem to be in 'articles'; "
        "give that array itself (jq .articles)."
    )


def test_blocks_tell_what_was_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(RECORDS, indent=2))
    blocks = blocks_of(path, block_bytes=500)
    assert len(blocks) > 3
    assert sum(block.size for block in blocks) == path.stat().st_size
    assert blocks == blocks_of(path, block_bytes=500)
    assert len({block.digest for block in blocks}) == len(blocks)


_MEASURE = """
import io, resource, sys
from topicml.io.readers import parse_block, read_blocks
from topicml.io.records import ReadOptions
from topicml.io.sources import list_sources

def pieces():
    yield b'[{"text": "first"}, {"text": "'
    for _ in range(2000):
        yield b"z" * 100_000
    yield b'"}, {"text": "last"}]'

class Huge(io.RawIOBase):
    pieces = pieces()
    def read(self, size=-1):
        return next(self.pieces, b"")

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

options = ReadOptions()
stdin = list_sources(["-"], "json").sources
list(parse_block(next(read_blocks(stdin, options, io.BytesIO(b'{"text": "x"}'))), options))
before = peak()
items = []
for block in read_blocks(stdin, options, Huge()):
    for item in parse_block(block, options):
        items.append((item.number, getattr(item, "length", 0) > 200_000_000))
print(items == [(1, False), (2, True), (3, False)], (peak() - before) // 1024)
"""


def test_an_element_of_200_mb_is_not_held() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE], capture_output=True, text=True, check=True
    )
    right, grown = done.stdout.split()
    assert right == "True"
    assert int(grown) < 150  # MB: one record of the largest size, as bytes and as text, and again


@pytest.mark.parametrize("topics", [[], [{"topic": "sailing", "probability": 0.9}]])
def test_an_output_of_the_program_is_told_from_a_text(topics: list[object]) -> None:
    record = {"id": "a", "model": "m@1", "topics": topics, "reason": None, "sentences": [{}]}
    with pytest.raises(InputError) as error:
        read("-", stdin=json.dumps(record).encode())
    assert str(error.value) == (
        "<stdin>:1: no field 'text'. "
        "It is an output of topicml: give the texts that it was made of."
    )
