import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Tiny
from damage import rewrite_file

from topicml.errors import ModelError
from topicml.models.folder import GOLDEN, open_model, verify_model
from topicml.models.golden import choose_golden, golden_lines, read_golden


@pytest.fixture
def copy(tiny: Tiny, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may damage."""
    return Path(shutil.copytree(tiny.folder, tmp_path / "1.0.0"))


@pytest.mark.parametrize("count", [1, 199, 200, 201, 1000])
def test_golden_sentences_are_spread_over_all_and_bounded(count: int) -> None:
    texts = [str(number) for number in range(count)]
    picked = [text for text in choose_golden(texts) if text in set(texts)]
    assert min(count, 100) <= len(picked) <= 200
    assert picked == sorted(set(picked), key=int)
    gaps = np.diff([int(text) for text in [*picked, str(count)]])
    assert gaps.max() <= -(-count // 100)


def test_golden_sentences_have_hard_ones_among_them(tiny: Tiny) -> None:
    lines = (tiny.folder / GOLDEN).read_text(encoding="utf-8").splitlines()
    texts = "\n".join(json.loads(line)["text"] for line in lines)
    assert all(character in texts for character in "İßΣ\u0301🤝\x00\u00a0")


def test_what_is_written_is_read(tiny: Tiny, tmp_path: Path) -> None:
    scorer = open_model(tiny.folder).scorer
    texts = ["bread\n\u2028", "half a character \ud800", ""]
    (tmp_path / GOLDEN).write_text(golden_lines(scorer, texts), encoding="utf-8")
    read, expected = read_golden(tmp_path / GOLDEN, scorer.topics)
    assert read == texts
    np.testing.assert_array_equal(expected[:, :-1], scorer.predict_proba(texts))
    np.testing.assert_array_equal(expected[:, -1], scorer.score_texts(texts).relevance)


def changed(line: str, **fields: Any) -> str:
    row = {**json.loads(line), **fields}
    return json.dumps({key: value for key, value in row.items() if value is not ...})


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "7",
        "null",
        '"text"',
        "[" * 100_000,
        "9" * 5_000,
        changed('{"probabilities": {}, "relevance": 1, "text": "a"}'),
        changed('{"probabilities": [], "relevance": 1, "text": "a"}'),
        changed('{"probabilities": null, "relevance": 1, "text": "a"}'),
        changed('{"probabilities": "abc", "relevance": 1, "text": "a"}'),
    ],
    ids=lambda line: line[:40],
)
def test_line_that_is_no_golden_sentence_is_named(copy: Path, line: str) -> None:
    lines = (copy / GOLDEN).read_text("utf-8").split("\n")
    lines[2] = line
    rewrite_file(copy, GOLDEN, "\n".join(lines))
    with pytest.raises(ModelError, match="not a golden sentence") as caught:
        verify_model(copy)
    assert caught.value.where == f"{copy / GOLDEN}:3"
    assert "Restore" in caught.value.hint
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", 7),
        ("text", None),
        ("text", ["a"]),
        ("text", ...),
        ("relevance", "high"),
        ("relevance", None),
        ("relevance", [0.5]),
        pytest.param("relevance", 10**400, id="relevance-beyond-floats"),
        ("relevance", ...),
        ("probabilities", ...),
        ("probabilities", {"baking": 0.5}),
        ("probabilities", {"baking": {}, "gardening": {}, "sailing": {}}),
    ],
)
def test_field_of_a_golden_sentence_that_cannot_be_used_is_named(
    copy: Path, field: str, value: Any
) -> None:
    first, *others = (copy / GOLDEN).read_text("utf-8").split("\n")
    rewrite_file(copy, GOLDEN, "\n".join([changed(first, **{field: value}), *others]))
    with pytest.raises(ModelError, match="not a golden sentence") as caught:
        verify_model(copy)
    assert caught.value.where == f"{copy / GOLDEN}:1"


@pytest.mark.parametrize("content", [b"", b"\n", b"\n\n"])
def test_file_without_a_golden_sentence_is_refused(copy: Path, content: bytes) -> None:
    rewrite_file(copy, GOLDEN, content)
    with pytest.raises(ModelError, match="not a golden sentence"):
        verify_model(copy)


def test_golden_file_that_is_no_text_is_refused(copy: Path) -> None:
    rewrite_file(copy, GOLDEN, b"\xff\xfe")
    with pytest.raises(ModelError, match="cannot be read") as caught:
        verify_model(copy)
    assert caught.value.where == str(copy / GOLDEN)


def test_golden_file_beyond_all_measure_is_refused(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (copy / GOLDEN).stat().st_size
    monkeypatch.setattr("topicml.models.golden.MAX_GOLDEN_BYTES", size)
    verify_model(copy)
    monkeypatch.setattr("topicml.models.golden.MAX_GOLDEN_BYTES", size - 1)
    with pytest.raises(ModelError, match="longer than") as caught:
        verify_model(copy)
    assert caught.value.where == str(copy / GOLDEN)
