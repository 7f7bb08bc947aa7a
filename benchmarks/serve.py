"""Serving: `topicml serve` answers a 5 KB article over HTTP, 200 requests, 20 at once.

The server is a process of its own, and so is what asks: 20 connections that stay open, each of
which asks again once it has its answer. What the parts of an answer take is measured beside it, in
one thread. Run it with `make bench`; it rewrites `serve.json` and the table in `README.md`.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from markdown_tables import publish
from measuring import ROOT, environment, summary

from topicml.models.store import default_store
from topicml.review.classifier import Asked, Classifier
from topicml.review.settings import Settings
from topicml.text.document import Document

ROUNDS, REQUESTS, AT_ONCE = 5, 200, 20
TOKEN = "benchmark-token"  # noqa: S105
SIZE = 5000
ARTICLE = min(
    (ROOT / "data/raw").glob("*.txt"), key=lambda path: abs(path.stat().st_size - SIZE)
).read_text(encoding="utf-8")
TARGET_MS = 50


def request(method: str, path: str, body: bytes = b"") -> bytes:
    """Return a request as it goes over the wire."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{{port}}\r\n"
        f"Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


ASKED = {
    "classify": request("POST", "/api/classify", json.dumps({"text": ARTICLE}).encode()),
    "health": request("GET", "/api/health"),
}
LABELS = {
    "classify": "`POST /api/classify`, the article",
    "health": "`GET /api/health`: HTTP and routing alone",
    "open": "the same article, one at a time",
}


async def ask(port: int, data: bytes, count: int, taken: list[float]) -> int:
    """Ask so many times over one connection; return how often it failed."""
    data = data.replace(b"{port}", str(port).encode(), 1)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    failed = 0
    for _ in range(count):
        start = time.perf_counter()
        writer.write(data)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = next(
            int(line.partition(":")[2])
            for line in head.lower().split("\r\n")
            if line.startswith("content-length:")
        )
        body = await reader.readexactly(length)
        taken.append(1000 * (time.perf_counter() - start))
        failed += " 200 " not in head.partition("\r\n")[0] or not orjson.loads(body)
    writer.close()
    return failed


async def load(port: int, data: bytes, at_once: int, requests: int) -> tuple[list[float], int]:
    """Return what each request took in milliseconds, and how many failed."""
    taken: list[float] = []
    each = requests // at_once
    failed = await asyncio.gather(*(ask(port, data, each, taken) for _ in range(at_once)))
    return taken, sum(failed)


def used_by(process: int) -> float:
    """Return the CPU seconds of a process so far, as /proc has them."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def figures(
    server: int, port: int, data: bytes, at_once: int = AT_ONCE, requests: int = REQUESTS
) -> dict[str, Any]:
    """Measure rounds of requests."""
    medians, high, failed, asked = [], [], 0, 0
    before = used_by(server)
    for _ in range(ROUNDS):
        taken, bad = asyncio.run(load(port, data, at_once, requests))
        medians.append(statistics.median(taken))
        high.append(statistics.quantiles(taken, n=20)[-1])
        failed, asked = failed + bad, asked + len(taken)
    return {
        "median_ms": summary(medians, 2),
        "p95_ms": summary(high, 2),
        "server_cpu_ms": round(1000 * (used_by(server) - before) / asked, 2),
        "requests": asked,
        "failed": failed,
    }


def parts() -> dict[str, float]:
    """Return what the parts of an answer take, in milliseconds."""
    classifier = Classifier(Settings(default_store()))
    document = Document("0", ARTICLE)
    (article,) = classifier.tag([document], Asked())
    record = article.to_dict()
    body = orjson.dumps({"text": ARTICLE})
    return {
        "read the request's JSON": _median(lambda: orjson.loads(body)),
        "find the model in use": _median(lambda: classifier.model()),
        "find the sentences and score them": _median(lambda: classifier.tag([document], Asked())),
        "make the record": _median(article.to_dict),
        "write it as JSON": _median(lambda: orjson.dumps(record)),
    }


def _median(function: Callable[[], object]) -> float:
    samples = []
    for _ in range(200):
        start = time.perf_counter()
        function()
        samples.append(1000 * (time.perf_counter() - start))
    return round(statistics.median(samples), 3)


def run() -> dict[str, Any]:
    """Start a server, measure, and end it."""
    command = [sys.executable, "-m", "topicml", "serve", "--port", "0", "--quiet"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "TOPICML_TOKEN": TOKEN}
    ) as server:
        try:
            address = server.stdout.readline() if server.stdout else ""
            port = int(address.rpartition(":")[2].partition("/")[0])
            before = os.getloadavg()[0]
            asyncio.run(load(port, ASKED["classify"], AT_ONCE, REQUESTS))  # warms all threads
            found = {name: figures(server.pid, port, data) for name, data in ASKED.items()}
            found["open"] = figures(server.pid, port, ASKED["classify"], at_once=1)
        finally:
            server.terminate()
    return {
        "rounds": ROUNDS,
        "requests": REQUESTS,
        "at_once": AT_ONCE,
        "article_bytes": len(ARTICLE.encode()),
        "load_average_before": round(before, 2),
        **environment(("topicml", "numpy", "fastapi", "starlette", "uvicorn", "orjson")),
        "figures": found,
        "parts_ms": parts(),
    }


def table(result: dict[str, Any]) -> str:
    """Render the figures as Markdown."""
    lines = [
        f"| {AT_ONCE} at once | ms, median | of the rounds | ms, 95% under | ms of CPU, server "
        "| failed |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in result["figures"].items():
        low, high = row["median_ms"]["spread"]
        lines.append(
            f"| {LABELS[name]} | {row['median_ms']['median']:.1f} | {low:.1f} to {high:.1f} "
            f"| {row['p95_ms']['median']:.1f} | {row['server_cpu_ms']:.1f} "
            f"| {row['failed']} of {row['requests']:,} |"
        )
    load = result["load_average_before"]
    return "\n".join([*lines, "", f"Load average of the machine beforehand: {load:.1f}."])


def parts_table(result: dict[str, Any]) -> str:
    """Render what the parts take as Markdown."""
    lines = ["| one answer, in one thread | ms |", "|---|---|"]
    return "\n".join([*lines, *(f"| {k} | {v:.3f} |" for k, v in result["parts_ms"].items())])


if __name__ == "__main__":
    os.chdir(Path(ROOT))
    result = run()
    publish("serve", result, {"serve": table(result), "serve-parts": parts_table(result)})
    median = result["figures"]["classify"]["median_ms"]["median"]
    if median >= TARGET_MS or result["figures"]["classify"]["failed"]:
        sys.exit(f"over the target: {median} ms, {TARGET_MS} allowed, and none may fail")
