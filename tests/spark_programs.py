"""The documented Spark program, run as a user runs it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def blocks(name: str) -> list[str]:
    """The Python programs of a page of docs."""
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


def submit(
    folder: Path, *arguments: str | Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program in two workers, on little input a task."""
    (code,) = blocks("spark.md")
    (folder / "tag.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [
            Path(sys.executable).with_name("spark-submit"),
            *("--master", "local[2]", "--conf", "spark.ui.enabled=false"),
            *("--conf", "spark.sql.files.maxPartitionBytes=200000"),
            *("--conf", "spark.sql.execution.arrow.maxRecordsPerBatch=100"),
            *(folder / "tag.py", *arguments),
        ],
        env={
            **os.environ,
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "JAVA_HOME": str(java_home()),
            **(env or {}),
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return done


def java_home() -> Path:
    """Where Java is; a failure, and no skipped test, where it is missing or too old."""
    given = os.environ.get("JAVA_HOME")
    java = Path(given) / "bin" / "java" if given else shutil.which("java")
    need = "Spark needs Java 17 or later. On Debian and Ubuntu: apt install openjdk-17-jre-headless"
    if not java or not Path(java).exists():
        pytest.fail(f"Java is missing. {need}", pytrace=False)
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if not version or int(version.group(1)) < 17:
        pytest.fail(f"{said.splitlines()[0] if said else java} is too old. {need}", pytrace=False)
    return Path(java).resolve().parents[1]
