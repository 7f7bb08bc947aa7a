"""Ten articles of seven kinds, as an analyst finds them."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

_SENTENCES = (
    "The bakers of {0} kneaded the dough before the oven was hot.",
    "Tomato seeds from {0} need warm soil and light.",
    "The boat left the harbour of {0} with a fair wind.",
    "Nobody in {0} answered the telephone.",
)
TOWNS = (
    "Aberdeen",
    "Bergen",
    "Cork",
    "Dover",
    "Esbjerg",
    "Faro",
    "Genoa",
    "Hull",
    "Izmir",
    "Jaffa",
)


def text_of(town: str) -> str:
    return " ".join(sentence.format(town) for sentence in _SENTENCES)


def write_articles(folder: Path) -> list[Path]:
    """Write eight files with the ten articles; return them."""
    a, b, c, d, e, f, g, h, i, j = map(text_of, TOWNS)
    head = "<head><title>News of Cork</title></head>"
    html = f"<html>{head}<body><article><h1>News of Cork</h1><p>{c}</p></article></body></html>"
    rows = [{"id": "dover", "text": d}, {"id": "esbjerg", "text": e}]
    files = {
        "aberdeen.txt": a.encode(),
        "bergen.md": b.encode(),
        "cork.html": html.encode(),
        "two.jsonl": "".join(json.dumps(row) + "\n" for row in rows).encode(),
        "more.csv": f'id,text\nfaro,"{f}"\ngenoa,"{g}"\n'.encode(),
        "hull.docx": _docx(h),
        "izmir.rtf": rf"{{\rtf1\ansi {i}\par}}".encode(),
        "jaffa.json": json.dumps([{"id": "jaffa", "text": j}]).encode(),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in files]


def _docx(text: str) -> bytes:
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    package = "http://schemas.openxmlformats.org/package/2006"
    document = (
        f'<w:document xmlns:w="{word}"><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p>'
        "</w:body></w:document>"
    )
    types = (
        f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Override PartName='
        '"/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        'wordprocessingml.document.main+xml"/></Types>'
    )
    relations = (
        f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type='
        '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="word/document.xml"/></Relationships>'
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("_rels/.rels", relations)
        archive.writestr("word/document.xml", document)
    return made.getvalue()
