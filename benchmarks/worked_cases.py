"""The codebook as tests: its worked cases against the current model.

`worked_cases_failing.toml` lists the cases that the model gets wrong, each with a reason in
plain words, and the ceiling: how many there may be. `make check` fails where another case
fails, where a listed one passes, and where the list and its ceiling differ.

    python benchmarks/worked_cases.py                        check
    python benchmarks/worked_cases.py --update               list what fails now; reasons are kept
    python benchmarks/worked_cases.py --update --allow-more  even where that raises the ceiling
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from topicml import Model, classify_texts, load_model
from topicml.taxonomy import WorkedCase, load_taxonomy

HERE = Path(__file__).parent
ROOT = HERE.parent
TAXONOMY = ROOT / "data/labels/taxonomy.toml"
MODELS = ROOT / "models/alliance-topics"
FAILING = HERE / "worked_cases_failing.toml"
COMMAND = "python benchmarks/worked_cases.py --update"
HEADER = f"""\
# Worked cases of the codebook that the current model gets wrong: {COMMAND}
# It keeps the reasons; write one where it is empty. The ceiling may only fall.
"""


@dataclass(frozen=True, slots=True)
class Failure:
    """A worked case that the model gets wrong, and why, in plain words."""

    text: str
    expected: tuple[str, ...]
    got: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """The known failures; ``ceiling`` is how many there may be."""

    ceiling: int
    model: str
    failures: tuple[Failure, ...]


def shipped_model() -> Model:
    """Open the version that the clone's `current` names."""
    return load_model(MODELS / (MODELS / "current").read_text(encoding="utf-8").strip())


def failures(cases: Sequence[WorkedCase], model: Model) -> list[Failure]:
    """Tag each case as one sentence; return those that come out otherwise, in order."""
    articles = classify_texts([case.text for case in cases], model, unit="sentence")
    columns = model.scorer.topics
    found = []
    for case, article in zip(cases, articles, strict=True):
        given = {topic.topic for topic in article.topics}
        if given != set(case.topics):
            got = tuple(topic for topic in columns if topic in given)
            found.append(Failure(case.text, case.topics, got))
    return found


def read_listing(path: Path) -> Listing:
    """Read the list of known failures."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    entries = (
        Failure(e["text"], tuple(e["expected"]), tuple(e["got"]), e["reason"])
        for e in data.get("failing", [])
    )
    return Listing(data["ceiling"], data["model"], tuple(entries))


def write_listing(path: Path, listing: Listing) -> None:
    """Write the list of known failures; JSON's strings and lists are TOML's, too."""
    lines = [HEADER, f"ceiling = {listing.ceiling}", f"model = {_toml(listing.model)}"]
    for failure in listing.failures:
        lines += [
            "",
            "[[failing]]",
            f"text = {_toml(failure.text)}",
            f"expected = {_toml(failure.expected)}",
            f"got = {_toml(failure.got)}",
            f"reason = {_toml(failure.reason)}",
        ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml(value: str | tuple[str, ...]) -> str:
    return json.dumps(value, ensure_ascii=False)


def problems(found: Iterable[Failure], listing: Listing, model: str) -> list[str]:
    """Return how the list differs from what fails, one line each with what to do."""
    failing = {failure.text: failure for failure in found}
    listed = {failure.text: failure for failure in listing.failures}
    lines = [
        f"fails and is not listed: {text!r}: {_topics(new.expected)} expected, "
        f"{_topics(new.got)} got. Improve the model, or list it: {COMMAND} --allow-more"
        for text, new in failing.items()
        if text not in listed
    ]
    for text, old in listed.items():
        now = failing.get(text)
        if now is None:
            lines.append(f"passes, or is no worked case, and is listed: {text!r}: run {COMMAND}")
        elif (now.expected, now.got) != (old.expected, old.got):
            lines.append(
                f"fails otherwise than listed: {text!r}: {_topics(now.expected)} expected, "
                f"{_topics(now.got)} got: run {COMMAND}, then read its reason again"
            )
        if not old.reason.strip():
            lines.append(f"has no reason: {text!r}: write one, in plain words, by hand")
    if len(listing.failures) != listing.ceiling:
        lines.append(
            f"{len(listing.failures)} cases are listed, and the ceiling is {listing.ceiling}: "
            f"run {COMMAND}"
        )
    if listing.model != model:
        lines.append(f"the list is that of {listing.model}, the model is {model}: run {COMMAND}")
    return lines


def _topics(topics: tuple[str, ...]) -> str:
    return ", ".join(topics) or "none"


def update(found: Iterable[Failure], listing: Listing, model: str) -> Listing:
    """Return the list of what fails now, with the reasons that the old one has."""
    reasons = {failure.text: failure.reason for failure in listing.failures}
    kept = tuple(replace(f, reason=reasons.get(f.text, "")) for f in found)
    return Listing(len(kept), model, kept)


def main(
    arguments: list[str] | None = None, path: Path = FAILING, taxonomy: Path = TAXONOMY
) -> int:
    """Check or update; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true", help="list what fails now")
    parser.add_argument("--allow-more", action="store_true", help="let --update raise the ceiling")
    options = parser.parse_args(arguments)
    model, cases, listing = shipped_model(), load_taxonomy(taxonomy).cases, read_listing(path)
    found = failures(cases, model)
    print(f"{model.reference}: {len(found)} of {len(cases)} worked cases fail")
    if options.update:
        if len(found) > listing.ceiling and not options.allow_more:
            print(
                f"nothing written: the ceiling would rise from {listing.ceiling} to "
                f"{len(found)}; to raise it on purpose: --allow-more",
                file=sys.stderr,
            )
            return 1
        before, listing = listing, update(found, listing, model.reference)
        write_listing(path, listing)
        _print_to_read(before, listing)
    wrong = problems(found, listing, model.reference)
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


def _print_to_read(before: Listing, after: Listing) -> None:
    """Name the cases whose reason was written for other topics than come out now."""
    old = {f.text: f for f in before.failures}
    for failure in after.failures:
        known = old.get(failure.text)
        if known and (known.expected, known.got) != (failure.expected, failure.got):
            print(f"read its reason again: {failure.text!r}: {_topics(failure.got)} got now")


if __name__ == "__main__":
    sys.exit(main())
