"""What the page on annotations shows is so."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from topicml.labels.annotations import AnnotationStore
from topicml.labels.records import Annotation

PAGE = (Path(__file__).parents[1] / "docs/annotations.md").read_text(encoding="utf-8")


def test_page_has_every_field_of_an_annotation():
    listed = set(re.findall(r"^\| `(\w+)` \|", PAGE, flags=re.MULTILINE))
    assert listed == {field.name for field in dataclasses.fields(Annotation)} - {"where", "split"}


def test_python_of_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(code, {})  # noqa: S102
    (one,) = AnnotationStore(tmp_path / "annotations").gold()
    assert (one.id, one.rule, one.topics) == ("000-015", "single", ("diplomacy",))
