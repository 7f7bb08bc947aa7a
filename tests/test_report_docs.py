"""What `docs/report.md` shows is run, and what it names is there."""

import re
from pathlib import Path

import pytest

from topicml.report.article import FIELDS
from topicml.report.palette import LINES

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/report.md").read_text(encoding="utf-8")


def test_the_report_of_the_example_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOPICML_MODELS", str(ROOT / "models"))
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    exec(code, {})  # noqa: S102
    assert "The two ministers will meet in Manila" in Path("report.html").read_text("utf-8")


def test_pictures_fields_and_lines_are_those_there_are() -> None:
    pictures = re.findall(r"\((images/[\w-]+\.png)\)", PAGE)
    assert len(pictures) == 2
    assert all((ROOT / "docs" / picture).is_file() for picture in pictures)
    assert ", ".join(f"`{name}`" for name in FIELDS[:-1]) + f" and `{FIELDS[-1]}`" in PAGE
    styles = dict.fromkeys(line.split()[1] for line in LINES)
    assert "solid, dashed, dotted or double" in PAGE
    assert [*styles] == ["solid", "dashed", "dotted", "double"]
