import pytest
from hypothesis import given
from hypothesis import strategies as st

from topicml.errors import InputError, RecordError
from topicml.text.decoding import (
    decode,
    find_encoding,
    known_encoding,
    stream_encoding,
    transcode,
    utf8_error,
)

FRENCH = "Le ministre a déclaré à Paris que l’exercice « Été » était terminé."


@given(st.text().filter(lambda t: not t.startswith("\ufeff") and "\0" not in t))
def test_any_utf8_comes_back_as_it_is(text: str) -> None:
    assert decode(text.encode()) == (text, "utf-8")


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("utf-32", "utf-32"),
    ],
)  # fmt: skip
def test_a_mark_is_obeyed_and_taken_off(encoding: str, name: str) -> None:
    data = FRENCH.encode(encoding)
    assert decode(data) == (FRENCH, name)
    assert decode(data, declared="shift_jis") == (FRENCH, name)


def test_big_endian_marks_are_obeyed() -> None:
    for name in ("utf-16", "utf-32"):
        assert decode(("\ufeff" + FRENCH).encode(f"{name}-be")) == (FRENCH, name)


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        (FRENCH, "cp1252", "cp1252"),
        ("The allies’ treaty.", "cp1252", "cp1252"),
        ("The “alliance” – so he said – is “iron-clad”; it’s strong.", "cp1252", "cp1252"),
        ("Der Minister erklärte, die Übung sei beendet. Schöne Grüße.", "latin-1", "cp1252"),
        ("Zażółć gęślą jaźń, powiedział minister obrony.", "cp1250", "cp1250"),
        ("Министр обороны заявил в среду, что учения начнутся.", "cp1251", "cp1251"),
        ("Министр обороны заявил в среду, что учения начнутся.", "koi8-r", "koi8_r"),
        ("日本と米国の同盟は、地域の安全保障の要である。", "shift_jis", "cp932"),
        ("日本と米国の同盟は、地域の安全保障の要である。", "euc-jp", "euc_jp"),
        ("韩国国防部表示,联合演习将于星期三开始。", "gb18030", "gb18030"),
        ("한국 국방부는 연합훈련이 수요일에 시작된다고 밝혔다.", "euc-kr", "cp949"),
    ],
)
def test_what_is_not_utf8_is_detected(text: str, encoding: str, found: str) -> None:
    assert decode(text.encode(encoding)) == (text, found)


@pytest.mark.parametrize(
    ("declared", "encoding", "used"),
    [
        ("ISO-8859-1", "cp1252", "cp1252"),
        ("us-ascii", "cp1252", "cp1252"),
        ("windows-1250", "cp1250", "cp1250"),
        ("utf-8", "utf-8", "utf-8"),
        ("utf-16", "utf-8", "utf-8"),
        ("no-such", "utf-8", "utf-8"),
        ("base64", "utf-8", "utf-8"),
        ("undefined", "utf-8", "utf-8"),
        ("x\0y", "utf-8", "utf-8"),
        ("", "utf-8", "utf-8"),
    ],
)
def test_what_is_declared_counts_before_utf8(declared: str, encoding: str, used: str) -> None:
    text = "é – “à”" if encoding == "cp1252" else "é – „ä”"
    assert decode(text.encode(encoding), declared=declared) == (text, used)


def test_a_wrong_declaration_gives_way() -> None:
    assert decode(FRENCH.encode("cp1252"), declared="utf-8") == (FRENCH, "cp1252")


def test_a_named_encoding_overrides_mark_and_declaration() -> None:
    assert decode("日本".encode("shift_jis"), declared="utf-8", encoding="sjis")[0] == "日本"
    assert decode("x".encode("utf-8-sig"), encoding="utf8") == ("x", "utf-8")
    with pytest.raises(RecordError) as error:
        decode("é".encode(), encoding="ascii")
    assert error.value.reason == "wrong_encoding"
    assert "byte 0xc3 at offset 0 is not ascii" in error.value.detail


def test_one_bad_byte_among_good_ones_is_told_with_its_place() -> None:
    with pytest.raises(RecordError) as error:
        decode("Été à\nParis ".encode() + b"\xe9t" + " né".encode())
    assert error.value.reason == "invalid_utf8"
    assert "byte 0xe9 at offset 15 (line 2) is not UTF-8" in error.value.detail


