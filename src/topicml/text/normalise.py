"""Placeholder until the text room lands."""

import re

_ODD = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]|[-\u2010]\\s*\n")


def needs_reading(text: str) -> bool:
    return _ODD.search(text) is not None


def reading_text(sentence: str) -> str:
    return re.sub("[\u00ad\u200b-\u200d\u2060\ufeff]", "", sentence)
