"""Sentences that a model has no ground to judge, told apart before it tags them by chance.

Four of the reasons are about the sentence itself and checked in this order; the fifth,
``below_threshold``, is what remains where nothing is wrong but no topic is likely enough.
The first two know English pages: in a scheme of another language they are never given.
Word lists and limits are small on purpose: the model's own relevance does most of the work.
(docs/decisions/unfamiliar-text.md has the figures.)
"""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from topicml.scheme import DEFAULT_SCHEME, ENGLISH, Scheme
from topicml.scoring.scorer import FEWEST_KNOWN
from topicml.text.packed import HEAD, PackedTexts

Reason = Literal["not_english", "boilerplate", "unfamiliar", "no_topic", "below_threshold"]

REASONS: tuple[Reason | None, ...] = (
    None,
    "not_english",
    "boilerplate",
    "unfamiliar",
    "no_topic",
    "below_threshold",
)
_CODES = {reason: code for code, reason in enumerate(REASONS)}

ARTICLE_REASONS: dict[Reason | None, str] = {
    "not_english": "the text is not in English",
    "boilerplate": "it is the page around an article, not an article",
    "unfamiliar": "the model knows too few of its words",
    "no_topic": "its sentences are about none of the topics",
    "below_threshold": "no topic is likely enough",
}
"""Why an article has no topic, as a person is told it."""

SENTENCE_REASONS: dict[Reason | None, str] = {
    "not_english": "not English",
    "boilerplate": "boilerplate",
    "unfamiliar": "unfamiliar words",
    "no_topic": "about none of the topics",
    "below_threshold": "below threshold",
}
"""Why a sentence has none."""

FEWEST_WORDS = 4
"""Words from which on it matters how many of a sentence's words the model knows."""

FEWEST_LATIN = 0.5
"""Share of Latin letters that an English text has."""
ENOUGH_KNOWN = 0.5
"""Share of known words from which on a text is surely English."""
FEWEST_FOREIGN = 2
"""Small words of another language; a headline has hardly one of any."""
LONGEST_BOILERPLATE = 14
"""Words of what may be part of the page around an article."""

_LONGEST_CAPTION = 5
_LETTER, _SMALL = 0x1F, 0x20  # bits of ASCII: which letter it is, and that it is a small one
_LAST_ASCII = 0x7F
_FACTORS = (_LETTER + 1) ** np.arange(HEAD)
_WORDS = re.compile(r"[^\W\d_]+")

# Small words that are common in running text, a language a line.
_SMALL_WORDS = """
en the of and to in is was are were for with that this by it he they we you have has had will
en would not from at be been but as on or an its their our his her who which what there if can
en could should may more than after before about into over under between when while no all said
en a i do me my so am if up us
de der die das und ist nicht mit den dem des ein eine einen einem einer auf für von zu im am sich
de auch wird werden wurde nach bei aus wie noch hat haben sind über um durch als
fr le la les des du de et est une un dans pour que qui sur au aux par pas ne se ce cette avec sont
fr plus ont été leur son sa ses mais ou nous vous il elle ils en à
es el la los las de del y en que un una por con para es se no su sus al como más pero este esta son
it il lo la gli le di del della dei delle e è un una per con che non si da al alla sono ha più nel
pt o a os as de do da dos das e em no na que um uma por com para é não se ao mais como foi são
nl de het een en van in is dat op te zijn met voor niet aan er om ook als bij door
sv och att det som en är på för med av den till inte har om ett de var från
pl w i na z do się nie jest to że o jak po za od przez dla są oraz
id yang dan di dari untuk dengan pada ini itu tidak dalam akan oleh sebagai adalah ke
"""

# Phrases that only a page says, however it goes on; and such as stand alone, or nearly so. Each
# begins with HEAD characters that stand for themselves, or with none of ASCII.
_BOILERPLATE_STARTS = (
    r"leave a (reply|comment)|log ?(in|out)|sign (in|up|out)|register (now|here)|subscribe",
    r"follow us|related (articles?|stories|posts|topics)|click here|tap here|skip to",
    r"advertisement|all rights reserved|©|your e-?mail address|required fields|we use cookies",
    r"accept (all )?cookies|manage (all )?cookies|cookie (policy|settings)|back to top",
    r"privacy policy|terms of use",
    r"next article|previous article|comments? are closed|download (pdf|the app)",
    r"e-mail this|email this|reporting by .*editing by",
    r"this (article|story) (was|has been) (updated|originally|first)",
)
_BOILERPLATE_CAPTIONS = (
    r"share (this|on|via)|read (more|next|also)|see also|print this|sponsored|copyright",
    r"photo(graph)?s? ?(by|:|credit)|image (credit|source)|with inputs? from|by our (staff|own)",
    r"(reporting|editing) by|terms (of service|and conditions)",
)
_BOILERPLATE_WHOLE = (r"comments?( \(\d+\))?|menu|search|home|blogs?|newsletters?|tags?",)
_BOILERPLATE = re.compile(
    rf"\W*(({'|'.join(_BOILERPLATE_STARTS)})(\W|$)|({'|'.join(_BOILERPLATE_WHOLE)})\W*$)"
)
_CAPTION = re.compile(rf"\W*({'|'.join(_BOILERPLATE_CAPTIONS)})(\W|$)")
_BETWEEN_PHRASES = re.compile(r"\|(?![^(]*\))")
_HEADS = frozenset(
    phrase[:HEAD]
    for phrases in _BOILERPLATE_STARTS + _BOILERPLATE_CAPTIONS + _BOILERPLATE_WHOLE
    for phrase in _BETWEEN_PHRASES.split(phrases)
    if phrase[0].isascii()
)


