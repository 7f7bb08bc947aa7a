"""Mails to be read, good ones and hostile ones."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterator

NEWS = "The ministers met in Tokyo on Monday and agreed on a new command structure."
HEAD = (
    "From: Yonhap News <desk@example.org>\nTo: b@example.org\nSubject: Allies agree\n"
    "Date: Mon, 01 Jan 2024 23:00:00 -0500\nMessage-ID: <1@example.org>\nMIME-Version: 1.0\n"
)


def mail(
    body: str | bytes = NEWS, kind: str = "text/plain; charset=utf-8", more: str = ""
) -> bytes:
    raw = body if isinstance(body, bytes) else body.encode()
    return f"{HEAD}{more}Content-Type: {kind}\n\n".encode() + raw


def multipart(kind: str, *parts: tuple[str, str]) -> bytes:
    """Return a mail of parts, each with its header's fields."""
    inner = "".join(f"--b\n{head}\n\n{body}\n" for head, body in parts)
    return mail(f"{inner}--b--\n", f'{kind}; boundary="b"')


def nested(depth: int, kind: str = "message/rfc822") -> bytes:
    if kind == "message/rfc822":
        return (HEAD + "Content-Type: message/rfc822\n\n").encode() * depth + mail()
    opened = "".join(f"Content-Type: {kind}; boundary=b{n}\n\n--b{n}\n" for n in range(depth))
    return (HEAD + opened + f"Content-Type: text/plain\n\n{NEWS}\n").encode()


def _noise(choice: random.Random, size: int) -> bytes:
    return HEAD.encode() + b"\n" + choice.randbytes(size)


