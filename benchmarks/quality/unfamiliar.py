"""How often the current model tags what it should not: other subjects, other languages.

    python benchmarks/quality/unfamiliar.py

Reads `other_subjects.jsonl` (200 English sentences on plainly other subjects) and
`other_languages.jsonl` (50 each in Japanese, German, French and Korean), both written for
this measurement. Rewrites `unfamiliar.json` and the table in `docs/quality.md`.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # for what all benchmarks share
from markdown_tables import write_between

from topicml.models import default_store, open_model
from topicml.scoring.scorer import Scorer
from topicml.tagging.tagger import tag_sentences

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = ("other_subjects.jsonl", "other_languages.jsonl")


def read(name: str) -> dict[str, list[str]]:
    """Return the sentences of a file by language."""
    sentences: dict[str, list[str]] = {}
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        sentences.setdefault(row["language"], []).append(row["text"])
    return sentences


def measure(scorer: Scorer, texts: list[str]) -> dict[str, object]:
    """Return the false-tag rate and why the rest was not tagged."""
    _, given, reasons = tag_sentences(scorer, texts)
    tagged = int(given.any(axis=1).sum())
    return {
        "sentences": len(texts),
        "tagged": tagged,
        "false_tag_rate": round(tagged / len(texts), 3),
        "reasons": dict(Counter(reason for reason in reasons if reason).most_common()),
    }


def run() -> dict[str, dict[str, object]]:
    """Measure every language of every file."""
    scorer = open_model(default_store().find()).scorer
    return {
        f"{name.removesuffix('.jsonl').replace('_', ' ')}, {language}": measure(scorer, texts)
        for name in FILES
        for language, texts in read(name).items()
    }


def table(result: dict[str, dict[str, object]]) -> str:
    """Render the result as Markdown."""
    lines = ["| sentences | count | tagged | false-tag rate | why not |", "|---|---|---|---|---|"]
    for name, row in result.items():
        reasons = ", ".join(f"{reason} {count}" for reason, count in row["reasons"].items())
        lines.append(
            f"| {name} | {row['sentences']} | {row['tagged']} | {row['false_tag_rate']:.3f} "
            f"| {reasons} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    result = run()
    (HERE / "unfamiliar.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    write_between(ROOT / "docs/quality.md", "unfamiliar", table(result))
    print(table(result))
