"""Words divided at the ends of lines: whether the hyphen is part of the word.

The document is asked first: how is the word written where it stands within a line? Then whether
its parts are words there, and then what usually stands behind hyphens.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_LAST = re.compile(r"([^\W_]+(?:['’-][^\W_]+)*)[-\u00ad]$")
_FIRST = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S*[/.?=&_#-]$")
_SHORTEST = 2
_BEFORE_WORDS = """
all cross ex first five four half high long low medium nuclear one quasi second self shared
short six so ten then third three two vice well
"""
_BEFORE = frozenset(_BEFORE_WORDS.split())
"""What is joined to a word by a hyphen more often than written with it in one."""
_BEHIND_WORDS = """
aged armed backed based capable centered class controlled deployed driven edged effective
elect equipped focused founded friendly funded guided held hosted launched led level looking
made making minded operated oriented owned party powered produced range related run scale
sized speaking sponsored standing style supplied supported tank term trained year
"""
_BEHIND = frozenset(_BEHIND_WORDS.split())
"""What is joined to a word by a hyphen more often than it is the end of one."""
_FUSED_WORDS = """
a air an any be can counter every for further head how in inter mis more never no out over re
some sub super there to trans un under up what when where who with
"""
_FUSED = frozenset(_FUSED_WORDS.split())
"""What is the start of a word more often than joined to one by a hyphen."""


_ALWAYS = frozenset({"anti", "ex", "pro", "self"})
_VOWEL = frozenset({"anti", "co", "de", "pre", "re"})  # re-election, but redeployment


class Hyphens:
    """Joins lines, with what the words of a document tell.

    Args:
        lines: All of its lines.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._words: Counter[str] = Counter()
        for line in lines:
            words = _WORD.findall(line.casefold())
            is_cut = line.endswith(("-", "\u00ad"))
            self._words.update(words[1:-1] if is_cut else words[1:])

    def join(self, lines: Iterable[str]) -> str:
        """Return the text of lines as one line."""
        text = ""
        for line in lines:
            text = self._joined(text, line) if text else line
        return text

    def _joined(self, before: str, line: str) -> str:
        if before.endswith(("—", "/")) and before[-2:-1] not in {" ", ""}:
            return before + line
        if _ADDRESS.search(before[-300:]) and not line[:1].isupper():
            return before + line
        last = _LAST.search(before[-100:])
        first = _FIRST.match(line)
        if before.endswith("\u00ad"):
            return before[:-1] + line
        if not before.endswith("-") or before.endswith(" -"):
            return f"{before} {line}"
        if last and first and not self._keeps(last[1], first[0]):
            return before[:-1] + line
        return before + line if first else f"{before} {line}"

    def _keeps(self, last: str, first: str) -> bool:
        """Whether a hyphen between two parts of a word stays."""
        if not (first[0].islower() and last[-1].islower()) or "-" in last:
            return True
        head, tail = last.casefold(), first.casefold()
        joined, hyphenated = self._words[head + tail], self._words[f"{head}-{tail}"]
        if joined != hyphenated:
            return hyphenated > joined
        if "-" in tail:
            return head in _BEFORE or bool(self._words[head])
        if head in _ALWAYS or (head in _VOWEL and head[-1] == tail[0]):
            return True
        if head in _FUSED:
            return False
        if head in _BEFORE or tail in _BEHIND:
            return True
        are_words = self._words[head] and self._words[tail]
        return bool(are_words) and min(len(head), len(tail)) >= _SHORTEST
