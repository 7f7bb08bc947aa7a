"""The network's gate: `make check-neural` fails where the accurate model reads worse than it did.

The base is the real one, from the cache (`topicml models fetch-base`). The golden sentences come
out as they should, and on sentences that no training has seen, the codebook's worked cases and
sentences on other subjects, no more is wrong than `network_ceiling.json` says, alone and as a
second opinion.

    python benchmarks/network_gate.py            check
    python benchmarks/network_gate.py --update   pin today's figures
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from worked_cases import TAXONOMY

from topicml import Model, classify_texts
from topicml.files import write_text
from topicml.models.folder import open_model, verify_model
from topicml.models.store import ModelStore
from topicml.taxonomy import load_taxonomy

HERE = Path(__file__).parent
CEILING = HERE / "network_ceiling.json"
OTHER_SUBJECTS = HERE / "quality/other_subjects.jsonl"
STORE = ModelStore(HERE.parent / "models")
ACCURATE = "alliance-topics-accurate"
MARGIN = 2
"""Sentences more that may be wrong: processors differ in the last digits."""


def measure(network: Model, linear: Model) -> dict[str, int]:
    """Count what the network gets wrong, alone and as a second opinion."""
    cases = load_taxonomy(TAXONOMY).cases
    lines = OTHER_SUBJECTS.read_text(encoding="utf-8").splitlines()
    texts = [case.text for case in cases] + [json.loads(line)["text"] for line in lines]
    wanted = [{*case.topics} for case in cases] + [set[str]()] * len(lines)
    alone = classify_texts(texts, network, unit="sentence")
    asked = classify_texts(texts, linear, unit="sentence", second_opinion=network)
    counts = {}
    for way, articles in (("alone", alone), ("second opinion", asked)):
        wrong = [
            {topic.topic for topic in article.topics} != topics
            for article, topics in zip(articles, wanted, strict=True)
        ]
        counts[f"worked cases, {way}"] = sum(wrong[: len(cases)])
        counts[f"other subjects, {way}"] = sum(wrong[len(cases) :])
    return counts


def main(arguments: list[str] | None = None) -> int:
    """Check or update; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true", help="pin today's figures")
    options = parser.parse_args(arguments)
    network, linear = verify_model(STORE.find(ACCURATE)), open_model(STORE.find())
    counts = measure(network, linear)
    if options.update:
        pinned = {"network": network.reference, "linear": linear.reference, "wrong": counts}
        write_text(CEILING, json.dumps(pinned, indent=2) + "\n")
    pinned = json.loads(CEILING.read_text(encoding="utf-8"))
    print(f"{network.reference}: golden sentences as they were made")
    for name, count in counts.items():
        print(f"wrong of {name}: {count} (at most {pinned['wrong'][name]} + {MARGIN})")
    worse = [name for name, count in counts.items() if count > pinned["wrong"][name] + MARGIN]
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
