"""Reports for tests: the five articles of the project, and texts that mean harm."""

from __future__ import annotations

from collections.abc import Sequence

from conftest import ROOT

from topicml.models.folder import Model, open_model
from topicml.models.store import ModelStore
from topicml.report.tagged import Rejected, TaggedReport
from topicml.report.words import words_behind
from topicml.tagging.articles import TaggedArticle
from topicml.tagging.tagger import Tagger
from topicml.text.document import Document

HOSTILE = [
    "</script><script>window.harmed=1</script>",
    "<img src=x onerror=window.harmed=1>",
    "\"'><b onmouseover=window.harmed=1>x</b>",
    "]]>--><!--{{ 7*7 }}{% raw %}${7*7}",
    "\u202eesrever\u202d \x00\x07\x1b[31m 🤝",
]
PLACES = {
    "title": "<i>{}</i>",
    "date": "{}",
    "source": "{}",
    "url": "javascript:window.harmed=1//{}",
    "language": 'en" onclick="{}',
    "x{}": "{}",
}


def shipped_model() -> Model:
    return open_model(ModelStore(ROOT / "models").find(None))


def five_articles() -> list[Document]:
    files = sorted((ROOT / "data/raw").glob("0*.txt"))
    return [
        Document(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in files
    ]


def hostile_documents() -> list[Document]:
    return [
        Document(
            harm,
            f"{harm} The ministers met in Tokyo. {harm}\n\n{harm}",
            kept={name.format(harm): value.format(harm) for name, value in PLACES.items()},
        )
        for harm in HOSTILE
    ]


def report_of(
    model: Model, documents: Sequence[Document], rejected: Sequence[str] = ()
) -> tuple[str, list[TaggedArticle]]:
    tagger = Tagger(model.scorer, model.reference)
    report = TaggedReport(model, tagger.thresholds, words_behind(model))
    articles = tagger.tag(documents)
    for article in articles:
        report.add(article)
    return report.render(Rejected(len(rejected), rejected)), articles
