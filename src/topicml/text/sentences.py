"""Sentences of a text with exact character offsets.

The splitting itself is sentencex's. It is given paragraphs in which every character that it
makes more of than there is (quotes, brackets, dashes, odd spaces, full stops of abbreviations)
is folded one for one into a plain one, so that offsets hold. A panic inside the library costs
one paragraph its fine splitting, never the run.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import groupby, pairwise
from typing import NamedTuple

import sentencex

from topicml.text.normalise import (
    BREAK_BEHIND_HYPHEN,
    IGNORABLE,
    LINE_BREAKS,
    replace_hyphenated,
)
from topicml.text.paragraphs import LIST_NUMBER, LONGEST_MARKER, Span, paragraph_spans


class Sentence(NamedTuple):
    """One sentence: ``text == document[start:end]``, offsets in characters."""

    start: int
    end: int
    text: str


# Quotes, brackets, dashes and Markdown's marks become "/", which is where words end for sentencex
# and no more to it: a quotation is no block then. Apostrophes and hyphens are part of their words
# and become "^". Footnote figures are folded like the closing quotes that they follow.
_MARKS = '"`<>(){}[]*\\‒–—―‘‚‛“”„‟‹›«»•▪◦⁃¹²³⁰⁴⁵⁶⁷⁸⁹'
_SPACES = (  # all of Unicode's space separators (category Zs), and two controls
    " \t\x1f\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u202f\u205f\u3000"
)
FOLDS = dict.fromkeys(_SPACES + LINE_BREAKS, " ") | dict.fromkeys(_MARKS, "/")
FOLDS |= dict.fromkeys("'’-‐‑_", "^")
_ASCII_FOLDS = bytes(ord(FOLDS.get(chr(byte), chr(byte))) for byte in range(128))
_ASCII_FOLDS += bytes(range(128, 256))
_ASCII = bytes(range(128))
_SURROGATE = re.compile("[\ud800-\udfff]")  # cannot be handed to a library that takes UTF-8
_IGNORABLE = re.compile(f"[{IGNORABLE}]")
BETWEEN = "\n\n"  # sentencex never looks beyond it, and folded text has no line break

OPEN = (  # a name or number follows
    "Adm Amb Asst Atty Brig Capt Cdo Cdr Cdre cf Chmn Cmdr Col Cols Comdr Cpl Cpt Dep Dir Drs Ens"
    " Ex fig Fig figs Figs Flt Ft Gen Gens Gov Govs Gp Hon LCpl Lcpl Ldr Lt Lts Ltjg Maj Mr Mrs Ms"
    " Msgt Mt nos Nos Pfc pp Prof Pvt Rep Reps ret Ret Rev Sec Sect Sen Sens Sfc Sgt Sgts Spc Ssgt"
    " Supt Tech Tsgt vol Vol vols Vols vs Vs Wg"
)
ABBREVIATIONS = (  # these may end a sentence, and so may those above in capitals: SEC, FT
    "al approx Approx Apr Assn Aug Bde Bn Bns Bros Bvt Co Corp Cos Dec Dept Depts Div Divs Dr est"
    " Est etc Feb Govt Inc Intl Jan Ltd Mar Natl Nov Oct para Regt Regts sec Sep Sept Sqn Sqdn St"
    " Thurs Tues Univ"
)
_STARTERS = (  # of sentences, but not of names: U.S. First Army, U.S. Under Secretary
    "The This That These Those There Then They Their It Its He His She Her We Our You Your My In On"
    " At By For From With After Before During Since Until While When Where What Who Why How If But"
    " So Yet Nor However Although Though Because As Also An Another Both Each Some Many Now Today"
    " Once Between Among Despite Meanwhile Moreover Instead Thus Therefore Asked Officials"
    " According Last Later Here Such Not No"
)
STARTER_WORDS = frozenset(_STARTERS.split())
_NEXT_WORD = re.compile(r"[/^]* +[/^]*(?:([A-Z][a-z]+)(?=[ ,]|\^[a-z])|[AI](?= [a-z]|\^[a-z]))")


def _after(words: str) -> str:
    """Return a pattern that holds behind the full stop of one of some words."""
    every = sorted(set(words.split()), key=len)  # a look back has one length
    return "|".join(rf"(?<=\b(?:{'|'.join(group)})\.)" for _, group in groupby(every, key=len))


_FULL_STOP = re.compile(
    r"\.(?<![a-wyz]{5}\.)"  # not one of these words is as long, but for approx.: a quick way out
    rf"(?:(?=[ /^\d])(?:(?P<open>{_after(OPEN)}|(?<=\bi\.e\.)|(?<=\be\.g\.))"
    rf"|{_after(f'{ABBREVIATIONS} {ABBREVIATIONS.upper()} {OPEN.upper()}')}"
    r"|(?P<no>(?<=\bNo\.))|(?<=\b[A-Z]\.[A-Z]\.)|(?<=\b[ap]\.m\.)|(?<=\b[ap]\. m\.))"
    r"|(?<=\^[A-Z]\.)(?=[A-Z]\.))"  # Japan-U.
)
_FOOTNOTES = [  # a pattern each, which begins with a character that is looked for fast
    re.compile(
        rf"\{end}(?<=[A-Za-z/^]{{3}}.)[/^]*\d{{1,3}}(?:[/^,]+\d{{1,3}})*[/^]*(?= +[/^]*[A-Z])"
    )
    for end in ".?!"
]
_CLOSING = re.compile(r"([/^]+)(?: +|$|(?=[a-z,;:.!?…]))")
_GOES_ON = re.compile(r"[a-z,;:.!?…]")
VERBS = ("said", "says", "asked", "added", "told", "replied", "wrote", "shouted", "cried")
_SPEAKER = re.compile(  # “Never again!” Mr. Ito said
    rf"(?:[A-Z][\w./^]* ){{1,4}}?(?:{'|'.join(VERBS)})\b"
)
_LONE_MARKER = re.compile(rf"[/^.…]+|/?{LIST_NUMBER}[./]{{1,2}}")
_PLAIN_BOUNDARY = re.compile(r"(?<=[.!?])\s+")


def split_sentences(text: str, language: str = "en") -> list[Sentence]:
    """Split a text into sentences.

    Args:
        text: Any string; lone surrogates and control characters are tolerated.
        language: ISO 639-1 code handed to sentencex.

    Returns:
        Sentences in order, without surrounding white space, never empty, never
        overlapping; every character that is not white space is in exactly one.
    """
    spans = sentence_spans(text, language)
    return [Sentence(start, end, text[start:end]) for start, end in spans]


def sentence_spans(text: str, language: str = "en") -> list[Span]:
    """Return where the sentences of ``split_sentences`` start and end."""
    encoded = _encode(text)
    others = set(encoded.translate(None, _ASCII).decode())
    if not others.isdisjoint(IGNORABLE):
        ignored = [match.start() - rank for rank, match in enumerate(_IGNORABLE.finditer(text))]
        return [
            (start + bisect_right(ignored, start), end + bisect_right(ignored, end - 1))
            for start, end in sentence_spans(_IGNORABLE.sub("", text), language)
        ]
    paragraphs = paragraph_spans(text)
    folded = _fold(encoded, others)
    parts = [folded[start:end] for start, end in paragraphs]
    pieces = _segment_exactly(BETWEEN.join(parts), language)
    if pieces is None:  # then one paragraph at a time, so that only a bad one suffers
        pieces = [
            p for part in parts for p in _segment_exactly(part, language) or _plain_segments(part)
        ]
    return _locate(pieces, paragraphs)


def whole_text(text: str) -> list[Sentence]:
    """Return the text as one sentence, unsplit and untrimmed."""
    return [Sentence(0, len(text), text)]


def _encode(text: str) -> bytes:
    """Return UTF-8 of a text with hyphenated words and halves of characters made whole."""
    if BREAK_BEHIND_HYPHEN.search(text):
        text = replace_hyphenated(lambda match: "x" * len(match[0]), text)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text).encode()


def _fold(encoded: bytes, others: set[str]) -> str:
    """Replace what sentencex makes too much of, one for one."""
    folded = encoded.translate(_ASCII_FOLDS).decode()
    for old in others & FOLDS.keys():  # far faster than one translate
        folded = folded.replace(old, FOLDS[old])
    folded = _FULL_STOP.sub(_plain_or_end, folded)
    for footnote in _FOOTNOTES:
        folded = footnote.sub(_as_closing, folded)
    return folded


def _plain_or_end(match: re.Match[str]) -> str:
    """Return what makes sentencex take an abbreviation's full stop for what it is."""
    if match["open"] is None:
        following = _NEXT_WORD.match(match.string, match.end())
        if following and (following[1] or "The") in STARTER_WORDS:
            return "!"
    return "/" if match["no"] is None else "."


