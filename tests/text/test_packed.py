"""Texts in one buffer come out as they went in."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from topicml.text.packed import HEAD, PackedTexts

TEXTS = st.lists(st.text(st.characters(exclude_categories=()), max_size=9), max_size=9)


@given(TEXTS, st.data())
def test_each_text_comes_out_as_it_went_in(texts: list[str], data: st.DataObject) -> None:
    packed = PackedTexts.of(texts)
    assert [packed.text(row) for row in range(len(texts))] == texts
    rows = data.draw(st.lists(st.sampled_from(range(len(texts))))) if texts else []
    taken = packed.take(np.array(rows, dtype=np.intp))
    assert [taken.text(n) for n in range(len(rows))] == [texts[row] for row in rows]


@given(TEXTS)
def test_heads_are_first_bytes(texts: list[str]) -> None:
    heads = PackedTexts.of(texts).heads(np.arange(len(texts)))
    assert heads.shape == (len(texts), HEAD)
    for text, head in zip(texts, heads.tolist(), strict=True):
        own = text.encode("utf-8", "surrogatepass")[:HEAD]
        assert bytes(head)[: len(own)] == own
