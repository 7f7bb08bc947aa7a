"""`docs/serve.md` shows what works, and names every path, status and limit."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, SERVER_TOKEN
from fastapi import FastAPI

from topicml.review.schemas import Options
from topicml.review.settings import Limits

PAGE = (ROOT / "docs/serve.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def test_the_examples_work(tmp_path: Path) -> None:
    if not shutil.which("curl"):
        pytest.skip("needs curl")
    (tmp_path / "article.txt").write_text("The alliance agreed to hold an exercise.")
    shell, python = re.findall(r"```(?:sh|python)\n(.*?)```", section("Asking"), re.S)
    env = {**os.environ, "TOPICML_TOKEN": SERVER_TOKEN}
    command = [sys.executable, "-m", "topicml", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env, cwd=ROOT) as server:
        try:
            assert server.stdout
            env["ADDRESS"] = server.stdout.readline().strip()
            said = {"capture_output": True, "text": True, "check": True, "env": env}
            curl = subprocess.run(["sh", "-c", shell], cwd=tmp_path, **said)
            code = subprocess.run([sys.executable, "-c", python], cwd=tmp_path, **said)
        finally:
            server.terminate()
    assert curl.stdout.startswith('[{"id":"m1","model":"alliance-topics@')
    assert ']{"id":"article.txt",' in curl.stdout
    assert code.stdout == "0 ['diplomacy']\nb empty_text\n"


def test_every_path_and_option_is_there(app_here: FastAPI) -> None:
    named = {*re.findall(r"^\| `(\w+ /api/\w+)` \|", section("The API"), re.M)}
    paths = app_here.openapi()["paths"]
    assert named == {f"{m.upper()} {path}" for path, methods in paths.items() for m in methods}
    assert all(f"`{name}`" in section("The API") for name in Options.model_fields)


def test_every_limit_is_there() -> None:
    limits = Limits()
    said = section("The API").split("Limits: ")[1].replace("\n", " ")
    for shown in (
        f"{limits.body // 1_000_000} MB a request",
        f"{limits.unpacked // 1_000_000} MB of files",
        f"{limits.texts:,} texts",
        f"{limits.receive_seconds:g} seconds",
        f"{limits.waiting} requests that wait",
    ):
        assert shown in said


def test_every_status_is_there() -> None:
    source = "".join(p.read_text("utf-8") for p in (ROOT / "src/topicml/review").glob("*.py"))
    found = re.findall(r"Problem\(\s*(\d{3})(?: if \w+ else (\d{3}))?", source)
    given = {status for pair in found for status in pair if status} | {"404", "405"}
    shown = {*re.findall(r"\d{3}", " ".join(re.findall(r"^\| (\d.*?) \|", PAGE, re.M)))}
    assert given == shown