def _as_closing(match: re.Match[str]) -> str:
    """Return a footnote's figures as closing quotes behind the sentence's end."""
    return match[0][0] + "/" * (len(match[0]) - 1)


def segment(folded: str, language: str = "en") -> list[str] | None:
    """Return the pieces of folded paragraphs, or None where sentencex fails on them.

    Args:
        folded: The paragraphs, with ``BETWEEN`` between them.
        language: See ``split_sentences``.
    """
    try:
        pieces: list[str] = sentencex.segment(language, folded)
    except BaseException as err:
        if type(err).__name__ != "PanicException":
            raise
        return None
    return [piece for piece in pieces if piece != BETWEEN]  # some come back, some do not


def _segment_exactly(folded: str, language: str) -> list[str] | None:
    """Do so, and return None also where a character is not in one of the pieces."""
    pieces = segment(folded, language)
    whole = folded.replace(BETWEEN, "")
    return pieces if pieces is not None and "".join(pieces) == whole else None


def _plain_segments(paragraph: str) -> list[str]:
    """Split after sentence-ending punctuation: the fallback where sentencex fails."""
    cuts = [0, *(match.end() for match in _PLAIN_BOUNDARY.finditer(paragraph)), len(paragraph)]
    return [paragraph[a:b] for a, b in pairwise(cuts)]


