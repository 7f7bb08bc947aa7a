import io
from dataclasses import replace

import numpy as np
import pytest
from conftest import Tiny

from topicml.io.writers.table import WIDEST, write_table
from topicml.models.folder import open_model
from topicml.tagging.tagger import Tagger
from topicml.tagging.thresholds import Thresholds, choose_thresholds
from topicml.text.document import Document
from topicml.text.normalise import printable

TEXT = "The dough is in the oven. Nobody answered.\n\nLogin"


def drawn(
    tiny: Tiny,
    monkeypatch: pytest.MonkeyPatch,
    text: str = TEXT,
    thresholds: Thresholds | None = None,
    columns: int = 120,
) -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    model = open_model(tiny.folder)
    limits = thresholds or choose_thresholds(model.scorer)
    (article,) = Tagger(model.scorer, model.reference, limits).tag([Document("a.txt", text)])
    out = io.StringIO()
    write_table(article, limits, out)
    return out.getvalue()


def test_every_sentence_is_shown_and_says_why_it_has_no_tag(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [line.strip() for line in drawn(tiny, monkeypatch).splitlines()]
    assert lines[:2] == ["a.txt", "1 of 3 sentences tagged, model weekend@1.0.0"]
    assert "0  The dough is in the oven." in lines
    assert any(line.startswith("no tag: below threshold (") for line in lines)
    assert "no tag: boilerplate" in lines


def test_the_relevance_gate_says_what_it_kept_back(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = choose_thresholds(open_model(tiny.folder).scorer)
    text = "The dough is in the oven."
    shown = drawn(tiny, monkeypatch, text, replace(own, relevance=1.0))
    assert "no tag: about none of the topics (relevance " in shown
    assert "; this kept back baking 0." in shown
    without = drawn(tiny, monkeypatch, text, Thresholds(np.full(3, 1.1), 1.0))
    assert "kept back" not in without


@pytest.mark.parametrize(("columns", "widest"), [(60, 60), (400, WIDEST)])
def test_a_table_is_as_wide_as_the_window_but_never_too_wide(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, columns: int, widest: int
) -> None:
    text = "The bread is in the oven and the sails are on the boat, " * 8 + "and all is well."
    lines = drawn(tiny, monkeypatch, text, columns=columns).splitlines()
    assert widest - 20 < max(map(len, lines)) <= widest


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\t c", "a b c"),
        ("\x1b[31mred\x07", "\ufffd[31mred\ufffd"),
        ("co\u00adop\u200ber\u2060a\ufefftion", "cooperation"),
    ],
)
def test_what_a_terminal_would_obey_is_not_shown(text: str, shown: str) -> None:
    assert printable(text) == shown
