"""Ray and Spark beside `topicml batch`: records a second with one worker and with two.

The same dump, as `batch.py` makes it, through `topicml batch --jobs N`, through a Ray of this
machine with N workers, and through the documented Spark program on `local[N]`. Seconds are those
of the whole command by the wall clock, its start included: engines take long to start, so the
rate without it is told from two sizes. Needs the extras ray and spark, and Java 17. It rewrites
`engines.json` and the table in `docs/clusters.md`.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from batch import OUTSIDE, ROOT, run, source_lines, write_dump
from markdown_tables import publish, write_between
from measuring import environment
from pyarrow import json as arrow_json
from pyarrow import parquet

SIZES = (30_000_000, 150_000_000)  # bytes
WORKERS = (1, 2)
LIBRARIES = ("topicml", "ray", "pyspark", "pyarrow", "numpy", "numba")


def batch(dump: Path, output: Path, workers: int, *more: str) -> list[str]:
    """Return the command for this machine's processes, or with more for Ray."""
    options = ["-o", str(output), "--jobs", str(workers), "--quiet", *more]
    return [sys.executable, "-m", "topicml", "batch", str(dump), *options]


def ray(dump: Path, output: Path, workers: int) -> list[str]:
    """Return the command for a Ray of so many workers."""
    return batch(dump, output, workers, "--engine", "ray")


def spark(dump: Path, output: Path, workers: int) -> list[str]:
    """Return the command for the documented Spark program on so many cores."""
    (program,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs/spark.md").read_text(encoding="utf-8"), re.DOTALL
    )
    script = output.with_suffix(".py")
    script.write_text(program.replace('"outlet"', '"title"'), encoding="utf-8")
    submit = Path(sys.executable).with_name("spark-submit")
    settings = ["--conf", "spark.ui.enabled=false"]
    settings += ["--conf", "spark.sql.files.maxPartitionBytes=4000000"]  # of compressed Parquet
    return [
        str(submit),
        "--master",
        f"local[{workers}]",
        *settings,
        str(script),
        str(dump),
        str(output),
    ]


ENGINES: dict[str, Callable[[Path, Path, int], list[str]]] = {
    "`topicml batch`": batch,
    "Ray": ray,
    "Spark": spark,
}


def measure() -> dict[str, object]:
    """Measure everything in one run."""
    origin, lines = source_lines()
    os.environ |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        dumps = []
        for size in SIZES:
            dump = folder / f"{size}.jsonl"
            written = write_dump(dump, lines, size)
            table = arrow_json.read_json(dump, arrow_json.ReadOptions(block_size=1 << 26))
            parquet.write_table(table, dump.with_suffix(".parquet"), row_group_size=1_000)
            dumps.append((dump.with_suffix(".parquet"), written, table.num_rows))
        for engine, command in ENGINES.items():
            for workers in WORKERS:
                seconds = []
                for dump, _, _ in dumps:
                    output = folder / f"{command.__name__}-{workers}-{dump.stem}.parquet"
                    seconds.append(run(command(dump, output, workers))["wall_seconds"])
                more_records = dumps[1][2] - dumps[0][2]
                rows.append(
                    {
                        "engine": engine,
                        "workers": workers,
                        "wall_seconds": [round(s, 1) for s in seconds],
                        "records_per_second": round(dumps[1][2] / seconds[1]),
                        "records_per_second_without_start": round(
                            more_records / (seconds[1] - seconds[0])
                        ),
                    }
                )
    return {
        "text": origin,
        **environment(LIBRARIES),
        "bytes": [written for _, written, _ in dumps],
        "records": [count for _, _, count in dumps],
        "rows": rows,
    }


def table(result: dict) -> str:
    """Render the figures as Markdown."""
    sizes = " and ".join(f"{size / 1e6:.0f}" for size in result["bytes"])
    lines = [
        f"| engine | workers | seconds for {sizes} MB | records/s | without the start |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['engine']} | {row['workers']} | {row['wall_seconds'][0]:.1f} and "
        f"{row['wall_seconds'][1]:.1f} | {row['records_per_second']:,} "
        f"| {row['records_per_second_without_start']:,} |"
        for row in result["rows"]
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    if not OUTSIDE.exists():
        print("The text is the repository's own, repeated.", file=sys.stderr)
    result = measure()
    publish("engines", result, {})
    write_between(ROOT / "docs/clusters.md", "engines", table(result))
