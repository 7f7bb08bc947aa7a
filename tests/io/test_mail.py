import gzip
from pathlib import Path

import pytest
from mails import HEAD, NEWS, mail, multipart
from reading import COMPRESSORS, blocks_of, read, rejects, texts

from topicml.errors import InputError
from topicml.io.readers.message import unflowed
from topicml.io.records import Fields, ReadOptions, Reject
from topicml.text.document import Document

ALL = Fields(keep=("*",))
TEXT = f"Allies agree\n\n{NEWS}"
SECOND = "Officials said the exercise would go on until the end of the month, as planned."
LETTER = (
    "<html><head><title>T</title><style>p {}</style></head><body>"
    "<div style='display:none'>Preheader</div><table><tr><td><h1>Daily brief</h1></td></tr>"
    f"<tr><td>{NEWS}</td><td><p>{SECOND}<br>More <b>of</b> it.</p></td></tr></table></body></html>"
)
LETTER_TEXT = f"Daily brief\n\n{NEWS}\n\n{SECOND}\n\nMore of it."


def read_mail(tmp_path: Path, data: bytes, **more: object) -> Document | Reject:
    (tmp_path / "a.eml").write_bytes(data)
    (item,) = read(tmp_path / "a.eml", **more)  # type: ignore[arg-type]
    return item


def text_of(tmp_path: Path, data: bytes) -> str:
    item = read_mail(tmp_path, data, fields=Fields(title=None))
    assert isinstance(item, Document), item
    return item.text


def test_a_mail_is_its_body_and_what_its_header_says(tmp_path: Path) -> None:
    more = "Content-Language: en-US, ja\n"
    item = read_mail(tmp_path, mail(f"{NEWS}\n\n-- \nDesk", more=more), fields=ALL)
    assert isinstance(item, Document)
    assert (item.id, item.text) == ("1@example.org", TEXT)
    assert item.kept == {
        "title": "Allies agree",
        "date": "2024-01-01",
        "source": "Yonhap News",
        "language": "en-US",
    }


def test_a_mail_without_an_id_has_its_files(tmp_path: Path) -> None:
    item = read_mail(tmp_path, b"Subject: =?utf-8?q?Fwd:_Caf=C3=A9?=\nTo: x\n\nText.", fields=ALL)
    assert isinstance(item, Document)
    assert (item.id, item.text) == (str(tmp_path / "a.eml"), "Café\n\nText.")
    assert item.kept == {"title": "Café", "date": None, "source": None, "language": None}
    assert read("-", stdin=mail())[0].id == "1@example.org"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (multipart("multipart/alternative", ("Content-Type: text/plain", NEWS),
                   ("Content-Type: text/html", f"<p>{NEWS}</p>")), NEWS),
        (multipart("multipart/alternative", ("Content-Type: text/plain", "See https://x.example"),
                   ("Content-Type: text/html", LETTER)), LETTER_TEXT),
        (multipart("multipart/alternative", ("Content-Type: text/html", LETTER)), LETTER_TEXT),
        (mail(LETTER, "text/html"), LETTER_TEXT),
        (multipart("multipart/mixed", ("Content-Type: text/plain", NEWS),
                   ("Content-Type: text/plain\nContent-Disposition: attachment", "Not this."),
                   ("Content-Type: text/plain", "_" * 40 + "\nAllies mailing list")), NEWS),
        (multipart("multipart/mixed", ("Content-Type: message/rfc822", mail().decode())), NEWS),
        (multipart("multipart/signed", ("Content-Type: text/plain", NEWS),
                   ("Content-Type: application/pgp-signature", "x")), NEWS),
        (mail("The ministers met=\n in T=C5=8Dkyō.".encode(), "text/plain; charset=utf-8",
              "Content-Transfer-Encoding: quoted-printable\n"), "The ministers met in Tōkyō."),
        (mail("日米同盟は".encode("iso-2022-jp"), "text/plain; charset=iso-2022-jp"), "日米同盟は"),
        (mail("naïve “x”".encode("cp1252"), "text/plain; charset=iso-8859-1"), "naïve “x”"),
        (mail("One \nline. \n> no\nTwo.", "text/plain; format=flowed"), "One line.\nTwo."),
        (mail(f"<blockquote type='cite'><p>Old.</p></blockquote><p>{NEWS}</p>", "text/html"), NEWS),
        (mail(f"{NEWS}\r\n\r\nSent from my iPhone\r\n"), NEWS),
    ],
)  # fmt: skip
def test_the_text_of_a_mail(tmp_path: Path, data: bytes, expected: str) -> None:
    assert text_of(tmp_path, data) == expected


