import csv
import io
import json
from collections.abc import Callable, Iterable
from typing import IO

import pytest
from conftest import Tiny
from hypothesis import given
from hypothesis import strategies as st

from topicml.io.writers.articles import write_csv, write_json, write_jsonl
from topicml.models.folder import open_model
from topicml.tagging.articles import TaggedArticle, classify_documents
from topicml.text.documents import Document

Writer = Callable[[Iterable[TaggedArticle], IO[str]], int]
TEXTS = ("The dough is in the oven. Nobody answered.", "", 'Sails, "wind";\nand\r\n\ttide é🤝.')


def tag(tiny: Tiny, *texts: str) -> list[TaggedArticle]:
    model = open_model(tiny.folder)
    documents = [Document(f"id-{number}", text) for number, text in enumerate(texts)]
    return list(classify_documents(documents, model.scorer, model.reference))


def written(writer: Writer, articles: list[TaggedArticle]) -> str:
    out = io.StringIO(newline="")
    assert writer(iter(articles), out) == len(articles)
    return out.getvalue()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_jsonl_is_one_record_a_line(tiny: Tiny, count: int) -> None:
    articles = tag(tiny, *TEXTS[:count])
    lines = written(write_jsonl, articles).split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == [article.to_dict() for article in articles]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_is_one_array(tiny: Tiny, count: int) -> None:
    articles = tag(tiny, *TEXTS[:count])
    found = json.loads(written(write_json, articles))
    assert found == [article.to_dict() for article in articles]


def test_csv_is_one_row_a_sentence_with_a_column_a_topic(tiny: Tiny) -> None:
    articles = tag(tiny, *TEXTS)
    header, *rows = csv.reader(io.StringIO(written(write_csv, articles), newline=""))
    assert header == [
        *("id", "model", "index", "start", "end", "text", "topics", "reason"),
        *("baking", "gardening", "sailing"),
    ]
    expected = [(a, i, s) for a in articles for i, s in enumerate(a.sentences)]
    without = [[a.id, a.model, *[""] * 5, a.reason, *[""] * 3] for a in articles if not a.sentences]
    assert [row for row in rows if not row[2]] == without
    rows = [row for row in rows if row[2]]
    assert len(rows) == len(expected) == 4
    for row, (article, index, tagged) in zip(rows, expected, strict=True):
        start, end, text = tagged.sentence
        assert row[:6] == [article.id, article.model, str(index), str(start), str(end), text]
        assert row[6] == ";".join(tagged.topics)
        assert row[7] == (tagged.reason or "")
        assert bool(row[6]) is not bool(row[7])
        assert [float(cell) for cell in row[8:]] == pytest.approx(
            tagged.probabilities.tolist(), abs=1e-6
        )


@given(text=st.text(max_size=80))
def test_any_text_survives_every_format(tiny: Tiny, text: str) -> None:
    articles = tag(tiny, text)
    sentences = [tagged.sentence.text for tagged in articles[0].sentences]
    (record,) = [json.loads(line) for line in written(write_jsonl, articles).split("\n") if line]
    assert [s["text"] for s in record["sentences"]] == sentences
    rows = list(csv.DictReader(io.StringIO(written(write_csv, articles), newline="")))
    assert [row["text"] for row in rows if row["index"]] == sentences
    assert len(rows) == max(1, len(sentences))  # no record is lost


@pytest.mark.parametrize("writer", [write_jsonl, write_json, write_csv])
def test_writer_is_a_stream(tiny: Tiny, writer: Writer) -> None:
    out = io.StringIO()
    seen: list[str] = []

    def articles() -> Iterable[TaggedArticle]:
        for article in tag(tiny, *TEXTS[:1] * 2):
            seen.append(out.getvalue())
            yield article

    writer(articles(), out)
    assert "dough" not in seen[0]
    assert "dough" in seen[1]
