"""`tag_batch`: Arrow tables in, Arrow tables out."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from conftest import Tiny

from topicml.batch import Fields, limits, tag_batch, tag_schema
from topicml.batch.engines import arrow
from topicml.batch.opened import open_proven
from topicml.errors import InputError, ModelError
from topicml.models.folder import open_model
from topicml.tagging.articles import Detail
from topicml.tagging.tagger import Tagger
from topicml.text.document import Document

TEXTS = [
    "The bread rises in the oven. Nobody answered.\n\nThe boat left the harbour.",
    "Er düngt die Beete. 東京。 Wind and sails — “fair wind”, they said. 🍞 Dough!",
    "The soil is warm.",
    "?",
]
BAD = {
    None: "missing_text: there is no text in 'text'",
    "": "empty_text: the text is empty",
    " \n": "empty_text: the text is empty",
    "\0" * 9: "binary: this is binary data and no text",
}
KINDS = [
    *(pa.string(), pa.large_string(), pa.string_view()),
    *(pa.binary(), pa.large_binary(), pa.binary_view()),
    pa.dictionary(pa.int32(), pa.string()),
    pa.dictionary(pa.int8(), pa.large_string()),
]


@pytest.fixture
def model(tiny: Tiny) -> str:
    return str(tiny.folder)


def batch_of(texts: list[Any], kind: pa.DataType | None = None, **columns: Any) -> pa.RecordBatch:
    ids = [f"r{number}" for number in range(len(texts))]
    return pa.record_batch({"id": ids, "text": pa.array(texts, kind or pa.string()), **columns})


@pytest.mark.parametrize("detail", ["article", "sentence", "probabilities"])
def test_a_row_says_what_classify_says_of_its_text(model: str, detail: Detail) -> None:
    opened = open_model(Path(model))
    tagged = tag_batch(batch_of(TEXTS), model=model, detail=detail)
    assert tagged.schema == tag_schema(detail=detail)
    for text, row in zip(TEXTS, tagged.to_pylist(), strict=True):
        (article,) = Tagger(opened.scorer, "m").tag([Document(row["id"], text)])
        expected = article.to_dict()
        assert row["model"] == opened.reference
        assert row["reason"] == expected["reason"]
        assert row["error"] is None
        for found, topic in zip(row["topics"], expected["topics"], strict=True):
            assert found["topic"] == topic["topic"]
            assert found["sentences"] == topic["sentences"]
            assert found["probability"] == pytest.approx(topic["probability"], abs=1e-12)
        if detail == "article":
            assert "sentences" not in row
            continue
        for found, sentence in zip(row["sentences"], expected["sentences"], strict=True):
            places = ("index", "start", "end", "topics")
            assert [found[n] for n in places] == [sentence[n] for n in places]
            said = {p["topic"]: p["probability"] for p in found["probabilities"]}
            names = sentence["probabilities"] if detail == "probabilities" else sentence["topics"]
            assert said == pytest.approx({n: sentence["probabilities"][n] for n in names})
            assert [*said] == [*names]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("limit", [1, 40, 10**6])
def test_a_row_for_each_row_in_order_however_it_is_sliced(
    model: str, kind: pa.DataType, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [*TEXTS, *BAD, TEXTS[0], None, TEXTS[1]] * 3
    whole = tag_batch(batch_of(texts), model=model)
    monkeypatch.setattr(arrow, "SLICE_BYTES", limit)
    is_binary = "binary" in str(kind)
    values = [t.encode() if is_binary and t is not None else t for t in texts]
    tagged = tag_batch(batch_of(values, kind), model=model)
    assert tagged.column("id").to_pylist() == [f"r{n}" for n in range(len(texts))]
    assert tagged.equals(whole)
    for text, row in zip(texts, tagged.to_pylist(), strict=True):
        assert row["error"] == BAD.get(text)
        assert (row["topics"] is None) is (row["sentences"] is None) is (text in BAD)
        assert row["reason"] is None or text not in BAD


def test_slices_are_of_so_many_bytes_and_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    def sizes(batch: pa.RecordBatch) -> list[int]:
        return [piece.num_rows for piece in arrow._slices(batch, Fields())]

    monkeypatch.setattr(arrow, "SLICE_BYTES", 100)
    batch = batch_of(["x" * 40] * 5 + [None, "x" * 500, "", "y"])
    assert sizes(batch) == [2, 2, 2, 1, 2]
    assert sizes(batch.slice(4)) == [2, 1, 2]
    words = pa.array(["x" * 40, "x" * 500]).dictionary_encode().take([0, 0, 0, None, 1, 0])
    assert sizes(batch_of(words.to_pylist(), words.type)) == [2, 2, 1, 1]
    monkeypatch.setattr(arrow, "SLICE_ROWS", 3)
    assert sizes(batch_of([1, 2, 3, 4, 5], pa.int64())) == [3, 2]


def test_part_of_a_batch_is_taken_as_it_is(model: str) -> None:
    part = batch_of(["Bread.", None, *TEXTS], outlet=[*"abcdef"]).slice(1, 3)
    fields = Fields(keep=("outlet",))
    rows = tag_batch(part, model=model, fields=fields).to_pylist()
    assert [(row["id"], row["outlet"], bool(row["error"])) for row in rows] == [
        ("r1", "b", True),
        ("r2", "c", False),
        ("r3", "d", False),
    ]


@pytest.mark.parametrize("texts", [[], [None], ["", None]])
def test_nothing_to_tag(model: str, texts: list[Any]) -> None:
    tagged = tag_batch(batch_of(texts), model=model)
    assert isinstance(tagged, pa.RecordBatch)
    assert (tagged.num_rows, tagged.schema) == (len(texts), tag_schema())


def test_a_table_gives_a_table(model: str) -> None:
    batch = batch_of(TEXTS)
    table = pa.Table.from_batches([batch, batch.slice(0, 0), batch.slice(1)])
    tagged = tag_batch(table, model=model)
    assert isinstance(tagged, pa.Table)
    assert tagged.column("id").to_pylist() == table.column("id").to_pylist()
    empty = tag_batch(batch.schema.empty_table(), model=model)
    assert (empty.num_rows, empty.schema) == (0, tag_schema())


def test_what_is_no_text_is_said_row_by_row(model: str) -> None:
    numbers = tag_batch(batch_of([1, None], pa.int64()), model=model)
    assert numbers.column("error").to_pylist() == [
        "wrong_type: 'text' must be a string, found a number",
        BAD[None],
    ]
    nulls = tag_batch(batch_of([None, None], pa.null()), model=model)
    assert nulls.column("error").to_pylist() == [BAD[None]] * 2
    broken = pa.array([b"Bread.", b"Br\xe9ad."]).view(pa.string())
    rows = tag_batch(batch_of([None] * 2).set_column(1, "text", broken), model=model).to_pylist()
    assert rows[0]["error"] is None
    assert rows[1]["error"].startswith("invalid_utf8: byte 0xe9 at offset 2 ")


@pytest.mark.parametrize(
    ("ids", "expected", "error"),
    [
        (pa.array([7, None]), ["7", None], None),
        (pa.array([2**63], pa.uint64()), [str(2**63)], None),
        (pa.array(["", "x", None]), [None, "x", None], None),
        (pa.array(["x", "y", "x"]).dictionary_encode(), ["x", "y", "x"], None),
        (pa.array([1.5, 7.0, float("nan")]), ["1.5", "7", None], None),
        (pa.array([b"\0" * 16], pa.binary(16)), ["00000000-0000-0000-0000-000000000000"], None),
        (pa.array([True]), [None], "'id' must be a string or a number, found a boolean"),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
def test_ids_come_back_as_text(model: str, ids: Any, expected: list[Any], error: Any) -> None:
    batch = pa.record_batch({"id": ids, "text": [TEXTS[0]] * len(ids)})
    rows = tag_batch(batch, model=model).to_pylist()
    assert [row["id"] for row in rows] == expected
    assert {row["error"] for row in rows} == {error and f"wrong_type: {error}"}


def test_title_and_kept_columns(model: str) -> None:
    kept = {"n": [1, None], "tags": [["a"], []], "outlet": pa.array(["é", None])}
    batch = batch_of(["The soil is warm.", None], title=["Bread", "Cake"], **kept)
    fields = Fields(title="title", keep=("outlet", "n", "tags"))
    tagged = tag_batch(batch, model=model, fields=fields)
    assert tagged.schema == tag_schema(fields=fields)
    first, second = tagged.to_pylist()
    assert [first[name] for name in fields.keep] == ["é", "1", '["a"]']
    assert [second[name] for name in fields.keep] == [None, None, "[]"]
    assert second["error"]
    assert [s["start"] for s in first["sentences"]] == [0, len("Bread\n\n")]


def test_columns_inside_others_and_several_texts(model: str) -> None:
    article = [{"head": "Bread", "body": "The soil is warm.", "uid": 7}]
    batch = pa.record_batch({"article": article})
    fields = Fields(("article.head", "article.body"), "article.uid", None, ("article.head",))
    (row,) = tag_batch(batch, model=model, fields=fields).to_pylist()
    assert (row["id"], row["article.head"], row["error"]) == ("7", "Bread", None)
    assert [s["start"] for s in row["sentences"]] == [0, len("Bread\n\n")]
    with pytest.raises(InputError, match=r"no column 'article\.hed'"):
        tag_batch(batch, model=model, fields=replace(fields, title="article.hed"))
    with pytest.raises(InputError, match="Name each"):
        tag_batch(batch, model=model, fields=replace(fields, keep=("*",)))


def test_a_missing_column_is_named_with_those_that_are_there(model: str) -> None:
    batch = pa.record_batch({"ids": ["a"], "text": ["Bread."]})
    with pytest.raises(InputError) as caught:
        tag_batch(batch, model=model)
    said = str(caught.value)
    assert "no column 'id'" in said
    assert "Did you mean 'ids'? Found: ids, text." in said
    for fields in (Fields(id="ids", keep=("x",)), Fields("x", "ids")):
        with pytest.raises(InputError, match="no column 'x'"):
            tag_batch(batch, model=model, fields=fields)
    twice = pa.RecordBatch.from_arrays([pa.array(["a"])] * 3, names=["id", "text", "text"])
    with pytest.raises(InputError, match="several columns 'text'"):
        tag_batch(twice, model=model)


@pytest.mark.parametrize("name", ["topics", "error", "model"])
def test_a_column_is_not_kept_over_one_of_the_output(model: str, name: str) -> None:
    batch = batch_of(["Bread."], **{name: ["x"]})
    with pytest.raises(InputError, match="cannot be kept"):
        tag_batch(batch, model=model, fields=Fields(keep=(name,)))


def test_the_model_is_opened_once_however_many_threads_ask(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []

    def open_slowly(path: Path, backend: Any) -> Any:
        opened.append(path)
        return open_proven(path, backend)

    monkeypatch.setattr(arrow, "open_proven", open_slowly)
    arrow._make_worker.cache_clear()
    results: list[Any] = [None] * 8

    def work(place: int) -> None:
        results[place] = tag_batch(batch_of(TEXTS), model=model)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(results))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    arrow._make_worker.cache_clear()
    assert opened == [Path(model)]
    assert all(result.equals(results[0]) for result in results)


def test_an_unknown_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        tag_batch(batch_of(TEXTS), model=str(tmp_path / "none"))


def test_heavy_packages_wait_until_there_is_a_batch() -> None:
    code = (
        "import sys, topicml, topicml.batch, topicml.batch.engines.ray; "
        "print(sys.modules.keys() & {'pyarrow', 'numba', 'ray', 'pyspark', 'pandas', 'sklearn'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_row_that_fails_is_said_to_have(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        arrow,
        "tag_items",
        lambda tagger, items: [limits.tag_items(tagger, [item])[0] for item in items],
    )
    arrow._make_worker.cache_clear()
    real = Tagger.tag

    def tag(self: Tagger, records: Any) -> Any:
        if records[0].text == TEXTS[2]:
            raise FloatingPointError("overflow")
        return real(self, records)

    monkeypatch.setattr(Tagger, "tag", tag)
    tagged = tag_batch(batch_of([*TEXTS, None]), model=model)
    assert tagged.column("error").to_pylist() == [
        *(None, None),
        "failed: FloatingPointError: overflow",
        *(None, BAD[None]),
    ]
    assert tagged.column("topics").is_null().to_pylist() == [False, False, True, False, True]