@pytest.mark.parametrize(
    ("data", "reason", "detail"),
    [
        (multipart("multipart/encrypted", ("Content-Type: application/pgp-encrypted", "x")),
         "encrypted", "decrypt it"),
        (mail("MIIB", "application/pkcs7-mime; smime-type=enveloped-data"), "encrypted", ""),
        (mail("MIIB", "application/pkcs7-mime; smime-type=signed-data"), "unsupported_format", ""),
        (mail("-----BEGIN PGP MESSAGE-----\n\nhQ"), "encrypted", ""),
        (mail(""), "no_main_text", "there is no text in the mail"),
        (multipart("multipart/mixed", ("Content-Type: text/plain", " "),
                   ("Content-Type: application/pdf; name=a.pdf", "x")), "no_main_text", "a.pdf"),
    ],
)  # fmt: skip
def test_a_mail_without_text_says_why(
    tmp_path: Path, data: bytes, reason: str, detail: str
) -> None:
    item = read_mail(tmp_path, data)
    assert isinstance(item, Reject)
    assert (item.reason, item.id, item.raw) == (reason, "1@example.org", data)
    assert detail in item.detail


def test_a_mail_with_a_large_attachment_has_its_text(tmp_path: Path) -> None:
    data = multipart(
        "multipart/mixed",
        ("Content-Type: text/plain", NEWS),
        ("Content-Type: application/pdf; name=a.pdf", ("QUJD" * 19 + "\n") * 200_000),
    )
    assert text_of(tmp_path, data) == NEWS
    item = read_mail(tmp_path, mail("Text. " * 3_000_000))
    assert isinstance(item, Reject)
    assert item.reason == "too_large"


def mailbox(*mails: bytes, line: bytes = b"From x@example.org Mon Jan  1 00:00:00 2024\n") -> bytes:
    return b"".join(line + each + b"\n\n" for each in mails)


@pytest.mark.parametrize("block_bytes", [1, 300, 10**6])
@pytest.mark.parametrize("compressed", ["", ".gz"])
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_a_mailbox_is_many_mails(
    tmp_path: Path, compressed: str, block_bytes: int, ends: bytes
) -> None:
    prose = "Text {}.\n\n>From the sea: it came.\n\nFrom here: on Monday at 10:00, all is prose."
    mails = [mail(prose.format(n)).replace(b"<1@", b"<%d@" % n) for n in range(5)]
    path = tmp_path / f"a.mbox{compressed}"
    path.write_bytes(COMPRESSORS[compressed](mailbox(*mails).replace(b"\n", ends)))
    items = read(path, block_bytes=block_bytes, fields=Fields(title=None))
    assert texts(items) == [prose.format(n).replace(">From", "From") for n in range(5)]
    assert [item.id for item in items] == [f"{n}@example.org" for n in range(5)]
    assert [item.number for item in items] == [1, 2, 3, 4, 5]


