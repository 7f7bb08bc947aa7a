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


def warc_record(number: int, kind: str = "conversion", content: str = "text/plain") -> bytes:
    """Make a record of a WARC file, by default one of text."""
    block = b"Bread is baked in the oven. Day %d." % number
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: https://example.org/{number}\r\n"
        f"WARC-Record-ID: <urn:uuid:{number}>\r\nContent-Type: {content}\r\n"
        f"Content-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"