def _small_words() -> dict[str, tuple[str, ...]]:
    """Return the languages of each small word; one that is English counts as English only."""
    languages: dict[str, set[str]] = {}
    for line in _SMALL_WORDS.strip().splitlines():
        language, *words = line.split()
        for word in words:
            languages.setdefault(word, set()).add(language)
    return {
        word: (ENGLISH,) if ENGLISH in found else tuple(sorted(found))
        for word, found in languages.items()
    }


_LANGUAGES = _small_words()


def abstain(
    texts: PackedTexts,
    word_count: NDArray[np.int64],
    latin_share: NDArray[np.float64],
    known_share: NDArray[np.float64],
    relevant: NDArray[np.bool_],
    fewest_known: float = FEWEST_KNOWN,
    scheme: Scheme = DEFAULT_SCHEME,
) -> NDArray[np.int8]:
    """Say of n sentences why they should not be tagged.

    Args:
        texts: n sentences; only those are read that numbers do not tell enough of.
        word_count: n numbers of words of letters.
        latin_share: n shares of Latin ones among the letters.
        known_share: n shares of words that the model has seen.
        relevant: n, whether the model finds a sentence likely to have any topic.
        fewest_known: Share of its words that the model must have seen.
        scheme: Of the model; the rules for English are for English.

    Returns:
        n places in ``REASONS``, 0 for those that may be tagged.
    """
    unknown = (word_count >= FEWEST_WORDS) & (known_share < fewest_known)
    if scheme.is_written_without_spaces:
        unknown[:] = False
    codes: NDArray[np.int8] = np.where(relevant, 0, _CODES["no_topic"]).astype(np.int8)
    codes[unknown | (word_count == 0)] = _CODES["unfamiliar"]
    if scheme.is_english:
        _apply_english_rules(texts, word_count, latin_share, known_share, codes)
    return codes


def _apply_english_rules(
    texts: PackedTexts,
    word_count: NDArray[np.int64],
    latin_share: NDArray[np.float64],
    known_share: NDArray[np.float64],
    codes: NDArray[np.int8],
) -> None:
    """Mark what is not English, and what an English page has around its articles."""
    foreign = latin_share < FEWEST_LATIN
    unsure = (known_share < ENOUGH_KNOWN) & (word_count >= FEWEST_FOREIGN) & ~foreign
    for n in np.flatnonzero(unsure).tolist():
        english, other = small_words(texts.text(n))
        foreign[n] = other >= fewest_foreign(english)
    short = np.flatnonzero((word_count <= LONGEST_BOILERPLATE) & ~foreign)
    short = short[_may_be_boilerplate(texts.heads(short))]
    sizes = zip(short.tolist(), word_count[short].tolist(), strict=True)
    found = [n for n, size in sizes if boilerplate_phrase(texts.text(n), size) is not None]
    codes[found] = _CODES["boilerplate"]
    codes[foreign] = _CODES["not_english"]


def small_words(text: str) -> tuple[int, int]:
    """Count the different small words of English in a text, and those of another language.

    The other language is the one that has most of them.
    """
    counts: dict[str, int] = {}
    for word in set(_WORDS.findall(text.lower())):
        for language in _LANGUAGES.get(word, ()):
            counts[language] = counts.get(language, 0) + 1
    english = counts.pop(ENGLISH, 0)
    return english, max(counts.values(), default=0)


def fewest_foreign(english: int) -> int:
    """Return how many small words make a text one of another language; they outnumber English."""
    return max(FEWEST_FOREIGN, english + 1)


def _may_be_boilerplate(heads: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether n texts begin as boilerplate does, or otherwise than with letters of ASCII."""
    first = heads[:, 0] | _SMALL
    is_letter = (first >= ord("a")) & (first <= ord("z"))
    return _KNOWN_HEADS[_places(heads)] | ~is_letter | (heads > _LAST_ASCII).any(axis=1)


def _places(heads: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return places in ``_KNOWN_HEADS``: the low bits of letters, which have no case."""
    places: NDArray[np.int64] = (heads & _LETTER).astype(np.int64) @ _FACTORS
    return places


_KNOWN_HEADS = np.zeros((_LETTER + 1) ** HEAD, dtype=np.bool_)
_KNOWN_HEADS[_places(np.array([list(head.encode()) for head in _HEADS], dtype=np.uint8))] = True


def boilerplate_phrase(text: str, word_count: int) -> str | None:
    """Return what makes a short text part of the page around an article, in lower case."""
    lowered = text.lower()  # three times as fast as to ignore case
    match = _BOILERPLATE.match(lowered)
    if match is None and word_count <= _LONGEST_CAPTION:
        match = _CAPTION.match(lowered)
    return match and match[1]
