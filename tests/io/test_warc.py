import gzip
import re
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import COMPRESSORS, blocks_of, read, rejects, texts
from test_html import FIRST, PAGE, SECOND

from topicml.errors import InputError, MissingExtraError
from topicml.io.readers import html, warc
from topicml.io.records import Fields, Reject
from topicml.text.document import Document

TEXT = f"Headline of it\n\n{FIRST}\n\n{SECOND}"
SITE = "https://example.org/"
KEEP = Fields(keep=("warc_uri", "warc_date"))


def answer(
    body: bytes = PAGE.encode(),
    status: str = "200 OK",
    kind: str = "text/html; charset=utf-8",
    more: str = "",
) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}\r\n"
    return head.encode() + body


def record(
    name: str,
    block: bytes,
    kind: str = "response",
    content: str = "application/http; msgtype=response",
) -> bytes:
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: https://example.org/{name}\r\n"
        f"WARC-Date: 2024-01-02T03:04:05Z\r\nWARC-Record-ID: <urn:uuid:{name}>\r\n"
        f"Content-Type: {content}\r\nContent-Length: {len(block)}\r\n\r\n"
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
        Document(f"{SITE}a", TEXT, str(path), 3, kept),
        Document(f"{SITE}b", TEXT, str(path), 6, {**kept, "warc_uri": f"{SITE}b"}),
    ]
    blocks = blocks_of(path, block_bytes=block_bytes)
    assert blocks == blocks_of(path, block_bytes=block_bytes)
    assert 0 < sum(block.size for block in blocks) <= path.stat().st_size


