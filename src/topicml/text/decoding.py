"""Bytes to text: by mark, by what a document says of itself, as UTF-8, or by what fits."""

from __future__ import annotations

import codecs
import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator

from topicml.errors import InputError, RecordError

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte-order marks, the longer before those that they begin with, and the codecs that obey them."""

_CANDIDATES = [
    *(f"cp{number}" for number in (*range(1250, 1259), 866, 874, 932, 949)),
    *("big5", "euc_jp", "gb18030", "koi8_r", "koi8_u", "mac_roman"),
]
"""Encodings that are looked for: those of the web (WHATWG), whose texts are what comes in."""

_WESTERN = "cp1252"
_NO_ENCODINGS = {"undefined", "idna", "punycode"}  # of any text, whatever Python calls them
_TO_BE_DETECTED = 1 << 18  # bytes; more say no more, and take long
_MOST_NULS = 100
_GROUPS = 8
_NOT_DECODED = "topicml.not_decoded"


def decode(
    data: bytes, *, declared: str | None = None, encoding: str | None = None
) -> tuple[str, str]:
    """Decode a text, and return it with the name of the encoding that was used.

    A byte-order mark is obeyed, and taken off; then what is declared; then UTF-8; then what
    charset-normalizer finds. Latin-1 and ASCII declared mean Windows-1252, as on the web.

    Args:
        data: The whole text.
        declared: What the text, or who sent it, says of its encoding.
        encoding: Overrides all else.

    Raises:
        RecordError: Nothing fits: ``binary``, ``invalid_utf8`` or ``wrong_encoding``.
        InputError: ``encoding`` is unknown.
    """
    known = find_encoding(encoding) if encoding else marked_encoding(data)
    if known:
        return _decode_strictly(data, known), _plain_name(known)
    for name in (_declared_encoding(declared), "utf-8"):
        with contextlib.suppress(UnicodeError):
            if name:
                return _not_binary(data.decode(name)), _plain_name(name)
    good, bad = _sorted_by_utf8(data.split())
    if good >= len(bad) and (error := utf8_error(data)):
        raise error
    found = _detect(data)
    if found:
        with contextlib.suppress(UnicodeError):
            return _not_binary(data.decode(found)), found
    raise RecordError("binary", _BINARY)


_BINARY = "this is binary data and no text; give plain text, or save it as text first"


def find_encoding(name: str) -> str:
    """Return Python's name of an encoding.

    Raises:
        InputError: It knows no text encoding of that name.
    """
    if found := known_encoding(name):
        return found
    raise InputError(
        f"unknown encoding {name!r}", hint="Known are utf-8, utf-16, cp1252, shift_jis, gb18030 …"
    )


def known_encoding(name: str) -> str | None:
    """Return Python's name of an encoding, None where it has none of that name."""
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    if not codec._is_text_encoding or codec.name in _NO_ENCODINGS:
        return None
    return "utf-8-sig" if codec.name == "utf-8" else codec.name


def marked_encoding(head: bytes) -> str | None:
    """Return the encoding that a byte-order mark says, None where there is no mark."""
    return next((name for mark, name in MARKS if head.startswith(mark)), None)


def stream_encoding(head: bytes, encoding: str | None = None) -> str:
    """Return the encoding of a file of records by its first bytes.

    It is UTF-8 where most lines with other than ASCII bytes are: the others are bad records then,
    and no reason to read all in another encoding.
    """
    known = find_encoding(encoding) if encoding else marked_encoding(head)
    if known in {"utf-16", "utf-32"} and known != marked_encoding(head):
        return f"{known}-le"  # without a mark a stream's decoder would not know
    if known:
        return _plain_name(known)
    lines = head.split(b"\n")
    good, bad = _sorted_by_utf8(lines[:-1] or lines)  # the last may be cut in two
    if good >= len(bad):
        return "utf-8"
    # in groups, so that a line that is in no encoding does not decide on all
    groups = (b"\n".join(bad[start::_GROUPS]) for start in range(min(_GROUPS, len(bad))))
    votes = Counter(found for group in groups if (found := _detect(group)))
    return max(votes, key=votes.__getitem__, default="utf-8")


