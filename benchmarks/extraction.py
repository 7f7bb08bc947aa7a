"""How well texts are found in pages, files and mails: sentences against those of hand-made cases.

Each case of `tests/extraction/cases/` has a list of the sentences that must come out of it, in
order (`expected`), of some that must not (`boilerplate`), and of what may (`neutral`: headlines,
captions, cells of tables, notes). They are read as `classify` reads them. Sentences are compared
by their words and marks, whatever the white space and the bullet before them. Precision is the
share of what comes out, and is not neutral, that was expected; recall that of what was expected
that comes out. Two cases are pages without an article: anything that comes of them is wrong.

    python benchmarks/extraction.py            measure; write figures and the tables of the docs
    python benchmarks/extraction.py --show KIND/NAME …      what is missing and what is too much
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from topicml.errors import TopicmlError
from topicml.files import write_text
from topicml.io.readers import check_sources, parse_block, read_blocks
from topicml.io.records import ReadOptions
from topicml.io.sources import list_sources
from topicml.text.document import Document
from topicml.text.sentences import split_sentences

HERE = Path(__file__).parent
ROOT = HERE.parent
CASES = ROOT / "tests/extraction/cases"
FIGURES = HERE / "extraction.json"
PAGE = ROOT / "docs/extraction.md"
LEAST, LEAST_OF_KIND = 0.95, 0.9
"""Precision and recall that all cases together, and those of each kind, may not be below."""

sys.path.insert(0, str(CASES.parent))  # where `makers` is

_BULLET = re.compile(r"^(?:[-–—•▪◦·*]|\d{1,2}[.)])\s+(?=\S)")
_NO_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Case:
    """A page, file or mail, and what must come out of it."""

    path: Path
    expected: tuple[str, ...]
    boilerplate: tuple[str, ...]
    neutral: tuple[str, ...]
    traps: tuple[str, ...]
    held_out: bool
    rejected: bool = False
    maker: str | None = None

    @property
    def kind(self) -> str:
        """What kind of file it is: the folder that it is in."""
        return self.path.parent.name

    @property
    def name(self) -> str:
        """Its name among all."""
        return f"{self.kind}/{self.path.name.removesuffix('.txt')}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case."""

    case: Case
    found: int
    missing: tuple[str, ...]
    extra: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        """Whether all came out that should, and nothing else."""
        return not self.missing and not self.extra


def read_cases() -> list[Case]:
    """Return all cases, by name."""
    cases = []
    for path in sorted(CASES.glob("*/*.toml")):
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        lists = {key: tuple(said.pop(key)) for key in ("expected", "boilerplate", "neutral")}
        cases.append(Case(path.with_suffix(""), traps=tuple(said.pop("traps")), **lists, **said))
    return cases


def measure(case: Case) -> Outcome:
    """Read a case and hold its sentences against those that must come out."""
    with tempfile.TemporaryDirectory() as folder:
        sentences = _sentences(_file(case, Path(folder)))
    return compare(case, sentences)


def compare(case: Case, sentences: Sequence[str]) -> Outcome:
    """Hold sentences against those that must come out."""
    got, wanted = [[_key(text) for text in texts] for texts in (sentences, case.expected)]
    pairs = _common(got, wanted)
    found, right = {index for index, _ in pairs}, {index for _, index in pairs}
    neutral = _words(" ".join(case.neutral))
    extra = (
        text
        for index, text in enumerate(sentences)
        if index not in found and _words(text) not in neutral
    )
    missing = (text for index, text in enumerate(case.expected) if index not in right)
    return Outcome(case, len(pairs), tuple(missing), tuple(extra))


def _file(case: Case, folder: Path) -> Path:
    """Return the file of a case, made in a folder where its format is binary."""
    if case.maker is None:
        return case.path
    target = folder / case.path.name.removesuffix(".txt")
    from makers import make  # which needs packages of the extra `dev`

    make(case.maker, case.path, target)
    return target


def _sentences(path: Path) -> list[str]:
    """Return the sentences of a file as `classify` reads it; none where it is rejected."""
    options = ReadOptions()
    try:
        sources = check_sources(list_sources([str(path)]).sources, options)
        blocks = list(read_blocks(sources, options, BytesIO()))
        items = [item for block in blocks for item in parse_block(block, options)]
    except TopicmlError:
        return []
    texts = (item.text for item in items if isinstance(item, Document))
    return [sentence.text for text in texts for sentence in split_sentences(text)]


