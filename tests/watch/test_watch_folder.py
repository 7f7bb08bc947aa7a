from __future__ import annotations

import os
import time

import topicml.watch.folder as folder
from topicml.watch.folder import Folder, look_at


def watched(tmp_path, settle=10.0):
    path = tmp_path / "a.txt"
    path.write_text("A text.")
    made = Folder(str(tmp_path), input_format=None, follow_links=False, settle=settle, apart=())
    return made, path


def test_a_file_is_whole_once_it_has_not_been_written_to_for_a_while(tmp_path):
    made, path = watched(tmp_path)
    assert not made.is_whole("a", look_at(str(path)))
    before = time.time() - 11
    os.utime(path, (before, before))  # as one that was moved here
    assert made.is_whole("a", look_at(str(path)))


def test_where_its_time_is_ahead_it_is_how_long_it_was_seen_to_stay(tmp_path, monkeypatch):
    made, path = watched(tmp_path)
    ahead = time.time() + 3600
    os.utime(path, (ahead, ahead))
    now = 100.0
    monkeypatch.setattr(folder.time, "monotonic", lambda: now)
    assert not made.is_whole("a", look_at(str(path)))
    now = 109.0
    assert not made.is_whole("a", look_at(str(path)))
    path.write_text("A longer text.")
    os.utime(path, (ahead, ahead))
    assert not made.is_whole("a", look_at(str(path)))
    now = 118.0
    assert not made.is_whole("a", look_at(str(path)))
    now = 119.5
    assert made.is_whole("a", look_at(str(path)))


def test_what_is_gone_looks_like_nothing(tmp_path):
    assert look_at(str(tmp_path / "none")) is None
