"""Paragraphs that stand in an article and are none of it: links to others, credits, notices."""

from __future__ import annotations

import re

_FURNITURE = re.compile(  # with the phrases of ``tagging.abstention``, as wholes of paragraphs
    r"\W*(?:(?:read|see|watch) (?:more|also|now|next)|also read|related(?: \w+)?\W*$|related:"
    r"|advertisement|ad\W*$|(?:video|audio|listen|watch)\W+\d+:\d\d|our standards"
    r"|(?:reporting|editing|writing) by(?:.*editing by|.*[^.]$)|©|\(c\) (?:\w+ ?){1,4}$"
    r"|copyright (?:©|\(c\)|\d{4})|sign up|subscribe|share this|follow us|click here"
    r"|photo(?:graph)? by|(?:photo|image|credit):|correction:|the views expressed"
    r"|the post .* appeared first on|continue reading|view (?:it )?in (?:your )?browser"
    r"|to stop (?:(?:receiving|getting) )?(?:these|our) (?:\w+ )?(?:alerts|e-?mails|messages)"
    r"|this (?:article|story) (?:was|has been) (?:updated|originally|first)|to view this video"
    r"|view this (?:post|e-?mail)|you (?:are receiving|received) this (?:e-?mail|newsletter)"
    r"|your e-?mail address|please enable javascript|loading\W*$|.*\bunsubscribe\b)(?:\W|$)",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST_FURNITURE = 30  # words


def is_furniture(text: str) -> bool:
    """Whether a whole paragraph is such, going by how it begins."""
    return len(text.split()) <= _LONGEST_FURNITURE and bool(_FURNITURE.match(text))
