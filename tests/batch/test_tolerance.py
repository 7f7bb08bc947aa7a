import re
from collections import Counter
from pathlib import Path

import pytest

from topicml.batch.tolerance import MaxRejects, TooManyRejectsError, check_rejects


@pytest.mark.parametrize(
    ("text", "shown"), [("0", "0"), ("100", "100"), ("2.5%", "2.5%"), ("0%", "0%")]
)
def test_what_is_given_is_shown(text: str, shown: str) -> None:
    assert str(MaxRejects.parse(text)) == shown


@pytest.mark.parametrize("text", ["-1", "1.5", "101%", "%", "1 %", "x", "nan%", "١"])
def test_nothing_else_is_taken(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        MaxRejects.parse(text)


@pytest.mark.parametrize(
    ("most", "rejected", "read", "at_end", "fails"),
    [
        (None, 99, 100, True, False),
        (None, 100, 100, False, False),
        (None, 100, 100, True, True),
        (None, 0, 0, True, False),
        ("3", 3, 10, False, False),
        ("3", 4, 10, False, True),
        ("0", 1, 10, False, True),
        ("10%", 50, 99, False, False),
        ("10%", 11, 100, False, True),
        ("10%", 10, 100, True, False),
        ("10%", 2, 10, True, True),
        ("100%", 5, 5, True, True),
    ],
)
def test_too_many(most: str | None, rejected: int, read: int, at_end: bool, fails: bool) -> None:
    rejects = Counter(broken_json=rejected)
    limit = MaxRejects.parse(most) if most else None
    try:
        check_rejects(rejects, read, limit, at_end=at_end)
    except TooManyRejectsError:
        assert fails
    else:
        assert not fails


def test_it_says_why_and_where() -> None:
    rejects = Counter(broken_json=3, empty_text=1)
    with pytest.raises(TooManyRejectsError) as caught:
        check_rejects(rejects, 9, MaxRejects.parse("3"), at_end=False, kept=Path("r.part"))
    assert str(caught.value) == (
        "4 of 9 records were rejected, more than 3: broken_json 3, empty_text 1. "
        "They are in r.part. With a higher --max-rejects the run goes on where it was."
    )