def transcode(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yield pieces of a stream in UTF-8, with a byte 0xFF where there is no character.

    That byte is never in UTF-8, so that a record with something unreadable is found as such.
    """
    codecs.register_error(_NOT_DECODED, _leave_invalid)
    decoder = codecs.getincrementaldecoder(encoding)(_NOT_DECODED)
    for piece in pieces:
        yield decoder.decode(piece).encode("utf-8", _NOT_DECODED)
    yield decoder.decode(b"", final=True).encode("utf-8", _NOT_DECODED)


def _leave_invalid(err: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(err, UnicodeEncodeError):  # also where a codec gives half characters itself
        return b"\xff" * (err.end - err.start), err.end
    assert isinstance(err, UnicodeDecodeError)  # noqa: S101 - nothing else is asked of it
    return "\udcff", err.end


def utf8_error(data: bytes, encoding: str = "utf-8") -> RecordError | None:
    """Return why bytes are not UTF-8, None where they are.

    Args:
        data: To be looked at.
        encoding: What they were transcoded from, see ``transcode``.
    """
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as err:
        if data.count(b"\0") > len(data) // _MOST_NULS:
            return RecordError("binary", _BINARY)
        if encoding != "utf-8":
            return RecordError("wrong_encoding", f"there are bytes here that are not {encoding}")
        byte, line = data[err.start], data.count(b"\n", 0, err.start) + 1
        return RecordError(
            "invalid_utf8",
            f"byte 0x{byte:02x} at offset {err.start} (line {line}) is not UTF-8; "
            "name another encoding with --encoding",
        )
    return None


def is_binary(text: str) -> bool:
    """Whether more than 1 % of the characters are NUL."""
    return "\0" in text and text.count("\0") > len(text) // _MOST_NULS


def _not_binary(text: str) -> str:
    if is_binary(text):
        raise RecordError("binary", _BINARY)
    return text


def _decode_strictly(data: bytes, encoding: str) -> str:
    try:
        return _not_binary(data.decode(encoding)).removeprefix("\ufeff")
    except UnicodeDecodeError as err:
        if _plain_name(encoding) == "utf-8" and (reason := utf8_error(data)):
            raise reason from err
        detail = f"byte 0x{data[err.start]:02x} at offset {err.start} is not {encoding}"
        raise RecordError("wrong_encoding", f"{detail}; name another one with --encoding") from err


def _plain_name(encoding: str) -> str:
    return "utf-8" if encoding == "utf-8-sig" else encoding


def _declared_encoding(name: str | None) -> str | None:
    found = known_encoding(name) if name else None
    if found in {"iso8859-1", "ascii"}:
        return _WESTERN
    # a text that could say that it is UTF-16 is not
    return None if found and found.startswith(("utf-16", "utf-32")) else found


def _sorted_by_utf8(parts: Iterable[bytes]) -> tuple[int, list[bytes]]:
    """Return how many parts with other than ASCII bytes are UTF-8, and those that are not."""
    good, bad = 0, []
    for part in parts:
        if not part.isascii():
            try:
                part.decode("utf-8")
                good += 1
            except UnicodeDecodeError:
                bad.append(part)
    return good, bad


def _detect(data: bytes) -> str | None:
    from charset_normalizer import from_bytes  # 70 ms, for few files

    found = from_bytes(data[:_TO_BE_DETECTED], cp_isolation=_CANDIDATES)
    best = found.best()
    if best is None:
        return None
    # several fit equally where few characters say; then it is the one that is meant most often
    equals = (m for m in found if (m.chaos, m.coherence) == (best.chaos, best.coherence))
    is_western = any(_WESTERN in match.could_be_from_charset for match in equals)
    return _WESTERN if is_western else best.encoding
