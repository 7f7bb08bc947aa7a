"""A sentence as the model reads it, and where in the sentence itself all of it stands.

Before it is scored, a sentence is put on one line without what is not read, and in lower case.
Words are found in it as a reader sees them, and n-grams as the model counts them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from topicml.scoring.features import FeatureBlock
from topicml.scoring.reference import WORD
from topicml.text.normalise import as_scored

Span = tuple[int, int]

_TOKEN = re.compile(r"\S+")
_WORD = re.compile(
    r"(?:[^\W\d_]\.){2,}(?!\w)|\w+(?:['’.]\w+)*"
)  # U.S., don't, 3.5; a hyphen joins two


class Occurrence(NamedTuple):
    """An n-gram at one place.

    Attributes:
        term: Its index in the vocabulary.
        start: Where it starts in ``Reading.lowered``, without the blank before a token.
        end: Where it ends there.
        owners: The word that each of its parts belongs to: of a word n-gram its words, of a
            character n-gram its characters.
    """

    term: int
    start: int
    end: int
    owners: Sequence[int]


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence as the model reads it.

    Attributes:
        text: The sentence itself.
        read: As it is scored, but for its case.
        lowered: In lower case.
        tokens: What is between blanks in ``read``.
        words: Its words in ``read``; a token without one is a word itself.
        homes: The number of each word's token.
        owners: The word that each character of ``lowered`` belongs to; -1 between tokens.
    """

    text: str
    read: str
    lowered: str
    tokens: Sequence[Span]
    words: Sequence[Span]
    homes: Sequence[int]
    owners: Sequence[int]
    _of_read: Sequence[int]  # where each of its characters stands in the sentence
    _of_lowered: Sequence[int]

    def place_of_word(self, word: int) -> Span:
        """Return where a word stands in the sentence."""
        return _through(self.words[word], self._of_read)

    def place(self, occurrence: Occurrence) -> Span:
        """Return where an n-gram stands in the sentence."""
        return _through((occurrence.start, occurrence.end), self._of_lowered)

    def without(self, removed: Sequence[int]) -> str:
        """Return what is read of the sentence without some of its words.

        A token of which no letter or figure is left goes, too.
        """
        left = {self.homes[word]: "" for word in removed}
        for home in left:
            start, end = self.tokens[home]
            gone = (range(*self.words[word]) for word in removed if self.homes[word] == home)
            places = set(range(start, end)).difference(*gone)
            token = "".join(self.read[place] for place in sorted(places))
            left[home] = token if _WORD.search(token) else ""
        every = (left.get(home, self.read[slice(*token)]) for home, token in enumerate(self.tokens))
        return " ".join(filter(None, every))

    def occurrences(self, block: FeatureBlock) -> Iterator[Occurrence]:
        """Yield the n-grams of a block as often as they come, in the order of their lengths."""
        if block.analyzer == "word":
            return self._word_ngrams(block)
        return self._character_ngrams(block)

    def _word_ngrams(self, block: FeatureBlock) -> Iterator[Occurrence]:
        found = list(WORD.finditer(self.lowered))
        words = [match[0] for match in found]
        shortest, longest = block.ngram_range
        for length in range(shortest, longest + 1):
            for first in range(len(words) - length + 1):
                term = block.vocabulary.get(" ".join(words[first : first + length]))
                if term is not None:
                    matches = found[first : first + length]
                    owners = [self.owners[match.start()] for match in matches]
                    yield Occurrence(term, matches[0].start(), matches[-1].end(), owners)

    def _character_ngrams(self, block: FeatureBlock) -> Iterator[Occurrence]:
        """Yield n-grams inside tokens; a token's blanks belong to its first and last word."""
        shortest, longest = block.ngram_range
        vocabulary = block.vocabulary
        for match in _TOKEN.finditer(self.lowered):
            start, end = match.span()
            padded = f" {match[0]} "
            owners = self.owners[start:end]
            owners = [owners[0], *owners, owners[-1]]
            for length in range(shortest, min(longest, max(shortest, len(padded))) + 1):
                for first in range(max(1, len(padded) - length + 1)):
                    term = vocabulary.get(padded[first : first + length])
                    if term is not None:
                        place = start + first - 1
                        inside = max(start, place), min(end, place + length)
                        yield Occurrence(term, *inside, owners[first : first + length])


def read_sentence(text: str) -> Reading:
    """Return a sentence as it is read."""
    read = as_scored(text)
    lowered = read.lower()
    of_read = range(len(text)) if read == text else _places_of_read(read, text)
    of_lowered = range(len(read)) if len(lowered) == len(read) else _places_of_lowered(read)
    tokens = [match.span() for match in _TOKEN.finditer(read)]
    words: list[Span] = []
    homes: list[int] = []
    owners = [-1] * len(read)
    for home, (start, end) in enumerate(tokens):
        first = len(words)
        words += [match.span() for match in _WORD.finditer(read, start, end)] or [(start, end)]
        homes += [home] * (len(words) - first)
        word = first
        for place in range(start, end):  # punctuation goes with the word before it
            if word + 1 < len(words) and place >= words[word + 1][0]:
                word += 1
            owners[place] = word
    return Reading(
        *(text, read, lowered, tokens, words, homes, [owners[place] for place in of_lowered]),
        *(of_read, [of_read[place] for place in of_lowered]),
    )


def _through(span: Span, places: Sequence[int]) -> Span:
    """Return where a span of characters stands whose own places are given."""
    start, end = span
    last = places[max(end, 1) - 1] + 1
    return (places[start] if start < end else last), last


def _places_of_lowered(read: str) -> list[int]:
    """Return the character of a text that each one of its lower case comes from."""
    return [place for place, character in enumerate(read) for _ in character.lower()]


def _places_of_read(read: str, text: str) -> list[int]:
    """Return where each character that is read stands in the sentence.

    What is read is the sentence with characters left out, and a blank for each line break.
    """
    places = []
    place = -1
    for character in read:
        place += 1
        while text[place] != character and not (character == " " and text[place].isspace()):
            place += 1
        places.append(place)
    return places