def test_encodings_of_the_transfer_are_undone() -> None:
    import brotli

    page = PAGE.encode()
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(page), page)
    items = of(
        record("a", answer(gzip.compress(page), more="Content-Encoding: gzip\r\n"))
        + record("b", answer(chunked, more="Transfer-Encoding: chunked\r\n"))
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


def test_a_missing_fastwarc_names_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "crawl.warc"
    path.write_bytes(record("a", answer()))
    monkeypatch.setitem(sys.modules, "fastwarc.warc", None)
    command = r"fastwarc.*pip install 'topicml\[articles\]'"
    with pytest.raises(MissingExtraError, match=command):
        read(path)
    (reject,) = of(path.read_bytes())
    assert isinstance(reject, Reject)
    assert reject.reason == "missing_dependency"
    assert re.search(command, reject.detail)


def test_an_answer_in_plain_text_is_read_as_it_is() -> None:
    body = "Les ministres – réunis à Tokyo – ont dit: <b>oui</b>.\n\nFin."
    items = of(
        record("a", answer(body.encode(), kind="text/plain"))
        + record("b", answer(body.encode("cp1252"), kind="text/plain; charset=ISO-8859-1"))
        + record("c", answer(b"a,b", kind="text/csv"))
    )
    assert texts(items) == [body, body]
    assert [item.encoding for item in items if isinstance(item, Document)] == ["utf-8", "cp1252"]


def test_the_texts_of_a_wet_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "crawl.warc.wet.gz"
    text = "Headline\nThe ministers met in Tōkyō."
    parts = (
        record("info", b"Software-Info: x", "warcinfo"),
        record("a", text.encode(), "conversion", "text/plain"),
        record("b", b"{}", "conversion", "application/json"),
        record("c", b" \n", "conversion", "text/plain"),
    )
    path.write_bytes(b"".join(map(gzip.compress, parts)))
    items = read(path, fields=KEEP)
    kept = {"warc_uri": "https://example.org/a", "warc_date": "2024-01-02T03:04:05Z"}
    assert items[0] == Document(f"{SITE}a", text, str(path), 2, kept)
    assert rejects(items) == [(4, "empty_text")]


def test_what_is_no_text_is_counted_by_kind(tmp_path: Path) -> None:
    path = tmp_path / "crawl.warc.gz"
    parts = (
        record("info", b"Software-Info: x", "warcinfo"),
        record("a", b"GET / HTTP/1.1\r\n\r\n", "request"),
        record("a", answer()),
        record("a", b"seen: before", "revisit"),
        record("b", answer(b"\x89PNG", kind="image/png")),
        record("c", answer(b"\xff\xd8", kind="Image/JPEG;q=1")),
        record("d", answer(b"{}", kind="application/json; charset=utf-8")),
        record("e", answer(status="404 Not Found")),
        record("f", answer(status="2000")),
        record("g", answer(kind="")),
        record("h", answer(kind="x" * 99 + "/y")),
        record("i", b"20240102 example.org A 192.0.2.1", "response", "text/dns"),
        record("j", b"x", "conversion", "application/json"),
        record("k", b"x", "invented"),
    )
    path.write_bytes(b"".join(map(gzip.compress, parts)))
    (block,) = blocks_of(path)
    assert block.skipped() == {
        "warcinfo": 1,
        "request": 1,
        "revisit": 1,
        "image": 2,
        "application/json": 2,
        "status 404": 1,
        "status unknown": 1,
        "unknown type": 2,
        "text/dns": 1,
        "unknown record": 1,
    }
    assert block.skipped().total() + len(read(path)) == len(parts)


def test_a_file_of_nothing_but_other_records_is_counted() -> None:
    blocks = blocks_of("-", stdin=record("a", b"x", "request") * 3, input_format="warc")
    assert [block.skipped() for block in blocks] == [{"request": 3}]


FLIPPED = [record(f"{n}", answer(PAGE.replace("Monday", f"day {n}").encode())) for n in range(5)]
MEMBERS = [gzip.compress(part, mtime=0) for part in FLIPPED]
WHERE = [  # in a member: each byte of its header, some of the middle, each of its trailer
    *range(10),
    *range(10, len(MEMBERS[0]) - 8, 29),
    *range(len(MEMBERS[0]) - 8, len(MEMBERS[0])),
]


@pytest.fixture
def plain_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take pages as their text, which is quick."""
    monkeypatch.setattr(html, "main_text", str)


@pytest.mark.usefixtures("plain_pages")
@pytest.mark.parametrize("damaged", [[0], [2], [4], [0, 1], [1, 3], [2, 3, 4]], ids=str)
@pytest.mark.parametrize("mask", [1, 0x10, 0xFF])
def test_a_flipped_byte_costs_the_member_that_it_is_in(damaged: list[int], mask: int) -> None:
    whole = {item.id: item.text for item in of(b"".join(FLIPPED)) if isinstance(item, Document)}
    good = {f"{SITE}{n}" for n in range(5) if n not in damaged}
    for where in WHERE:
        members = [bytearray(member) for member in MEMBERS]
        for number in damaged:
            members[number][where] ^= mask
        items = of(b"".join(members))
        found = {item.id: item.text for item in items if isinstance(item, Document)}
        assert good <= found.keys(), where
        assert found.items() <= whole.items()  # none that is damaged is given for a good one
        assert len(items) - len(found) == len(rejects(items))
        if len(found) < len(whole):
            reasons = {reason for _, reason in rejects(items)}
            # the last one may end too late for the file
            assert reasons
            assert reasons <= {"damaged_input", *["truncated_input"] * (4 in damaged)}
            assert len(rejects(items)) <= len(damaged)


@pytest.mark.usefixtures("plain_pages")
def test_where_members_are_damaged_is_told() -> None:
    members = [bytearray(member) for member in MEMBERS]
    members[1][40] ^= 1
    start = len(members[0])
    (reject,) = [item for item in of(b"".join(members)) if isinstance(item, Reject)]
    end = start + len(members[1]) - 1
    assert f"bytes {start} to {end} of the file cannot be read" in reject.detail
    assert (reject.number, reject.offset) == (2, len(FLIPPED[0]))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.wet", "plain"), ("a.wet.gz", "gzip"), ("a.warc.gz", "gzip"), ("a.warc", "plain")],
)
def test_conversions_are_read_whatever_the_file_is_called(
    tmp_path: Path, name: str, kind: str
) -> None:
    path = tmp_path / name
    parts = (
        record("a", answer(b"<p>x", status="301 Moved")),
        record("a", b"The ministers met.", "conversion", "text/plain; charset=utf-8"),
    )
    path.write_bytes(b"".join(map(gzip.compress if kind == "gzip" else bytes, parts)))
    assert texts(read(path)) == ["The ministers met."]


def test_what_headers_and_page_say_can_be_kept() -> None:
    page = PAGE.replace(
        "<title>T</title>",
        '<title>A title</title><meta property="article:published_time" content="2023-05-06">'
        '<link rel="canonical" href="https://example.org/other">',
    )
    names = ("url", "date", "title", "status", "warc_date", "warc_record_id")
    items = of(
        record("a", answer(page.encode()))
        + record("b", b"The ministers met.", "conversion", "text/plain"),
        fields=Fields(id="warc_record_id", keep=names),
    )
    documents = [item for item in items if isinstance(item, Document)]
    assert [document.id for document in documents] == ["urn:uuid:a", "urn:uuid:b"]
    assert documents[0].text == TEXT  # its title is not read as the first paragraph
    day = "2024-01-02T03:04:05Z"
    rows = [[document.kept[name] for name in names] for document in documents]
    assert rows[0][1:] == ["2023-05-06", rows[0][2], 200, day, "urn:uuid:a"]
    assert rows[0][0] == f"{SITE}a"
    assert rows[0][2] in {"A title", "Headline of it"}
    assert rows[1] == [f"{SITE}b", None, None, None, day, "urn:uuid:b"]


def test_a_page_may_have_its_id_and_all_fields_of_what_it_says() -> None:
    data = record("a", answer(PAGE.replace("<title>T", "<title>A title").encode()))
    (document,) = of(data, fields=Fields(id="title", keep=("*",)))
    assert isinstance(document, Document)
    assert document.id in {"A title", "Headline of it"}
    assert document.text == TEXT
    assert {"url", "status", "warc_date", "warc_record_id", "warc_uri"} <= {*document.kept}
    with pytest.raises(InputError, match="no field 'nothing'"):
        of(data, fields=Fields(keep=("nothing",)))


def test_where_a_page_starts_is_told() -> None:
    first = record("a", answer())
    items = of(first + record("b", answer(b"<html></html>")))
    assert [item.offset for item in items if isinstance(item, Reject)] == [len(first)]
