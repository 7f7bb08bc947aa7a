"""The same articles in every format that is read, with a few in them that cannot be."""

from __future__ import annotations

import bz2
import csv
import gzip
import html
import io
import json
import lzma
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import pyarrow
import pyarrow.parquet
from conftest import ROOT
from reading import zstd

_OUTSIDE = ROOT.parent / "shared/external/dump.jsonl"
_COLUMNS = ("id", "title", "text")
_EMPTY_EVERY = 97  # records, of which one has no text
_TOGETHER = 20  # records of JSON Lines in one member
_DAMAGED_EVERY = 31  # members
Record = dict[str, str]


def articles(count: int) -> list[Record]:
    """Return real transcripts where they are there, else the repository's articles repeated."""
    if _OUTSIDE.exists():
        with _OUTSIDE.open(encoding="utf-8") as lines:
            found = [json.loads(line) for line in lines]
    else:
        texts = [path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("data/raw/*.txt"))]
        found = [{"title": f"Article {n}", "text": text} for n, text in enumerate(texts)]
    records = [
        {"id": f"r{n}", "title": record["title"], "text": record["text"]}
        for n, record in enumerate(islice(cycle(found), count))
    ]
    for record in records[5::_EMPTY_EVERY]:
        record["text"] = ""
    return records


def _lines(records: Iterable[Record]) -> list[bytes]:
    return [json.dumps(record).encode() + b"\n" for record in records]


def _json_lines(records: Sequence[Record]) -> bytes:
    return b"".join(_lines(records)) + b"{broken\n"


def _json(records: Sequence[Record]) -> bytes:
    return json.dumps(records, indent=1).encode()


def _table(separator: str, records: Sequence[Record]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, delimiter=separator)
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue().encode()


def _parquet(records: Sequence[Record]) -> bytes:
    out = io.BytesIO()
    table = pyarrow.Table.from_pylist(records)
    pyarrow.parquet.write_table(table, out, row_group_size=300)
    return out.getvalue()


def _page(record: Record) -> bytes:
    paragraphs = "\n".join(f"<p>{html.escape(p)}</p>" for p in record["text"].split("\n\n"))
    title = html.escape(record["title"])
    if not record["text"]:
        return b"<!doctype html><html><body></body></html>"
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><nav>Home</nav><article><h1>{title}</h1>\n{paragraphs}</article></body></html>"
    ).encode()


def _warc_record(number: int, kind: str, content: str, block: bytes) -> bytes:
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: https://example.org/{number}\r\n"
        f"WARC-Record-ID: <urn:uuid:{number}>\r\nContent-Type: {content}\r\n"
        f"Content-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def _answers(records: Sequence[Record]) -> Iterator[bytes]:
    """Yield an answer for each record, or for each tenth the request for one."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    for n, record in enumerate(records):
        if n % 10 == 9:
            yield _warc_record(n, "request", "application/http", b"GET / HTTP/1.1\r\n\r\n")
        else:
            yield _warc_record(n, "response", "application/http", head + _page(record))


def _texts(records: Sequence[Record]) -> Iterator[bytes]:
    for n, record in enumerate(records):
        yield _warc_record(n, "conversion", "text/plain", record["text"].encode())


def _members(parts: Iterable[bytes], pack: Callable[[bytes], bytes] = gzip.compress) -> bytes:
    """Compress each part by itself, and damage some."""
    members = [bytearray(pack(part)) for part in parts]
    for member in members[7::_DAMAGED_EVERY]:
        member[len(member) // 2] ^= 0xFF
    return b"".join(members)


def _packs(records: Sequence[Record]) -> list[bytes]:
    lines = _lines(records)
    return [b"".join(lines[n : n + _TOGETHER]) for n in range(0, len(lines), _TOGETHER)]


FILES: dict[str, Callable[[Sequence[Record]], bytes]] = {
    "lines.jsonl": _json_lines,
    "members.jsonl.gz": lambda records: _members(_packs(records)),
    "frames.jsonl.zst": lambda records: _members(_packs(records), partial(zstd, checksum=True)),
    "array.json": _json,
    "array.json.xz": lambda records: lzma.compress(_json(records), preset=1),
    "commas.csv": lambda records: _table(",", records),
    "commas.csv.bz2": lambda records: bz2.compress(_table(",", records)),
    "tabs.tsv": lambda records: _table("\t", records),
    "rows.parquet": _parquet,
    "answers.warc": lambda records: b"".join(_answers(records)),
    "answers.warc.gz": lambda records: _members(_answers(records)),
    "texts.wet": lambda records: b"".join(_texts(records)),
    "texts.wet.gz": lambda records: _members(_texts(records)),
}
FOLDERS: dict[str, Callable[[Record], bytes]] = {
    ".txt": lambda record: record["text"].encode(),
    ".html": _page,
}


def write_input(folder: Path, name: str, records: Sequence[Record]) -> Path:
    """Write records as one of ``FILES``, or as a folder of files with one of these suffixes."""
    path = folder / name
    if name in FILES:
        path.write_bytes(FILES[name](records))
        return path
    path.mkdir()
    for n, record in enumerate(records):
        (path / f"{n:05}{name}").write_bytes(FOLDERS[name](record))
    return path


def expected(name: str, count: int) -> int:
    """Return how many records there are to be read; a damaged member is one."""
    if name == "lines.jsonl":
        return count + 1
    if name in {"members.jsonl.gz", "frames.jsonl.zst"}:
        members = -(-count // _TOGETHER)
        return count - len(range(7, members, _DAMAGED_EVERY)) * (_TOGETHER - 1)
    return count
