import pytest

from topicml.io.documents.pdf.hyphens import Hyphens

LINES = [
    "A think-tank is one.",
    "The two words, under and stand, are here.",
    "A cooperation began.",
]


@pytest.mark.parametrize(
    ("before", "after", "joined"),
    [
        ("It is for deter-", "rence now.", "It is for deterrence now."),
        ("It is for deter\u00ad", "rence now.", "It is for deterrence now."),
        ("the U.S.-", "Japan alliance", "the U.S.-Japan alliance"),
        ("the Asia-", "Pacific", "the Asia-Pacific"),
        ("the F-", "35 jet", "the F-35 jet"),
        ("in 2023-", "24 they", "in 2023-24 they"),
        ("COVID-", "related", "COVID-related"),
        ("a long-", "range missile", "a long-range missile"),
        ("a Chinese-", "led group", "a Chinese-led group"),
        ("an anti-", "ship missile", "an anti-ship missile"),
        ("his re-", "election", "his re-election"),
        ("a re-", "deployment", "a redeployment"),
        ("they under-", "stand it", "they understand it"),
        ("a think-", "tank said", "a think-tank said"),
        ("its co-", "operation", "its cooperation"),
        ("state-of-the-", "art ships", "state-of-the-art ships"),
        ("it came -", "and went", "it came - and went"),
        ("it came—", "and went", "it came—and went"),
        ("see https://example.org/", "page now", "see https://example.org/page now"),
        ("a line", "and one", "a line and one"),
    ],
)
def test_lines_are_joined(before: str, after: str, joined: str) -> None:
    assert Hyphens([*LINES, before, after]).join([before, after]) == joined
