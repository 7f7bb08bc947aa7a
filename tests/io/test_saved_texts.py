from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topicml.errors import OutputError
from topicml.io.writers.texts import TextFolder, safe_stem
from topicml.text.document import Document

IDS = [
    "a1",
    "a1",
    "A1",
    "a1.txt",
    "../../x",
    "/etc/passwd",
    "",
    ".",
    "..",
    "con",
    "a\0b\n",
    "é" * 300,
]
TEXT = "One.\r\nTwo.\n\n“Three” \ufeff\u2028 four.\r"


def test_each_text_has_a_file_of_its_own_and_is_not_changed(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "texts"
    texts = TextFolder(folder, [], force=False)
    paths = [texts.save(Document(identifier, f"{TEXT}{n}")) for n, identifier in enumerate(IDS)]
    assert {path.parent for path in paths} == {folder}
    assert len({path.name.lower() for path in paths}) == len(IDS) == len(list(folder.iterdir()))
    for n, path in enumerate(paths):
        with path.open(encoding="utf-8", newline="") as file:
            assert file.read() == f"{TEXT}{n}"
    assert [path.name for path in paths[:2]] == ["a1.txt", "a1-f55ff16f66.txt"]


@given(st.text(max_size=400))
def test_every_id_gives_a_safe_name(identifier: str) -> None:
    stem = safe_stem(identifier)
    assert stem.isascii()
    assert 0 < len(stem) <= 120
    assert not set(stem) & set('/\\:*?"<>|\0 ')
    assert stem[0] not in ".-"
    assert stem == safe_stem(identifier)


def test_a_file_that_is_there_is_kept_without_force(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("own")
    with pytest.raises(OutputError, match="exists already"):
        TextFolder(tmp_path, [], force=False).save(Document("a", "new"))
    assert (tmp_path / "a.txt").read_text() == "own"
    TextFolder(tmp_path, [], force=True).save(Document("a", "new"))
    assert (tmp_path / "a.txt").read_text() == "new"


def test_an_input_is_never_written_over(tmp_path: Path) -> None:
    given_file = tmp_path / "in.txt"
    given_file.write_text("own")
    (tmp_path / "a.txt").symlink_to(given_file)
    for identifier in ("a", "in"):
        with pytest.raises(OutputError, match="one of the inputs"):
            TextFolder(tmp_path, [given_file], force=True).save(Document(identifier, "new"))
    assert given_file.read_text() == "own"


def test_a_file_in_the_folders_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(OutputError, match="cannot be written"):
        TextFolder(tmp_path / "a", [], force=False).save(Document("a", "new"))