def _bit_flips(choice: random.Random, size: int) -> bytes:
    data = bytearray(multipart("multipart/mixed", *[("Content-Type: text/html", NEWS)] * 20))
    for _ in range(min(size // 100, 200)):
        data[choice.randrange(len(data))] ^= 1 << choice.randrange(8)
    return bytes(data)


def _cut_off(choice: random.Random, size: int) -> bytes:
    data = multipart("multipart/mixed", ("Content-Type: text/plain", NEWS * (size // 80)))
    return data[: choice.randrange(len(data))]


def _confetti(choice: random.Random, size: int) -> bytes:
    pieces = ["--b\n", "--b--\n", "Content-Type: multipart/mixed; boundary=b\n\n", "\n", NEWS]
    body = "".join(choice.choices(pieces, k=size // 40))
    return mail(body, "multipart/mixed; boundary=b")


def _filled(
    before: str, piece: str, after: str = "", kind: str = "text/plain"
) -> Callable[..., bytes]:
    return lambda _, size: mail(before + piece * (size // len(piece)) + after, kind)


def _coded(body: str | bytes, how: str) -> bytes:
    return mail(body, more=f"Content-Transfer-Encoding: {how}\n")


def _headed(piece: str) -> Callable[..., bytes]:
    return lambda _, size: (HEAD + piece * (size // len(piece)) + f"\n\n{NEWS}").encode()


_PDF = ("Content-Type: application/pdf; name=a.pdf", "x")
HOSTILE: dict[str, Callable[[random.Random, int], bytes]] = {
    "rfc822-deep": lambda _, size: nested(min(size // 200, 1500)),
    "rfc822-some": lambda _, size: nested(min(size // 2000, 60)),
    "multipart-deep": lambda _, size: nested(min(size // 60, 3000), "multipart/mixed"),
    "alternatives-deep": lambda _, size: nested(min(size // 60, 90), "multipart/alternative"),
    "multipart-open": _filled("", "--b\n\nText.\n", "", "multipart/mixed; boundary=b"),
    "multipart-empty": _filled("", "--b\n", "--b--", "multipart/mixed; boundary=b"),
    "no-boundary": _filled("", "--b\n", "", "multipart/mixed"),
    "blank-boundary": _filled("", "--\n\n", "", 'multipart/mixed; boundary=""'),
    "long-boundary": lambda _, size: mail(NEWS, f"multipart/mixed; boundary={'b' * size}"),
    "header-many": _headed("X-A: b\n"),
    "header-long": _headed("X-A: b"),
    "header-folded": _headed("X-A: b\n  c\n\t"),
    "subject-long": _headed("Subject: =?utf-8?q?=41?= "),
    "received": _headed("Received: from a by b; (((((\n"),
    "parameters": lambda _, size: mail(NEWS, "text/plain" + "; a*0*=''x" * (size // 10)),
    "comments": lambda _, size: mail(NEWS, "text/plain " + "(" * size),
    "quotes": lambda _, size: mail(NEWS, 'text/plain; charset="' + '\\"' * (size // 2)),
    "addresses": _headed('"a" <b@c>, '),
    "charset-unknown": lambda _, _size: mail(NEWS, "text/plain; charset=klingon"),
    "charset-codec": lambda _, _size: mail(NEWS, "text/plain; charset=zlib_codec"),
    "charset-wrong": lambda _, _size: mail("日米同盟".encode("shift_jis")),
    "charset-utf7": lambda _, size: mail("+AGE-" * (size // 5), "text/plain; charset=utf-7"),
    "charset-utf16": lambda _, size: mail(b"\xff\xfe" * (size // 2), "text/plain; charset=utf-16"),
    "base64-broken": lambda _, size: _coded("QUJ" + "*" * size, "base64"),
    "base64-open": lambda _, size: _coded(base64.b64encode(b"a " * (size // 3))[:-1], "base64"),
    "quoted-printable": lambda _, size: _coded("=" * size, "quoted-printable"),
    "uuencode": lambda _, size: _coded("begin 644 x\n" + "M" * size, "x-uuencode"),
    "encoding-unknown": lambda _, _size: _coded(NEWS, "9bit"),
    "nul": _filled("", "\0"),
    "noise": _noise,
    "bit-flips": _bit_flips,
    "cut-off": _cut_off,
    "confetti": _confetti,
    "blank-lines": _filled(NEWS, "\n"),
    "blanks": _filled("", " \n"),
    "quoted": _filled("", "> "),
    "quoted-lines": _filled("", "> > Text.\n"),
    "on": _filled("", "On a\n"),
    "wrote": _filled("", "On Mon, 1 Jan 2024 at 10:00 a@b wrote:\n"),
    "from": _filled("", "From: a\n"),
    "from-lines": _filled("", "\nFrom a Mon Jan  1 00:00:00 2024\nSubject: x\n\n"),
    "forwards": _filled("", "---------- Forwarded message ---------\nFrom: a\n\nText.\n"),
    "rules": _filled("", "_" * 40 + "\n"),
    "dashes": _filled("", "-- \n"),
    "signed": _filled("-----BEGIN PGP SIGNED MESSAGE-----\n", "Hash: a\n", "\nText."),
    "one-line": _filled("", "alliance "),
    "one-word": _filled("", "alliance"),
    "html-deep": _filled("", "<div>", NEWS, "text/html"),
    "html-cited": _filled("", "<blockquote type=cite>", NEWS, "text/html"),
    "html-tables": _filled("", "<table><tr><td>", NEWS, "text/html"),
    "html-attributes": _filled("<p ", "a=b ", f">{NEWS}", "text/html"),
    "html-entities": _filled("", "&amp;&#65;&x;", NEWS, "text/html"),
    "html-hidden": _filled("", "<p style='display : none'>x</p>", NEWS, "text/html"),
    "html-style": _filled('<p style="', "display ", f'">{NEWS}', "text/html"),
    "encrypted": lambda _, _size: multipart("multipart/encrypted", ("X-A: b", "Version: 1")),
    "inline-pgp": _filled("-----BEGIN PGP MESSAGE-----\n", "hQEMA\n"),
    "smime": _filled("", "MIIB", "", "application/pkcs7-mime; smime-type=enveloped-data"),
    "attachments": lambda _, size: multipart("multipart/mixed", *[_PDF] * min(size // 60, 2000)),
    "external": lambda _, _size: mail("", "message/external-body; URL=file:///etc/passwd"),
    "partial": lambda _, _size: mail(NEWS, "message/partial; number=1; total=99"),
}  # fmt: skip
"""Kinds of hostile mails, each made with so many bytes or about so many."""


def hostile_mails(count: int, most: int) -> Iterator[tuple[str, bytes]]:
    """Yield mails, each with its kind; sizes are spread."""
    kinds = list(HOSTILE)
    for number in range(count):
        choice = random.Random(f"mails {number}")  # noqa: S311
        size = int(200 * (most / 200) ** choice.random())
        kind = kinds[number % len(kinds)]
        yield kind, HOSTILE[kind](choice, size)
