import gzip
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import COMPRESSORS, blocks_of, read, rejects, texts
from test_html import FIRST, PAGE, SECOND

from topicml.errors import InputError, MissingExtraError
from topicml.io.records import Fields, Reject
from topicml.text.document import Document

TEXT = f"Headline of it\n\n{FIRST}\n\n{SECOND}"
KEEP = Fields(keep=("warc_uri", "warc_date"))


def answer(
    body: bytes = PAGE.encode(),
    status: str = "200 OK",
    kind: str = "text/html; charset=utf-8",
    more: str = "",
) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}\r\n"
    return head.encode() + body


def record(name: str, block: bytes, kind: str = "response") -> bytes:
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: https://example.org/{name}\r\n"
        f"WARC-Date: 2024-01-02T03:04:05Z\r\nWARC-Document-ID: <urn:uuid:{name}>\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def of(data: bytes, **options: object) -> list[Document | Reject]:
    return read("-", stdin=data, input_format="warc", **options)


@pytest.mark.parametrize("suffix", COMPRESSORS)
@pytest.mark.parametrize("block_bytes", [1, 10**6])
def test_pages_become_records(tmp_path: Path, suffix: str, block_bytes: int) -> None:
    compress = COMPRESSORS[suffix]
    path = tmp_path / f"crawl.warc{suffix}"
    path.write_bytes(
        b"".join(
            compress(part)
            for part in (
                record("info", b"software: x\r\n", "warcinfo"),
                record("request", b"GET / HTTP/1.1\r\n\r\n", "request"),
                record("a", answer()),
                record("image", answer(b"\x89PNG" * 9999, kind="image/png")),
                record("missing", answer(status="404 Not Found")),
                record("b", answer(kind="application/xhtml+xml")),
            )
        )
    )
    kept = {"warc_uri": "https://example.org/a", "warc_date": "2024-01-02T03:04:05Z"}
    assert read(path, fields=KEEP, block_bytes=block_bytes) == [
        Document("urn:uuid:a", TEXT, str(path), 3, kept),
        Document("urn:uuid:b", TEXT, str(path), 6, {**kept, "warc_uri": "https://example.org/b"}),
    ]
    blocks = blocks_of(path, block_bytes=block_bytes)
    assert blocks == blocks_of(path, block_bytes=block_bytes)
    assert 0 < sum(block.size for block in blocks) <= path.stat().st_size


def test_encodings_of_the_transfer_are_undone() -> None:
    import brotli

    page = PAGE.encode()
    blocked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(page), page)
    items = of(
        record("a", answer(gzip.compress(page), more="Content-Encoding: gzip\r\n"))
        + record("b", answer(blocked, more="Transfer-Encoding: blocked\r\n"))
        + record("c", answer(zlib.compress(page), more="Content-Encoding: deflate\r\n"))
        + record("d", answer(brotli.compress(page), more="Content-Encoding: br\r\n"))
        + record(
            "e",
            answer(
                PAGE.replace("Tokyo", "Tōkyō").encode("euc-jp", "replace"),
                kind="text/html;charset=euc-jp",
            ),
        )
    )
    assert texts(items)[:4] == [TEXT] * 4
    assert len(items) == 5


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (record("x", answer(b"no gzip", more="Content-Encoding: gzip\r\n")), "damaged_input"),
        (record("x", answer(b"<html></html>")), "no_main_text"),
        (b"garbage\r\nmore of it\r\n\r\n", "damaged_input"),
        (b"\0\xff" * 5000, "damaged_input"),
        (b"WARC/1.0\r\nWARC-Type: response\r\n\r\nno length\r\n\r\n", "damaged_input"),
        (b"WARC/1.0\r\nContent-Length: -5\r\n\r\n", "damaged_input"),
        (b"WARC/1.0\r\nContent-Length: \xc2\xb2\r\n\r\n", "damaged_input"),
    ],
)
def test_damage_costs_the_record_that_it_is_in(bad: bytes, reason: str) -> None:
    bad = bad.removesuffix(b"\r\n") + b"\r\n"
    items = of(record("a", answer()) + bad + record("b", answer()))
    assert texts(items) == [TEXT, TEXT]
    (reject,) = [item for item in items if isinstance(item, Reject)]
    assert (reject.number, reject.reason) == (2, reason)
    assert reject.raw


def test_a_record_that_is_cut_off_is_told() -> None:
    data = record("a", answer()) + record("b", answer())
    items = of(data[:-300])
    assert texts(items) == [TEXT]
    assert rejects(items) == [(2, "truncated_input")]
    packed = b"".join(gzip.compress(record(name, answer())) for name in "ab")
    items = of(packed[:-30])
    assert texts(items) == [TEXT]
    assert rejects(items) == [(2, "truncated_input")]


def test_a_page_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warc, "LARGEST_RECORD", 200_000)
    large = answer(b"x" * 900_000)
    bomb = answer(gzip.compress(bytes(900_000)), more="Content-Encoding: gzip\r\n")
    items = of(record("a", large) + record("b", bomb) + record("c", answer()))
    assert rejects(items) == [(1, "too_large"), (2, "too_large")]
    assert items[0].length == len(large)  # type: ignore[union-attr]
    assert texts(items) == [TEXT]


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_any_bytes_in_a_record_or_behind_it_cost_no_other(block: bytes, behind: bytes) -> None:
    behind = behind.replace(b"WARC/", b"")
    data = record("a", answer()) + record("x", b"HTTP/1.1 200 OK\r\n" + block) + behind
    items = of(data + b"\n" + record("b", answer()))
    assert texts(items)[0] == texts(items)[-1] == TEXT
    assert len(items) <= 4


def test_what_is_no_warc_is_refused() -> None:
    with pytest.raises(InputError, match="not a WARC file"):
        of(b'{"text": "x"}')
    assert of(b"") == []


def test_a_missing_fastwarc_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastwarc.warc", None)
    with pytest.raises(MissingExtraError, match=r"fastwarc.*pip install 'topicml\[articles\]'"):
        of(b"")
