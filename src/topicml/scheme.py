"""What of a label scheme decides how a text is tagged: its kind, and its language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["multilabel", "multiclass"]
KINDS: tuple[Kind, ...] = ("multilabel", "multiclass")

ENGLISH = "en"
_WITHOUT_SPACES = {"ja", "zh", "yue", "th", "lo", "km", "my", "bo", "dz"}
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")


@dataclass(frozen=True, slots=True)
class Scheme:
    """How texts are labelled, and so how they are tagged.

    Attributes:
        kind: ``multilabel``: a text carries none, one or several topics; ``multiclass``: exactly
            one.
        language: Of the texts, as a code such as ``en``, ``de`` or ``pt-BR``.
    """

    kind: Kind = "multilabel"
    language: str = ENGLISH

    @property
    def is_multiclass(self) -> bool:
        """Whether a text carries exactly one topic."""
        return self.kind == "multiclass"

    @property
    def primary_language(self) -> str:
        """The language without its region or script: ``pt`` of ``pt-BR``."""
        return self.language.partition("-")[0]

    @property
    def is_english(self) -> bool:
        """Whether the texts are English, of whatever region."""
        return self.primary_language == ENGLISH

    @property
    def is_written_without_spaces(self) -> bool:
        """Whether words are not told apart in writing, so that none can be known or unknown."""
        return self.primary_language in _WITHOUT_SPACES


DEFAULT_SCHEME = Scheme()
"""Of a taxonomy that says nothing else, and of all models of before schemes were told apart."""


def is_language(value: Any) -> bool:
    """Whether a value has the form of a language's code (BCP 47)."""
    return isinstance(value, str) and _LANGUAGE.match(value) is not None
