"""Web pages that were made to hurt, of any size; the same ones for the same seed."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator

LEAST, MOST = 20, 3_000_000  # bytes, about
NEWS = "<p>The ministers met in Manila on Friday and agreed to deepen defense cooperation.</p>"
_TAGS = [
    *("div", "p", "span", "table", "tr", "td", "ul", "li", "a", "b", "i", "font"),
    *("center", "article", "section", "form", "select", "svg"),
]
Maker = Callable[[random.Random, int], str | bytes]


def _fill(piece: str, size: int) -> str:
    return piece * max(1, size // len(piece))


def _deep(tag: str) -> Maker:
    def make(_: random.Random, size: int) -> str:
        count = max(1, size // (2 * len(tag) + 5))
        return f"<{tag}>" * count + NEWS + f"</{tag}>" * count

    return make


def _attributes(_: random.Random, size: int) -> str:
    return f"<p {' '.join(f'a{n}=x' for n in range(size // 9))}>{NEWS}</p>"


def _giant_value(choice: random.Random, size: int) -> str:
    name = choice.choice(["class", "href", "style", "title", "content"])
    return f'<a {name}="{"x y/" * (size // 4)}">{NEWS}</a>'


def _meta(_: random.Random, size: int) -> str:
    return _fill('<meta name="date" property="og:title" content="2024-13-45">', size) + NEWS


def _json_ld(_: random.Random, size: int) -> str:
    deep = "[" * (size // 2) + "]" * (size // 2)
    return f'<script type="application/ld+json">{{"@type": {deep}}}</script>{NEWS}'


def _entities(choice: random.Random, size: int) -> str:
    kinds = ["&amp;", "&lt;", "&#x1F339;", "&#0;", "&#xD800;", "&nosuch;", "&", "&#99999999999;"]
    return "".join(choice.choices(kinds, k=size // 5))


def _entity_bomb(_: random.Random, size: int) -> str:
    lines = [f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(min(30, size // 60))]
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "x">{"".join(lines)}]><p>&a9;</p>{NEWS}'


def _tables(_: random.Random, size: int) -> str:
    count = max(1, size // 45)
    return "<table><tr><td>" * count + NEWS + "</td></tr></table>" * count


def _cells(_: random.Random, size: int) -> str:
    return f"<table><tr>{_fill('<td colspan=99999 rowspan=65534>x', size)}</table>{NEWS}"


def _nul(choice: random.Random, size: int) -> bytes:
    data = bytearray(_fill(NEWS, size).encode())
    for _ in range(max(1, size // 200)):
        data[choice.randrange(len(data))] = 0
    return bytes(data)


def _mixed_encodings(choice: random.Random, size: int) -> bytes:
    parts = [b"<meta charset=utf-8><meta charset=shift_jis>"]
    while sum(map(len, parts)) < size:
        encoding = choice.choice(["utf-8", "utf-16", "cp1252", "utf-16-be", "gb18030"])
        parts.append(_fill("<p>Señor Núñez says “no”.</p>", size // 8).encode(encoding, "replace"))
    return b"".join(parts)


def _broken_utf8(choice: random.Random, size: int) -> bytes:
    data = bytearray(_fill("<p>Über allen Gipfeln ist Ruh, 日本語 🌹.</p>", size).encode())
    for _ in range(max(1, size // 50)):
        del data[choice.randrange(len(data) - 10)]
    return bytes(data)


def _noise(choice: random.Random, size: int) -> bytes:
    return b"<html>" + choice.randbytes(size)


def _confetti(choice: random.Random, size: int) -> str:
    opened = [f"<{choice.choice(['', '/'])}{choice.choice(_TAGS)}>" for _ in range(size // 6)]
    return "".join(opened) + NEWS


def _long_line(choice: random.Random, size: int) -> str:
    words = ["treaty", "alliance", "missile", "the", "of", "and", "Manila", "defense", "minister"]
    return f"<p>{' '.join(choice.choices(words, k=size // 7))}</p>"


def _long_word(_: random.Random, size: int) -> str:
    return f"<p>{'alliance' * (size // 8)}</p>"


def _sentences(_: random.Random, size: int) -> str:
    return _fill(NEWS, size)


def _stops(_: random.Random, size: int) -> str:
    return f"<p>{_fill('U.S. e.g. Mr. ?! ... ', size)}</p>"


def _links(_: random.Random, size: int) -> str:
    return _fill('<li><a href="http://[::1">x</a> 2024-02-31', size)


def _svg(_: random.Random, size: int) -> str:
    path = _fill("M0 0L1 1", size // 2)
    shapes = _fill('<g><use xlink:href="#a"/></g>', size // 2)
    return f'<svg><path d="{path}"/>{shapes}</svg>{NEWS}'


def _bodies(_: random.Random, size: int) -> str:
    return _fill(f"<html><head></head><body>{NEWS}</body></html>", size)


def _surrounded(before: str, piece: str, after: str = "") -> Maker:
    return lambda _, size: before + _fill(piece, size) + after


KINDS: dict[str, Maker] = {
    **{f"deep-{tag}": _deep(tag) for tag in _TAGS},
    "deep-noscript": _deep("noscript"),
    "deep-template": _deep("template"),
    "deep-blockquote": _deep("blockquote"),
    "attributes": _attributes,
    "giant-value": _giant_value,
    "meta": _meta,
    "json-ld": _json_ld,
    "entities": _entities,
    "entity-bomb": _entity_bomb,
    "tables": _tables,
    "cells": _cells,
    "nul": _nul,
    "mixed-encodings": _mixed_encodings,
    "broken-utf8": _broken_utf8,
    "noise": _noise,
    "confetti": _confetti,
    "long-line": _long_line,
    "long-word": _long_word,
    "sentences": _sentences,
    "stops": _stops,
    "links": _links,
    "svg": _svg,
    "bodies": _bodies,
    "less-than": _surrounded("", "<"),
    "greater-than": _surrounded(NEWS, ">"),
    "blank": _surrounded(NEWS, " \t\r\n"),
    "comment": _surrounded(f"{NEWS}<!--", "-- > <p>x</p>"),
    "comments": _surrounded(NEWS, "<!---->"),
    "cdata": _surrounded(f"{NEWS}<![CDATA[", "]] > <p>x</p>"),
    "script": _surrounded("<script>", "var x = '<\\/script>';", f"</script>{NEWS}"),
    "scripts": _surrounded("", "<script>x</script>", NEWS),
    "open-script": _surrounded(f"{NEWS}<script>", "x<!--<script>"),
    "style": _surrounded("<style>", "a{b:c}@import 'x';", f"</style>{NEWS}"),
    "open-title": _surrounded("<title>", "A title without end. "),
    "open-tag": _surrounded(f"{NEWS}<p ", "a "),
    "quotes": _surrounded(f'{NEWS}<p a="', "'\">"),
    "breaks": _surrounded("<p>Treaty", "<br>", "</p>"),
    "empty-paragraphs": _surrounded("", "<p></p>", NEWS),
    "formatting": _surrounded("", "<b><i><u>x<p>", NEWS),
    "options": _surrounded("<select>", "<option>x", f"</select>{NEWS}"),
    "images": _surrounded("", '<img src="data:image/png;base64,AAAA" alt="x">', NEWS),
    "combining": _surrounded("<p>a", "\u0301", f"</p>{NEWS}"),
    "marks": _surrounded("<p>", "\u202e\u200b\u00ad\ufeff", f"</p>{NEWS}"),
    "quoted-text": _surrounded("<p>", "“‘", f"</p>{NEWS}"),
    "brackets": _surrounded("<p>", "([{", f"</p>{NEWS}"),
}


def pages(seed: str, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield pages, each with its kind; sizes are spread over all their orders alike."""
    kinds = list(KINDS)
    for n in range(count):
        choice = random.Random(f"{seed} {n}")  # noqa: S311
        kind = kinds[n % len(kinds)]
        size = int(math.exp(choice.uniform(math.log(LEAST), math.log(MOST))))
        made = KINDS[kind](choice, size)
        is_wrapped = choice.random() < 0.7 and kind != "entity-bomb"
        start, end = (b"<html><body>", b"</body></html>") if is_wrapped else (b"", b"")
        body = made if isinstance(made, bytes) else made.encode("utf-8", "surrogatepass")
        yield kind, start + body + end
