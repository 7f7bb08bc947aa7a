"""Where commands write what they make."""

import io
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import Run, Tiny, assert_clean_failure

from topicml.cli.outputs import PAGES, TABLES, kind_of, open_text_output
from topicml.errors import OutputError

KINDS: dict[str, str] = {**TABLES, **PAGES, ".json": "json"}


@pytest.mark.parametrize(
    ("output", "kind"),
    [
        ("-", "table"),
        ("a.HTML", "html"),
        ("a.b/c.htm", "html"),
        ("a.json", "json"),
        ("a.text", "table"),
        ("/dev/null", "table"),
    ],
)
def test_a_name_says_what_is_written(output: str, kind: str) -> None:
    assert kind_of(output, KINDS, "table") == kind


@pytest.mark.parametrize("output", ["a", "a.csv", "a.json.gz", ".html"])
def test_a_name_that_says_nothing_is_refused(output: str) -> None:
    with pytest.raises(OutputError, match="does not say the format") as caught:
        kind_of(output, KINDS, "table")
    assert str(caught.value).startswith(f"{output}: ")
    assert "Use .txt, .text, .html, .htm or .json, or name it with --format." in str(caught.value)


def test_text_is_utf_8_at_once_and_leaves_the_stream_open(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, "ascii", newline="\r\n"))
    with open_text_output("-") as out:
        out.write("é\r\n\n")
        assert raw.getvalue() == b"\xc3\xa9\r\n\n"
        out.write("\ud800")
    with pytest.raises(RuntimeError), open_text_output("-") as out:
        raise RuntimeError
    assert raw.getvalue() == b"\xc3\xa9\r\n\n?"
    assert not raw.closed


def test_a_file_is_replaced_only_when_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("before")
    with suppress(RuntimeError), open_text_output(str(path)) as out:
        out.write("half")
        raise RuntimeError
    assert path.read_text() == "before"
    with open_text_output(str(path)) as out:
        out.write("all")
    assert path.read_text() == "all"
    assert [*tmp_path.iterdir()] == [path]


def test_one_way_to_say_standard_output_in_all_commands(run_here: Run, tiny: Tiny) -> None:
    codebook = ("labels", "codebook", "--taxonomy", tiny.taxonomy)
    written = run_here(*codebook, "-o", "-")
    assert (written.code, written.stderr) == (0, "")
    assert written.stdout == run_here(*codebook).stdout
    assert "bread, cakes, ovens and dough" in written.stdout
    refused = run_here("labels", "codebook", "-o", "s3://bucket/codebook.md")
    assert_clean_failure(refused, "s3://bucket/codebook.md: this command writes files")


def test_an_explanation_goes_into_no_file_of_another_kind(
    run_here: Run, tiny: Tiny, tmp_path: Path
) -> None:
    out = tmp_path / "why.csv"
    result = run_here("explain", "Some text", "-o", out, "--model", tiny.folder)
    assert_clean_failure(result, f"{out}: the name does not say the format. Use .txt, .text")
    assert not out.exists()
