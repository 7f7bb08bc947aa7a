"""Tagged articles as JSON Lines, JSON and CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from typing import IO

from topicml.tagging.articles import TaggedArticle


def write_jsonl(articles: Iterable[TaggedArticle], out: IO[str]) -> int:
    """Write one object a line; return how many."""
    count = 0
    for count, article in enumerate(articles, start=1):  # noqa: B007 - the count is the result
        out.write(_json(article) + "\n")
    return count


def write_json(articles: Iterable[TaggedArticle], out: IO[str]) -> int:
    """Write one array of objects; return how many."""
    out.write("[")
    count = 0
    for count, article in enumerate(articles, start=1):
        out.write((",\n " if count > 1 else "") + _json(article))
    out.write("]\n")
    return count


def write_csv(articles: Iterable[TaggedArticle], out: IO[str]) -> int:
    """Write one row a sentence, with a column per topic's probability; return the articles."""
    writer = csv.writer(out)
    count = 0
    for count, article in enumerate(articles, start=1):
        if count == 1:
            header = ["id", "model", "index", "start", "end", "text", "topics", "reason"]
            writer.writerow([*header, *article.topic_ids])
        if not article.sentences:  # a text of nothing but white space is still a record
            empty = [article.id, article.model, "", "", "", "", "", article.reason]
            writer.writerow([*empty, *("" for _ in article.topic_ids)])
        for index, tagged in enumerate(article.sentences):
            start, end, text = tagged.sentence
            row = [article.id, article.model, index, start, end, text, ";".join(tagged.topics)]
            row.append(tagged.reason or "")
            writer.writerow([*row, *(f"{p:.6f}" for p in tagged.probabilities)])
    return count


def _json(article: TaggedArticle) -> str:
    return json.dumps(article.to_dict(), ensure_ascii=False)
