"""RTF to its text."""

from __future__ import annotations

import codecs
import locale
import re
from dataclasses import dataclass, field, replace

from topicml.errors import RecordError
from topicml.io.documents.extract import Extract, make_extract

_TOKEN = re.compile(
    rb"(?P<open>\{)|(?P<close>\})|\\'(?P<hex>[0-9a-fA-F]{2})"
    rb"|\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?[0-9]{1,9})? ?|\\(?P<symbol>[^a-zA-Z])"
    rb"|(?P<breaks>[\r\n\0]+)|(?P<text>[^\\{}\r\n\0]+)|.",
    re.DOTALL,
)
_DEEPEST = 2000
_LEFT_OUT = {
    *("fonttbl", "colortbl", "stylesheet", "filetbl", "pict", "listtext", "pntext", "pntxta"),
    *("pntxtb", "header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "rxe"),
    *("footerf", "xe", "tc", "tcn", "txe", "nonshppict", "shprslt", "sp", "info", "upr", "object"),
}
_READ = {"shpinst", "ud", "result", "fldrslt"}  # parts of what is left out, or may be
_INFO = {"title": "title", "author": "author", "company": "company"}
_CHARACTERS = {
    "tab": " ", "line": "\n", "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’",
    "ldblquote": "“", "rdblquote": "”", "bullet": "•", "emspace": " ", "enspace": " ",
    "qmspace": " ", "page": " ", "column": " ", "lbr": "\n",
}  # fmt: skip
_SYMBOLS = {b"~": " ", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}"}
_ENDS = {"par", "sect", "cell", "nestcell", "row", "nestrow"}
_FIELDS_LEFT_OUT = {"TOC", "TOA", "INDEX", "PAGE", "NUMPAGES", "PAGEREF"}
_CODE_PAGES = {  # by character sets of fonts
    77: "mac_roman", 128: "cp932", 129: "cp949", 134: "gbk", 136: "big5", 161: "cp1253",
    162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251",
    222: "cp874", 238: "cp1250", 255: "cp437",
}  # fmt: skip
_NAMED_PAGES = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850", "ansi": "cp1252"}
_HIGHEST = 0x10FFFF


def import_rtf() -> None:
    """Import what reads RTF, which is here."""


def read_rtf(data: bytes) -> Extract:
    """Return the text of an RTF file, notes behind it, and what it says of itself.

    Where it ends too early, that is all there is before.

    Raises:
        RecordError: It has no text, or is nested beyond all measure.
    """
    reading = _Reading(data)
    reading.read()
    return make_extract([*reading.body.paragraphs(), *reading.notes.paragraphs()], reading.said())


@dataclass(slots=True)
class _Flow:
    """Text that is told apart from other text of the file."""

    parts: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def end(self) -> None:
        self.ended.append("".join(self.parts))
        self.parts.clear()

    def paragraphs(self) -> list[str]:
        return [*self.ended, "".join(self.parts)]


@dataclass(frozen=True, slots=True)
class _State:
    """What holds in a group, and for those in it."""

    flow: _Flow | None = None
    place: str = ""  # the destination that it is
    hidden: bool = False
    fallback: int = 1  # characters behind each one that is given by its number
    encoding: str | None = None
    field: list[str] | None = None  # instruction of the field that it is part of


class _Reading:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.body, self.notes = _Flow(), _Flow()
        self._said: dict[str, _Flow] = {name: _Flow() for name in _INFO.values()}
        self._date: dict[str, int] = {}
        self._language: int | None = None
        self._usual = "cp1252"
        self._fonts: dict[int, str] = {}
        self._font = 0
        self._state = _State(self.body)
        self._outer: list[_State] = []
        self._bytes = bytearray()  # that wait for the rest of their character
        self._high = 0  # the first half of a character
        self._skip = 0
        self._is_optional = False

    def said(self) -> dict[str, str | None]:
        """Return what the file says of itself."""
        found = {name: "".join(flow.paragraphs()).strip() for name, flow in self._said.items()}
        year, month, day = (self._date.get(name, 0) for name in ("yr", "mo", "dy"))
        is_date = 1000 <= year <= 9999 and 1 <= month <= 12 and 1 <= day <= 31
        language = locale.windows_locale.get(self._language or 0)
        return {
            "title": found["title"],
            "date": f"{year}-{month:02}-{day:02}" if is_date else None,
            "source": found["company"] or found["author"],
            "language": language.replace("_", "-") if language else None,
        }

    def read(self) -> None:
        """Go through the file.

        Raises:
            RecordError: It is nested beyond all measure.
        """
        at = 0
        while match := _TOKEN.match(self._data, at):
            at = match.end()
            kind = match.lastgroup
            if kind == "number":
                kind = "word"
            if kind == "text":
                self._add_bytes(match["text"])
            elif kind == "hex":
                self._add_bytes(bytes([int(match["hex"], 16)]))
            elif kind == "word":
                number = match["number"]
                word = match["word"].decode("ascii")
                if word == "bin":
                    at += max(0, int(number or 0))
                else:
                    self._control(word, None if number is None else int(number))
            elif kind == "symbol":
                self._symbol(match["symbol"])
            elif kind == "open":
                self._open()
            elif kind == "close":
                self._close()
        self._flush()

    def _open(self) -> None:
        self._flush()
        if len(self._outer) >= _DEEPEST:
            detail = f"the RTF document has more than {_DEEPEST:,} groups inside each other"
            raise RecordError("unreadable_input", detail)
        self._outer.append(self._state)
        self._is_optional, self._skip = False, 0

    def _close(self) -> None:
        self._flush()
        self._skip = 0
        if self._outer:
            self._state = self._outer.pop()

    def _set(self, **changes: object) -> None:
        self._state = replace(self._state, **changes)  # type: ignore[arg-type]

    def _add_bytes(self, data: bytes) -> None:
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        self._is_optional = False
        self._bytes += data[skipped:]

    def _flush(self) -> None:
        if self._bytes:
            text = self._bytes.decode(self._state.encoding or self._usual, "replace")
            self._bytes.clear()
            self._write(text)

    def _write(self, text: str) -> None:
        state = self._state
        if state.place == "fldinst" and state.field is not None:
            state.field.append(text)
        elif state.flow and not state.hidden:
            state.flow.parts.append(text)

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self._is_optional = True
        elif self._skip:
            self._skip -= 1
        elif symbol in {b"\n", b"\r"}:
            self._end_paragraph()
        elif symbol in _SYMBOLS:
            self._flush()
            self._write(_SYMBOLS[symbol])

    def _end_paragraph(self) -> None:
        self._flush()
        if self._state.flow:
            self._state.flow.end()

    def _control(self, word: str, number: int | None) -> None:
        self._flush()
        is_optional, self._is_optional = self._is_optional, False
        if word == "u" and number is not None:
            self._write_number(number)
        elif word in _ENDS:
            self._end_paragraph()
        elif word in _CHARACTERS:
            self._write(_CHARACTERS[word])
        elif word in _NAMED_PAGES:
            self._usual = _NAMED_PAGES[word]
        elif self._state.place in {"info", "creatim"}:
            self._inform(word, number)
        elif not self._set_property(word, 0 if number is None else number, number is None):
            self._enter(word, is_optional)

    def _set_property(self, word: str, number: int, is_bare: bool) -> bool:
        """Take what a word says of the text behind it; return whether it says any such thing."""
        if word == "f":
            self._font = number
            self._set(encoding=self._fonts.get(number))
        elif word == "fcharset":
            if number in _CODE_PAGES:
                self._fonts[self._font] = _CODE_PAGES[number]
        elif word == "ansicpg":
            self._usual = _code_page(number)
        elif word == "deflang":
            self._language = self._language or number
        elif word in {"v", "deleted"}:
            self._set(hidden=bool(number) or is_bare)
        elif word == "plain":
            self._set(hidden=False, encoding=None)
        elif word == "uc":
            self._set(fallback=max(0, number))
        else:
            return False
        return True

    def _write_number(self, number: int) -> None:
        code = number + 0x10000 if number < 0 else number
        if 0xD800 <= code < 0xDC00:
            self._high = code
        elif 0xDC00 <= code < 0xE000:
            if self._high:
                self._write(chr(0x10000 + ((self._high - 0xD800) << 10) + code - 0xDC00))
            self._high = 0
        elif 0 < code <= _HIGHEST:
            self._write(chr(code))
        self._skip = self._state.fallback

    def _inform(self, word: str, number: int | None) -> None:
        """Take what the file says of itself."""
        if word in _INFO:
            self._set(flow=self._said[_INFO[word]], place=word)
        elif word == "creatim":
            self._set(place=word)
        elif self._state.place == "creatim" and number is not None:
            self._date.setdefault(word, number)

    def _enter(self, word: str, is_optional: bool) -> None:
        """Begin a destination, if the word is one."""
        state = self._state
        if word == "footnote":
            self.notes.end()
            self._set(flow=self.notes if state.flow else None, place=word)
        elif word == "field":
            self._set(field=[], place=word)
        elif word == "fldinst":
            self._set(flow=None, place=word)
        elif word == "fldrslt":
            instruction = "".join(state.field or []).split()
            if instruction and instruction[0].upper() in _FIELDS_LEFT_OUT:
                self._set(flow=None, place=word)
        elif word in _READ:
            self._set(flow=self._flow_outside())
        elif word in _LEFT_OUT or is_optional:
            self._set(flow=None, place=word)

    def _flow_outside(self) -> _Flow | None:
        """Return where the text around what is left out goes."""
        for state in reversed(self._outer):
            if state.flow or state.place not in {"upr", "object"}:
                return state.flow
        return None


def _code_page(number: int) -> str:
    name = "utf-8" if number == 65001 else f"cp{number}"
    try:
        codecs.lookup(name)
    except LookupError:
        return "cp1252"
    return name