@pytest.mark.parametrize(
    "data", [bytes(range(256)), b"ab\0\0cd" * 50, b"\0\0\0", b"\xff\0\0\0\0", b"\0\xff" * 999]
)
def test_binary_data_are_told_as_such(data: bytes) -> None:
    with pytest.raises(RecordError) as error:
        decode(data)
    assert error.value.reason == "binary"


def test_a_text_that_breaks_its_mark_is_told() -> None:
    with pytest.raises(RecordError) as error:
        decode("abc".encode("utf-16")[:-1])
    assert error.value.reason == "wrong_encoding"


def decoded(data: bytes) -> tuple[str, str] | RecordError:
    try:
        return decode(data)
    except RecordError as err:
        return err


@given(st.binary(max_size=60))
def test_any_bytes_are_a_text_or_an_error(data: bytes) -> None:
    outcome = decoded(data)
    if isinstance(outcome, RecordError):
        assert outcome.reason in {"binary", "invalid_utf8", "wrong_encoding"}
    else:
        assert known_encoding(outcome[1])


def test_unknown_encodings_are_refused() -> None:
    assert find_encoding("Latin1") == "iso8859-1"
    for name in ("nonsense", "base64", "rot13", "idna", "a\0b", ""):
        assert not known_encoding(name)
        with pytest.raises(InputError, match="unknown encoding"):
            find_encoding(name)


LINES = [f'{{"n": {n}, "text": "{FRENCH}"}}' for n in range(20)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "utf-8"),
        (b"ascii\n" * 9, "utf-8"),
        ("\n".join(LINES).encode(), "utf-8"),
        ("\n".join(LINES).encode()[:-80] + b"\xe3", "utf-8"),
        ("\n".join(LINES).encode("cp1252"), "cp1252"),
        ("\n".join(LINES).encode("cp1252").replace(b": 7,", b": 7\x81,"), "cp1252"),
        ("\n".join(LINES[:11]).encode() + b"\n" + "\n".join(LINES[:8]).encode("cp1252"), "utf-8"),
        ("\n".join(LINES[:8]).encode() + b"\n" + "\n".join(LINES[:11]).encode("cp1252"), "cp1252"),
        ("\n".join(LINES).encode("utf-16"), "utf-16"),
    ],
)
def test_the_encoding_of_a_file_of_records(data: bytes, expected: str) -> None:
    assert stream_encoding(data) == expected
    assert stream_encoding(data, "UTF8") == "utf-8"


def test_utf16_that_is_named_needs_no_mark() -> None:
    assert stream_encoding("x".encode("utf-16-be"), "utf-16-be") == "utf-16-be"
    assert stream_encoding("x".encode("utf-16"), "utf-16") == "utf-16"
    assert stream_encoding("x".encode("utf-16-le"), "utf-16") == "utf-16-le"
    assert stream_encoding("x".encode("utf-8-sig"), "utf-16") == "utf-16-le"
    assert decode("x".encode("utf-16-le"), encoding="utf-16")[0] == "x"
    assert decode("\ufeffx".encode("utf-16-le"), encoding="utf-16-le")[0] == "x"


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "shift_jis", "utf-32"])
@pytest.mark.parametrize("step", [1, 3, 1000])
def test_a_stream_becomes_utf8_in_any_pieces(encoding: str, step: int) -> None:
    data = "abc é\n".encode(encoding, "ignore") * 1
    pieces = [data[at : at + step] for at in range(0, len(data), step)]
    assert b"".join(transcode(pieces, encoding)).decode() == data.decode(encoding)


def test_what_is_not_decoded_stays_invalid() -> None:
    out = b"".join(transcode([b"a\xc3\xa9\nb", b"\x81\n"], "ascii"))
    assert out == b"a\xff\xff\nb\xff\n"
    error = utf8_error(out, "ascii")
    assert error is not None
    assert (error.reason, "not ascii" in error.detail) == ("wrong_encoding", True)
    cut = b"".join(transcode(["é".encode("utf-16")[:-1]], "utf-16"))
    assert cut == b"\xff"
