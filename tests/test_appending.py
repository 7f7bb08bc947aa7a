from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topicml import appending
from topicml.appending import append_lines, locked, whole_lines
from topicml.errors import OutputError

objects = st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers(), max_size=3)


def line_of(fields):
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


@given(st.lists(objects, max_size=3), objects, st.data())
def test_a_line_counts_when_it_is_whole_whatever_it_was_cut_at(earlier, last, data):
    before = b"".join(map(line_of, earlier))
    line = line_of(last)
    cut = data.draw(st.integers(0, len(line)))
    kept = whole_lines(before + line[:cut])
    assert kept == (before + line[:cut] if cut >= len(line) - 1 else before)


def test_appended_lines_are_behind_those_before_in_folders_that_are_made(tmp_path):
    path = tmp_path / "new" / "folder" / "a.jsonl"
    append_lines(path, b"{}\n")
    append_lines(path, b'{"a": 1}\n{"b": 2}\n')
    assert path.read_bytes() == b'{}\n{"a": 1}\n{"b": 2}\n'
    assert {one.name for one in path.parent.iterdir()} <= {"a.jsonl", "a.jsonl.lock"}


def test_a_torn_line_is_kept_aside_and_cut_off(tmp_path):
    path = tmp_path / "a.jsonl"
    torn = '{"id": "ü'.encode()[:-1]  # in the middle of a character
    path.write_bytes(b'{"id": "1"}\n' + torn)
    append_lines(path, b'{"id": "2"}\n')
    assert path.read_bytes() == b'{"id": "1"}\n{"id": "2"}\n'
    assert (tmp_path / "a.jsonl.torn").read_bytes() == torn + b"\n"


def test_a_last_line_that_lacks_its_end_alone_is_no_torn_one(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"id": "1"}')
    append_lines(path, b'{"id": "2"}\n')
    assert path.read_bytes() == b'{"id": "1"}\n{"id": "2"}\n'
    assert not (tmp_path / "a.jsonl.torn").exists()


@pytest.mark.parametrize("limit", [3, 20])
def test_what_cannot_be_written_whole_leaves_nothing(tmp_path, limit):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"{}\n")
    script = (
        "from pathlib import Path; from topicml.appending import append_lines; "
        f'append_lines(Path({str(path)!r}), b\'{{"id": "1"}}\\n{{"id": "2"}}\\n\')'
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "OutputError" in done.stderr
    assert "cannot be written" in done.stderr
    assert path.read_bytes() == b"{}\n"


def test_what_is_stopped_while_it_writes_leaves_nothing(tmp_path, monkeypatch):
    path = tmp_path / "a.jsonl"
    append_lines(path, b"{}\n")

    def stopped(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stopped)
    with pytest.raises(KeyboardInterrupt):
        append_lines(path, b'{"id": "1"}\n')
    assert path.read_bytes() == b"{}\n"


def test_a_writer_waits_only_so_long_and_says_so(tmp_path, monkeypatch):
    path = tmp_path / "a.jsonl"
    monkeypatch.setattr(appending, "_PATIENCE", 0.05)
    script = (
        "import sys; from pathlib import Path; from topicml.appending import locked\n"
        f"with locked(Path({str(path)!r})): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(OutputError) as caught:
            append_lines(path, b"{}\n")
        assert "another process has been writing" in caught.value.what
        assert caught.value.where == str(path)
        assert caught.value.hint == "Wait for it, or end it."
        (tmp_path / "link.jsonl").symlink_to(path)
        with pytest.raises(OutputError):
            append_lines(tmp_path / "link.jsonl", b"{}\n")
        holder.send_signal(signal.SIGKILL)
    append_lines(path, b"{}\n")  # nobody holds it now
    assert path.read_bytes() == b"{}\n"


def test_a_folder_that_cannot_be_made_is_a_clean_failure(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        append_lines(tmp_path / "file" / "a.jsonl", b"{}\n")


def test_the_lock_is_let_go_of_after_a_failure(tmp_path):
    path = tmp_path / "a.jsonl"
    with pytest.raises(ZeroDivisionError), locked(path):
        _ = 1 / 0
    append_lines(path, b"{}\n")