def _locate(pieces: list[str], paragraphs: list[Span]) -> list[Span]:
    """Return the spans in the text of the pieces of its paragraphs, trimmed and put right."""
    spans: list[Span] = []
    following = iter(paragraphs)
    cursor = limit = 0
    is_open = False  # whether the last span goes on in what follows
    before = ""
    for piece in pieces:
        skipped = 0
        is_first = cursor == limit
        if is_first:
            cursor, limit = next(following)
            is_open = False
        elif piece[0] in "/^" and before[-1] != " " and (closing := _CLOSING.match(piece)):
            spans[-1] = spans[-1][0], cursor + closing.end(1)
            skipped = closing.end()
            is_open = _goes_on(before, piece, skipped)
        body = piece[skipped:].strip(" ")
        if body:
            start = cursor + (piece.index(body[0], skipped) if piece[skipped] == " " else skipped)
            end = start + len(body)
            is_marker = len(body) <= LONGEST_MARKER and bool(_LONE_MARKER.fullmatch(body))
            if is_open or (is_marker and end == limit and not is_first):
                spans[-1] = spans[-1][0], end
            else:
                spans.append((start, end))
            is_open = is_marker
        cursor += len(piece)
        before = piece
    return spans


def _goes_on(before: str, piece: str, start: int) -> bool:
    """Whether a sentence goes on at ``start``, behind a quotation's end and closing quotes."""
    return bool(_GOES_ON.match(piece, start)) or (
        before[-1] in "!?" and bool(_SPEAKER.match(piece, start))
    )
