"""Lower case and classes of all code points, as this Python's ``str`` and ``re`` have them."""

from __future__ import annotations

import functools
import re
import sys

import numpy as np
from numpy.typing import NDArray

from topicml.scoring import kernel

POINTS = sys.maxunicode + 1
_DOTTED_I = 0x130  # its lower case is two code points; the kernel knows it by itself
_WITH_CASE = ((0, 0x20000), (0xE0000, 0xE1000))  # no cased or ignored letter elsewhere
_KINDS = (
    (r"\w+", kernel.WORD),
    (r"\s+", kernel.BLANK),
    (r"[^\W\d_]+", kernel.LETTER),
    (r"[A-Za-zÀ-ÖØ-öø-ɏ]+", kernel.LATIN),  # not the signs of multiplication and division
)
_SURROGATES = "surrogatepass"
_SOLID = bytes(byte > kernel.LAST_ASCII or not chr(byte).isspace() for byte in range(256))


@functools.cache
def unicode_tables() -> kernel.UnicodeTables:
    """Return the tables as arrays, one number for each code point.

    A letter is cased, or ignored in looking for a cased one, where a capital sigma behind
    it is lowered to the final form: ``str`` does not tell these classes in another way.
    """
    everything = np.arange(POINTS, dtype="<u4").tobytes().decode("utf-32-le", _SURROGATES)
    classes = np.zeros(POINTS, dtype=np.uint8)
    for pattern, bit in _KINDS:
        for match in re.finditer(pattern, everything):
            classes[match.start() : match.end()] |= bit
    for start, stop in _WITH_CASE:
        letters, part = everything[start:stop], classes[start:stop]
        cased = _gives_final_sigma(letters, "")
        part[cased] |= kernel.CASED
        part[_gives_final_sigma(letters, "a") & ~cased] |= kernel.IGNORABLE
    return kernel.UnicodeTables(
        _lower_points(everything), classes, np.frombuffer(_SOLID, dtype=np.uint8)
    )


def _lower_points(everything: str) -> NDArray[np.int32]:
    before, after = everything[:_DOTTED_I], everything[_DOTTED_I + 1 :]
    lowered = before.lower() + chr(_DOTTED_I) + after.lower()
    return np.frombuffer(lowered.encode("utf-32-le", _SURROGATES), dtype=np.int32)


def _gives_final_sigma(letters: str, before: str) -> NDArray[np.bool_]:
    """Whether a sigma behind ``before`` and each of the letters is a final one."""
    tried = "".join([f"{before}{letter}Σ\0" for letter in letters if letter != "\0"])
    lowered = np.frombuffer(tried.lower().encode("utf-32-le", _SURROGATES), dtype=np.int32)
    final = np.zeros(len(letters), dtype=np.bool_)
    ends = np.flatnonzero(lowered == 0)
    final[len(letters) - len(ends) :] = lowered[ends - 1] == ord("ς")
    return final