def test_a_bad_mail_costs_no_other_and_ids_are_numbers(tmp_path: Path) -> None:
    plain = b"Subject: Talks\nTo: x\n\nText."
    path = tmp_path / "a.mbox"
    path.write_bytes(mailbox(plain, mail(""), plain))
    first, bad, last = read(path)
    assert (first.id, last.id) == (f"{path}:1", f"{path}:3")
    assert isinstance(bad, Reject)
    assert (bad.number, bad.reason) == (2, "no_main_text")
    whole = path.read_bytes()
    assert bad.offset is not None
    assert whole[bad.offset :].startswith(bad.raw)
    options = ReadOptions(limit=2)
    assert [len(block.items) for block in blocks_of(path, options=options)] == [2]


def test_a_mailbox_whose_lines_have_no_dates(tmp_path: Path) -> None:
    path = tmp_path / "a.mbox"
    path.write_bytes(mailbox(mail("One."), mail("Two.\n\nFrom here on."), line=b"From x\n"))
    assert texts(read(path, fields=Fields(title=None))) == ["One.", "Two.\n\nFrom here on."]


def test_a_damaged_member_of_a_compressed_mailbox_costs_its_mails(tmp_path: Path) -> None:
    pairs = [mailbox(mail(f"Text {n}."), mail(f"More {n}.")) for n in range(3)]
    members = [bytearray(gzip.compress(pair)) for pair in pairs]
    members[1][len(members[1]) // 2] ^= 0xFF
    path = tmp_path / "a.mbox.gz"
    path.write_bytes(b"".join(members))
    items = read(path, fields=Fields(title=None))
    assert texts(items) == ["Text 0.", "Text 2.", "More 2."]
    assert rejects(items) == [(2, "damaged_input")]  # nothing tells that it was whole


def test_what_is_no_mailbox_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.mbox").write_text("Some text.")
    with pytest.raises(InputError, match="not a mailbox"):
        read(tmp_path / "a.mbox")
    (tmp_path / "b.mbox").write_bytes(mail())
    assert texts(read(tmp_path / "b.mbox")) == [TEXT]
    (tmp_path / "c.mbox").write_bytes(b"")
    assert read(tmp_path / "c.mbox") == []
    (tmp_path / "d.eml").write_bytes(b"")
    assert rejects(read(tmp_path / "d.eml")) == [(1, "no_main_text")]


def test_a_field_that_no_mail_has_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(mail())
    with pytest.raises(InputError, match="no field 'status'"):
        read(tmp_path / "a.eml", fields=Fields(keep=("status",)))


@pytest.mark.parametrize(
    ("text", "delete_space", "expected"),
    [
        ("One \ntwo.\nThree.", False, "One two.\nThree."),
        ("On \ne.", True, "One."),
        ("> a \n> b\n>> c\nd", False, "> a b\n>> c\nd"),
        (" stuffed\n-- \nJohn", False, "stuffed\n-- \nJohn"),
    ],
)
def test_lines_that_flow(text: str, delete_space: bool, expected: str) -> None:
    assert unflowed(text, delete_space=delete_space) == expected


def test_headers_of_any_kind(tmp_path: Path) -> None:
    lines = [
        ("Subject: =?utf-8?b?broken", "=?utf-8?b?broken"),
        ("Subject: =?klingon?q?x?=", "=?klingon?q?x?="),
        ("Subject: a\n\tb", "a b"),
        ("Subject: RE: Fwd: x", "x"),
        ("Subject: 日米同盟", "日米同盟"),
        ("subject: =?utf-8?q?Caf=C3=A9?=\n =?utf-8?q?_two?=", "Café two"),
        ("Subject: \x1b[31mred", "[31mred"),
    ]
    for line, expected in lines:
        data = HEAD.replace("Subject: Allies agree", line).encode() + b"\nText."
        item = read_mail(tmp_path, data, fields=Fields(title=None, keep=("title",)))
        assert isinstance(item, Document)
        assert item.kept == {"title": expected}
    raw = HEAD.encode().replace(b"Allies agree", "同盟".encode("shift_jis")) + b"\nText."
    assert isinstance(read_mail(tmp_path, raw), Document)
