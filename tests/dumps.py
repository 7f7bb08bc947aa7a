"""Dumps made for the tests of batch runs."""

import json
import random
from pathlib import Path

SENTENCES = [
    "Bread is baked in the oven at dawn.",
    "The fleet sails with “fresh” bread.",
    "Roses grow in the garden 🌹.",
    "Nothing is at home, said Señor Núñez.",
]


def write_dump(path: Path, records: int = 300, seed: int = 0) -> Path:
    choice = random.Random(seed)  # noqa: S311
    with path.open("w", encoding="utf-8") as file:
        for n in range(records):
            text = " ".join(choice.choices(SENTENCES, k=choice.randrange(1, 12)))
            file.write(json.dumps({"id": f"r{n}", "text": f"{text} {n}.", "n": n}) + "\n")
    return path
