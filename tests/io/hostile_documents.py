"""Documents that were made to hurt; the same ones for the same seed."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Container, Iterator

from documents import NEWS, docx, docx_body, make_pdf, odt, page_of, pdf_objects, zipped

Made = tuple[str, bytes]
_WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def _word(xml: bytes) -> bytes:
    return zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": xml})


def _open_text(xml: bytes) -> bytes:
    return zipped({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": xml}, 0)


def _entities(root: str) -> bytes:
    lines = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(12))
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "x">{lines}]>{root}'.encode()


def _deep_xml(count: int) -> bytes:
    inner = "<w:p><w:r><w:t>x</w:t></w:r></w:p>"
    cells = "<w:tbl><w:tr><w:tc>" * count + inner + "</w:tc></w:tr></w:tbl>" * count
    return docx_body(cells).encode()


def _stream(data: bytes, *filters: str) -> bytes:
    names = " ".join(f"/{name}" for name in filters)
    return b"<< /Length %d /Filter [%s] >> stream\n%s\nendstream" % (
        len(data),
        names.encode(),
        data,
    )


def _bomb(times: int, size: int = 50_000_000) -> bytes:
    data = b"(x) Tj " * (size // 7)
    for _ in range(times):
        data = zlib.compress(data, 9)
    return data


def _lying_sizes(choice: random.Random) -> bytes:
    data = bytearray(docx(NEWS))
    at = data.rfind(b"PK\x01\x02")
    data[at + 20 : at + 28] = choice.randbytes(8)
    return bytes(data)


def _damaged(data: bytes, choice: random.Random) -> bytes:
    made = bytearray(data)
    for _ in range(choice.randrange(1, 200)):
        made[choice.randrange(len(made))] = choice.randrange(256)
    return bytes(made)


def _rtf(inner: bytes) -> bytes:
    return rb"{\rtf1\ansi " + inner + rb" The ministers met.\par}"


PDF_HEAD = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"


def _pdf_page(content: bytes, extra: bytes = b"", box: bytes = b"0 0 612 792") -> bytes:
    return pdf_objects(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [" + box + b"] /Contents 4 0 R /Resources << "
        b"/Font << /F1 5 0 R >> " + extra + b" >> >>",
        content,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )


def _text_stream(text: bytes = b"BT /F1 12 Tf 72 700 Td (The ministers met.) Tj ET") -> bytes:
    return b"<< /Length %d >> stream\n%s\nendstream" % (len(text), text)


SINGLE: dict[str, Callable[[], Made]] = {
    "zip-bomb": lambda: ("docx", _word(b"<a>" + b"x" * 70_000_000)),
    "zip-bomb-odt": lambda: ("odt", _open_text(b"<a>" + b"x" * 15_000_000)),
    "zip-elements": lambda: ("docx", _word(docx_body("<w:p/>" * 9_000_000).encode())),
    "entities": lambda: (
        "docx",
        _word(_entities(docx_body("<w:p><w:r><w:t>&a12;</w:t></w:r></w:p>"))),
    ),
    "entities-odt": lambda: ("odt", _open_text(_entities("<x>&a12;</x>"))),
    "external": lambda: (
        "docx",
        _word(b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'),
    ),
    "deep-tables": lambda: ("docx", _word(_deep_xml(60))),
    "deeper-tables": lambda: ("docx", _word(_deep_xml(100_000))),
    "deep-spans": lambda: (
        "odt",
        odt("<text:p>" + "<text:span>" * 5000 + "x" + "</text:span>" * 5000 + "</text:p>"),
    ),
    "no-document": lambda: ("docx", zipped({"[Content_Types].xml": b"", "word/x": b""})),
    "no-content": lambda: (
        "odt",
        zipped({"mimetype": b"application/vnd.oasis.opendocument.text"}, 0),
    ),
    "empty-document": lambda: ("docx", _word(docx_body("").encode())),
    "zip-in-zip": lambda: ("docx", _word(_word(docx(NEWS)))),
    "many-parts": lambda: (
        "docx",
        zipped({"word/document.xml": b"<x/>", **{f"word/{n}": b"" for n in range(3_000)}}),
    ),
    "ole-encrypted": lambda: (
        "docx",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
    ),
    "old-word": lambda: ("docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000)),
    "fields-unclosed": lambda: (
        "docx",
        docx_of_runs('<w:r><w:fldChar w:fldCharType="begin"/></w:r>' * 50_000),
    ),
    "pdf-empty": lambda: ("pdf", PDF_HEAD),
    "pdf-encrypted": lambda: ("pdf", make_pdf([NEWS], opened_by="x")),
    "pdf-bomb": lambda: ("pdf", _pdf_page(_stream(_bomb(1, 400_000_000), "FlateDecode"))),
    "pdf-bomb-twice": lambda: (
        "pdf",
        _pdf_page(_stream(_bomb(2, 30_000_000), "FlateDecode", "FlateDecode")),
    ),
    "pdf-characters": lambda: (
        "pdf",
        _pdf_page(
            _stream(zlib.compress(b"BT /F1 12 Tf (" + b"x" * 4_000_000 + b") Tj ET"), "FlateDecode")
        ),
    ),
    "pdf-words": lambda: (
        "pdf",
        _pdf_page(
            _stream(
                zlib.compress(
                    b"BT /F1 4 Tf "
                    + b"".join(
                        b"1 0 0 1 %d %d Tm (ab) Tj " % (n % 600, n // 600) for n in range(40_000)
                    )
                    + b"ET"
                ),
                "FlateDecode",
            )
        ),
    ),
    "pdf-giant-box": lambda: ("pdf", _pdf_page(_text_stream(), box=b"0 0 99999999999 99999999999")),
    "pdf-negative-box": lambda: ("pdf", _pdf_page(_text_stream(), box=b"612 792 0 -5")),
    "pdf-nan-box": lambda: ("pdf", _pdf_page(_text_stream(), box=b"a b c d")),
    "pdf-own-form": lambda: (
        "pdf",
        _pdf_page(
            b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 4 0 R"
            b" >> >> /Length 5 >> stream\n/X Do\nendstream",
            b"/XObject << /X 4 0 R >>",
        ),
    ),
    "pdf-own-length": lambda: ("pdf", _pdf_page(b"<< /Length 4 0 R >> stream\nBT ET\nendstream")),
    "pdf-page-count": lambda: (
        "pdf",
        pdf_objects(
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 2000000000 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>",
        ),
    ),
    "pdf-own-kids": lambda: (
        "pdf",
        pdf_objects(
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [2 0 R 2 0 R 2 0 R] /Count 900 /Parent 2 0 R >>",
        ),
    ),
    "pdf-same-page": lambda: (
        "pdf",
        pdf_objects(
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [" + b"3 0 R " * 9000 + b"] /Count 9000 >>",
            page_of(4, 5),
            _text_stream(),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        ),
    ),
    "pdf-deep-array": lambda: (
        "pdf",
        _pdf_page(_text_stream(), b"/X " + b"[" * 100_000 + b"]" * 100_000),
    ),
    "pdf-deep-content": lambda: ("pdf", _pdf_page(_text_stream(b"q " * 500_000 + b"[" * 500_000))),
    "pdf-nothing-but-marks": lambda: (
        "pdf",
        _pdf_page(_text_stream(b"BT /F1 12 Tf 72 700 Td (" + b"1 " * 10_000 + b") Tj ET")),
    ),
    "rtf-deep": lambda: ("rtf", _rtf(b"{" * 1_000_000)),
    "rtf-closed": lambda: ("rtf", _rtf(b"}" * 50_000)),
    "rtf-bin": lambda: ("rtf", _rtf(rb"{\pict\bin999999999 abc}")),
    "rtf-bin-negative": lambda: ("rtf", _rtf(rb"{\pict\bin-5 abc}")),
    "rtf-object": lambda: (
        "rtf",
        _rtf(rb"{\object\objemb{\*\objdata " + b"4d5a" * 500_000 + b"}}"),
    ),
    "rtf-numbers": lambda: ("rtf", _rtf(rb"\u-999999999 \u55357 \u99999999 \uc99999999\u65 ab")),
    "rtf-words": lambda: ("rtf", _rtf(b"\\" + b"a" * 1_000_000 + b"\\'zz\\'")),
    "rtf-fields": lambda: ("rtf", _rtf(rb"{\field{\*\fldinst TOC}{\fldrslt x" * 400)),
    "rtf-fonts": lambda: ("rtf", _rtf(rb"{\fonttbl" + rb"{\f1\fcharset128 x;}" * 5_000 + b"}")),
    "rtf-code-page": lambda: ("rtf", _rtf(rb"\ansicpg99999\'e9\ansicpg-1\'e9\ansicpg0")),
    "rtf-only-head": lambda: ("rtf", rb"{\rtf"),
}


def docx_of_runs(runs: str) -> bytes:
    return _word(docx_body(f"<w:p>{runs}</w:p>").encode())


def documents(
    seed: str, count: int, left_out: Container[str] = ()
) -> Iterator[tuple[str, str, bytes]]:
    """Yield documents, each with its kind and the suffix that it is given."""
    for kind, make in SINGLE.items():
        if kind not in left_out:
            yield kind, *make()
    sound = {
        "pdf": make_pdf([NEWS] * 30),
        "docx": docx(NEWS, NEWS),
        "odt": odt(f"<text:p>{NEWS}</text:p>"),
        "rtf": _rtf(NEWS.encode() * 20),
    }
    forms = list(sound)
    for n in range(count - len(SINGLE)):
        choice = random.Random(f"{seed} {n}")  # noqa: S311 - the same ones each time
        form = forms[n % len(forms)]
        data = sound[form]
        kind = ("cut", "damaged", "renamed", "lying", "noise", "joined")[n // len(forms) % 6]
        name = form
        if kind == "cut":
            data = data[: choice.randrange(len(data))]
        elif kind == "damaged":
            data = _damaged(data, choice)
        elif kind == "renamed":
            name = choice.choice([other for other in forms if other != form])
        elif kind == "lying":
            data = _lying_sizes(choice)
        elif kind == "noise":
            data = data[:20] + choice.randbytes(choice.randrange(100_000))
        else:
            data = data + sound[choice.choice(forms)]
        yield kind, name, data
