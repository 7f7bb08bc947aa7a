"""Errors of ``topicml distill`` where its extra is installed, in a process of its own."""

import pytest
from toy import FILES


def assert_clean_failure(result, *parts):
    """Its code, nothing on stdout, each part said, no traceback."""
    assert (result.code, result.stdout) == (1, ""), result.stderr
    assert "Traceback" not in result.stderr
    assert [part for part in parts if part not in " ".join(result.stderr.split())] == []


@pytest.fixture
def arguments(tiny, tmp_path):
    pool = tmp_path / "pool.txt"
    pool.write_text("The gulls were loud in the harbour all night. Nobody had slept at all.")
    return [
        *("distill", "--pool", pool, "--labels", tiny.labels, "--taxonomy", tiny.taxonomy),
        *("--models-dir", tmp_path / "models", "--work", tmp_path / "work"),
    ]


def test_another_encoder_is_a_clean_failure(run, arguments, folder, tmp_path):
    result = run(*arguments, "--base", folder)
    assert_clean_failure(result, str(folder), "another file than the one that is known")
    assert not (tmp_path / "work").exists()
    assert not (tmp_path / "models").exists()


def test_missing_encoder_is_a_clean_failure(run, arguments, tmp_path):
    result = run(*arguments, "--base", tmp_path / "nowhere")
    assert_clean_failure(result, str(tmp_path / "nowhere"), "missing or unreadable", *FILES)


def test_base_that_is_not_on_this_machine_is_a_clean_failure(run, arguments, tmp_path):
    result = run(*arguments, env={"HF_HOME": str(tmp_path / "cache")})
    assert_clean_failure(result, "is not on this machine", "topicml models fetch-base")


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (["--labels", "/nowhere/labels.jsonl"], ["/nowhere/labels.jsonl", "No such file"]),
        (["--name", "Bad Name"], ["'Bad Name'", "lower-case words"]),
    ],
    ids=["labels", "name"],
)
def test_wrong_input_is_a_clean_failure(run, arguments, folder, change, parts):
    assert_clean_failure(run(*arguments, "--base", folder, *change), *parts)