def _key(text: str) -> str:
    return _BULLET.sub("", " ".join(text.split()))


def _words(text: str) -> str:
    return _NO_WORD.sub("", text.casefold())


def _common(got: Sequence[str], wanted: Sequence[str]) -> list[tuple[int, int]]:
    """Return the places of the longest common subsequence."""
    lengths = [[0] * (len(wanted) + 1) for _ in range(len(got) + 1)]
    for i in reversed(range(len(got))):
        for j in reversed(range(len(wanted))):
            same = got[i] == wanted[j]
            rest = max(lengths[i + 1][j], lengths[i][j + 1])
            lengths[i][j] = lengths[i + 1][j + 1] + 1 if same else rest
    i = j = 0
    pairs = []
    while i < len(got) and j < len(wanted):
        if got[i] == wanted[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def pooled(outcomes: Iterable[Outcome]) -> dict[str, float | int]:
    """Return precision and recall of the sentences of several cases together."""
    outcomes = list(outcomes)
    found = sum(outcome.found for outcome in outcomes)
    came = found + sum(len(outcome.extra) for outcome in outcomes)
    expected = found + sum(len(outcome.missing) for outcome in outcomes)
    return {
        "cases": len(outcomes),
        "right": sum(outcome.is_right for outcome in outcomes),
        "sentences": expected,
        "precision": round(found / came, 3) if came else 0.0,
        "recall": round(found / expected, 3) if expected else 1.0,
    }


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return all figures, and the cases that fail."""
    kinds = sorted({outcome.case.kind for outcome in outcomes})
    return {
        "all": pooled(outcomes),
        "held_out": pooled(outcome for outcome in outcomes if outcome.case.held_out),
        "kinds": {
            kind: pooled(outcome for outcome in outcomes if outcome.case.kind == kind)
            for kind in kinds
        },
        "failing": {
            outcome.case.name: {"missing": outcome.missing, "extra": outcome.extra}
            for outcome in outcomes
            if not outcome.is_right
        },
    }


def below_floor(result: dict[str, Any]) -> list[str]:
    """Return which precision or recall is below its floor."""
    floors = [("all", result["all"], LEAST)]
    floors += [(kind, row, LEAST_OF_KIND) for kind, row in result["kinds"].items()]
    return [
        f"{name}: {figure} {row[figure]} is below {least}"
        for name, row, least in floors
        for figure in ("precision", "recall")
        if row[figure] < least
    ]


def tables(result: dict[str, Any]) -> str:
    """Return the figures as the docs have them."""
    rows = [("all", result["all"]), ("of these, held out", result["held_out"])]
    lines = [
        "| cases of | cases | all right | sentences | precision | recall |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {name} | {row['cases']} | {row['right']} | {row['sentences']} "
            f"| {row['precision']:.3f} | {row['recall']:.3f} |"
            for name, row in [*result["kinds"].items(), *rows]
        ),
        "",
        "| case that fails | missing | too much |",
        "|---|---|---|",
        *(
            f"| `{name}` | {_cell(row['missing'])} | {_cell(row['extra'])} |"
            for name, row in result["failing"].items()
        ),
    ]
    return "\n".join(lines)


def _cell(texts: Sequence[str]) -> str:
    return "<br>".join(" ".join(text.split()).replace("|", "\\|") for text in texts)


def main() -> None:
    """Measure, and write or show."""
    parser = argparse.ArgumentParser(description="Measure how well texts are found.")
    parser.add_argument("--show", nargs="+", metavar="KIND/NAME", help="show these instead")
    shown = parser.parse_args().show
    cases = [c for c in read_cases() if not shown or any(c.name.startswith(s) for s in shown)]
    outcomes = [measure(case) for case in cases]
    if shown:
        for outcome in outcomes:
            print(f"{outcome.case.name}: {outcome.found} found")
            for sign, texts in (("-", outcome.missing), ("+", outcome.extra)):
                print(*(f"  {sign} {text!r}" for text in texts), sep="\n")
        return
    from markdown_tables import write_between

    result = figures(outcomes)
    FIGURES.parent.mkdir(exist_ok=True)
    write_text(FIGURES, json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    write_between(PAGE, "extraction", tables(result))
    print(tables(result), *below_floor(result), sep="\n")


if __name__ == "__main__":
    main()
