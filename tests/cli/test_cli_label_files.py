"""Label files and parameters that break things: each works, or is one clean line."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, Tiny, tiny_records

ROWS = tiny_records()
WORKS = ""


def said_by(run_here: Run, *command: str | Path) -> str:
    """Return what a command says where it fails, in one line but for ``labels check``."""
    result = run_here(*command)
    if result.code == 0:
        return WORKS
    said = result.stderr.split("error: ", 1)[-1].rstrip("\n")
    assert "\n" not in said or command[0] == "labels"
    return f"{result.stdout}{said}"


def lines(rows: Sequence[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def changed(**fields: Callable[[int], Any]) -> str:
    return lines(
        [{**row, **{k: make(n) for k, make in fields.items()}} for n, row in enumerate(ROWS)]
    )


GERMAN = {"baking": "Sie knetet den Teig", "gardening": "Er gräbt die Erde um", "": "Es regnet"}


def foreign(row: int) -> str:
    return GERMAN.get((*ROWS[row]["topics"], "")[0], "Wind und Segel")


NINE = [ROWS[n] for n in (0, 3, 6, 13, 16, 19, 26, 29, 32)]
NO_WORDS, FEW = "no word or n-gram is left", "article is too few"
FILES: dict[str, tuple[str, dict[str, str]]] = {
    "punctuation": (
        changed(text=lambda n: "?!" * (n % 7 + 1) + "." * n),
        {"train": NO_WORDS, "tune": NO_WORDS, "evaluate": NO_WORDS, "check": WORKS},
    ),
    "nine sentences": (lines(NINE), {"train": WORKS, "tune": WORKS, "evaluate": WORKS}),
    "a sentence of megabytes": (
        lines([*ROWS[1:], {**ROWS[0], "text": "word and " * 700_000}]),
        dict.fromkeys(("train", "tune", "evaluate", "check", "stats"), "6,300,000 characters"),
    ),
    "another language": (
        changed(text=lambda n: " ".join([foreign(n), *(f"wort{n}und{k}" for k in range(8))])),
        {"train": WORKS, "evaluate": WORKS, "check": WORKS},
    ),
    "empty": ("", {**dict.fromkeys(("train", "tune", "evaluate"), "no labelled sentences")}),
    "one topic": (
        changed(topics=lambda _: ["baking"]),
        {"train": "topic 'baking' is on 52 of 52", "tune": "topic 'baking' is on 52 of 52"},
    ),
    "no topic": (changed(topics=lambda _: []), {"train": "is on 0 of 52", "tune": "is on 0 of 52"}),
    "carriage returns": (lines(ROWS).replace("\n", "\r\n"), {"train": WORKS, "check": WORKS}),
    "byte-order mark": ("\ufeff" + lines(ROWS), {"evaluate": WORKS, "check": WORKS}),
    "NUL in a text": (lines(ROWS).replace("kneads", "\\u0000"), {"train": WORKS, "check": WORKS}),
    "NUL": (lines(ROWS) + "\0\0\n", dict.fromkeys(("train", "tune", "check", "stats"), ":53")),
    "an id repeated": (
        lines([*ROWS, ROWS[0]]),
        dict.fromkeys(("train", "tune", "evaluate", "check"), "duplicate id"),
    ),
    "alike but for case": (
        lines([*ROWS, {**ROWS[0], "id": "z", "text": ROWS[0]["text"].upper(), "topics": []}]),
        {"train": "other topics", "check": "other topics"},
    ),
    "blank lines": (lines(ROWS) + "\n" * 1_000_000, {"evaluate": WORKS, "stats": WORKS}),
    "a topic of one article": (
        lines(
            [{**r, "topics": [t for t in r["topics"] if r["article"] == "monday"]} for r in ROWS]
        ),
        {"train": WORKS, "tune": WORKS},
    ),
    "three articles": (lines([r for r in ROWS if r["article"] != "monday"]), {"train": WORKS}),
    "one article": (
        changed(article=lambda _: "a"),
        {"train": FEW, "tune": "belong to one article", "evaluate": FEW, "check": WORKS},
    ),
    "copies of one article": (
        lines([{**r, "id": f"{r['id']}{n}", "article": str(n)} for n in "abc" for r in ROWS[:13]]),
        {"train": FEW, "tune": "belong to one article", "evaluate": FEW},
    ),
}


def command_line(name: str, tiny: Tiny, labels: Path, models: Path) -> tuple[str | Path, ...]:
    common = ("--labels", labels, "--taxonomy", tiny.taxonomy)
    store = ("--models-dir", models)
    fixed = ("--parameters", tiny.parameters)
    return {
        "train": ("train", *common, *store, *fixed, "--name", "pastimes"),
        "tune": ("tune", *common, *store, "--name", "pastimes", "--trials", "2", "--seed", "8"),
        "evaluate": ("evaluate", *common, *store, *fixed),
        "check": ("labels", "check", *common),
        "stats": ("labels", "stats", *common),
    }[name]


@pytest.mark.parametrize("case", FILES)
def test_odd_label_file_works_or_is_one_clean_line(
    run_here: Run, tiny: Tiny, tmp_path: Path, case: str
) -> None:
    content, expected = FILES[case]
    labels = tmp_path / "labels.jsonl"
    labels.write_bytes(content.encode("utf-8"))
    for name, part in expected.items():
        said = said_by(run_here, *command_line(name, tiny, labels, tmp_path / name))
        assert part in said if part else said == WORKS, (name, said)
        made = [p.name for p in tmp_path.glob(f"{name}/*/*")]
        assert not made or said == WORKS


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"C": 0}, "C cannot be 0"),
        ({"C": 1e300}, "C cannot be 1e+300"),
        ({"C": 1e-300}, "C cannot be 1e-300"),
        ({"word_ngrams": [2, 1]}, "word_ngrams cannot be [2, 1]"),
        ({"char_ngrams": [1, 1000]}, "char_ngrams cannot be [1, 1000]"),
        ({"word_ngrams": [3, 3], "char_ngrams": None}, WORKS),
        ({"word_ngrams": [90, 90], "char_ngrams": None}, NO_WORDS),
        ({"min_df": 53}, f"{NO_WORDS} of 39 sentences, of those in 53 or more"),
        ({"depth": 3}, "unknown parameter 'depth'"),
        ({"background": True}, "starts from a background"),
    ],
    ids=str,
)
def test_odd_parameters_work_or_are_one_clean_line(
    run_here: Run, tiny: Tiny, tmp_path: Path, parameters: dict[str, Any], said: str
) -> None:
    path = tmp_path / "parameters.json"
    path.write_text(json.dumps(parameters))
    command = command_line("train", tiny, tiny.labels, tmp_path / "models")
    found = said_by(run_here, *command, "--parameters", path)
    assert said in found if said else found == WORKS
