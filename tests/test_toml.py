from pathlib import Path

import pytest

from topicml.errors import LabelError
from topicml.toml import read_toml


def test_a_file_is_read_with_or_without_a_mark(tmp_path: Path) -> None:
    for mark in ("", "\ufeff"):
        (tmp_path / "a.toml").write_text(f'{mark}name = "café"', encoding="utf-8")
        assert read_toml(tmp_path / "a.toml", LabelError) == {"name": "café"}


@pytest.mark.parametrize(
    ("content", "what", "hint"),
    [
        (None, "No such file or directory", "Check the path. It lists."),
        (b"a = [", "not valid TOML (", "Correct the file. It lists."),
        (b"a = '\xff'", "not valid TOML (", "Correct the file. It lists."),
        (b"a = " + b"[" * 5000, "not valid TOML (", "Correct the file. It lists."),
    ],
)
def test_what_is_no_toml_is_an_error_with_a_hint(
    tmp_path: Path, content: bytes | None, what: str, hint: str
) -> None:
    path = tmp_path / "a.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LabelError) as caught:
        read_toml(path, LabelError, "It lists.")
    assert caught.value.what.startswith(what)
    assert (caught.value.where, caught.value.hint) == (str(path), hint)
