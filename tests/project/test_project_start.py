"""What is written of a new project: valid files, and never in place of another."""

from pathlib import Path

import pytest

from topicml.errors import OutputError, TaxonomyError
from topicml.labels.checks import check_labels
from topicml.labels.records import read_labels
from topicml.project.folder import TAXONOMY
from topicml.project.start import EXAMPLE, start_project
from topicml.scheme import KINDS, Kind, Scheme
from topicml.taxonomy import load_taxonomy


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_valid(tmp_path: Path, kind: Kind) -> None:
    files = start_project(tmp_path / "My Letters!", None, Scheme(kind, "pt-BR"))
    assert all(file.is_file() for file in files)
    taxonomy = load_taxonomy(tmp_path / "My Letters!" / TAXONOMY)
    assert taxonomy.scheme == Scheme(kind, "pt-BR")
    assert (taxonomy.name, taxonomy.version) == ("my-letters", "1.0")
    example = tmp_path / "My Letters!" / EXAMPLE
    assert check_labels({example: read_labels(example)}, taxonomy) == []
    assert not list(example.parent.glob("*.jsonl"))  # it is to look at


def test_nothing_that_is_there_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        start_project(tmp_path, "mine", Scheme())
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "mine"


def test_link_to_nowhere_is_there_too(tmp_path: Path) -> None:
    (tmp_path / "README.md").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="exists already"):
        start_project(tmp_path, "mine", Scheme())
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_file_in_the_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match="is no folder"):
        start_project(tmp_path / "taken", "mine", Scheme())


def test_name_that_no_model_can_have_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TaxonomyError, match="'My Letters'"):
        start_project(tmp_path, "My Letters", Scheme())
    assert not list(tmp_path.iterdir())
