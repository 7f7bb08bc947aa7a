from __future__ import annotations

import pytest

from topicml.errors import LabelError
from topicml.labels.archives import Archive, read_archives

FIELDS = {
    "repository": "owner/papers",
    "url": "https://example.org/papers.git",
    "commit": "0123456789" * 4,
    "licence": "CC0-1.0",
    "attribution": "Tester",
    "text": "markdown",
}


def write(tmp_path, *entries):
    path = tmp_path / "archives.toml"
    tables = ("\n".join(f'{k} = "{v}"' for k, v in entry.items()) for entry in entries)
    path.write_text("".join(f"[[archives]]\n{table}\n" for table in tables), encoding="utf-8")
    return path


def test_archives_are_read_by_repository(tmp_path):
    other = {**FIELDS, "repository": "owner/talks", "text": "transcript-xml"}
    archives = read_archives(write(tmp_path, FIELDS, other))
    assert archives == {"owner/papers": Archive(**FIELDS), "owner/talks": Archive(**other)}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("repository", "papers"),
        ("url", "ext::sh -c evil"),
        ("url", "--upload-pack=evil"),
        ("url", "ssh://-oProxyCommand=evil/x"),
        ("commit", "0123456"),
        ("commit", "main"),
        ("text", "html"),
    ],
)
def test_value_that_is_not_right_is_named(tmp_path, key, value):
    path = write(tmp_path, {**FIELDS, key: value})
    with pytest.raises(LabelError, match=f"'{key}' is") as caught:
        read_archives(path)
    assert caught.value.where == str(path)
    assert caught.value.hint


def test_key_too_few_or_too_many_is_named(tmp_path):
    for entry in ({"repository": "owner/papers"}, {**FIELDS, "branch": "main"}):
        with pytest.raises(LabelError, match="keys are not right") as caught:
            read_archives(write(tmp_path, entry))
        assert "attribution" in caught.value.hint


@pytest.mark.parametrize("content", ["", "archives = []", "archives = 1"])
def test_file_without_archives_is_refused(tmp_path, content):
    path = tmp_path / "archives.toml"
    path.write_text(content)
    with pytest.raises(LabelError, match="no archives"):
        read_archives(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "No such file"), ("[[", "not valid TOML"), ("\udcff", "not valid TOML")],
)
def test_file_that_cannot_be_read_is_named(tmp_path, content, said):
    path = tmp_path / "archives.toml"
    if content is not None:
        path.write_text(content, errors="surrogateescape")
    with pytest.raises(LabelError, match=said) as caught:
        read_archives(path)
    assert "--archives" in caught.value.hint


def test_archive_listed_twice_or_of_no_strings_is_refused(tmp_path):
    with pytest.raises(LabelError, match="twice"):
        read_archives(write(tmp_path, FIELDS, FIELDS))
    path = write(tmp_path, FIELDS)
    path.write_text(path.read_text().replace('"CC0-1.0"', "1"))
    with pytest.raises(LabelError, match="no string"):
        read_archives(path)
