from __future__ import annotations

import pytest

from topicml.errors import LabelError
from topicml.labels.migration.steps import Moved, check_against, read_migration, version_key
from topicml.taxonomy import Taxonomy, Topic

SCHEME = Taxonomy(
    *("weekend", "weekend", ""),
    tuple(Topic(name, name, name) for name in ("baking", "cooking", "sailing", "walking")),
    version="1.9",
)
PARTS = """
[[split.to]]
id = "{}"
name = "A"
definition = "a"
[[split.to]]
id = "{}"
name = "B"
definition = "b"
"""


def rename(old: str, new: str) -> str:
    return f'[[rename]]\nfrom = "{old}"\nto = "{new}"\n'


def checked(tmp_path, text, version="2.0"):
    path = tmp_path / "m.toml"
    path.write_text(f'to = "{version}"\n{text}', encoding="utf-8")
    migration = read_migration(path)
    check_against(migration, SCHEME)
    return migration


def test_topics_move_as_the_file_says(tmp_path):
    text = (
        rename("walking", "hiking")
        + '[[merge]]\nfrom = ["baking", "cooking"]\nto = "cooking"\n'
        + '[[split]]\nfrom = "sailing"\n'
        + PARTS.format("racing", "cruising")
    )
    migration = checked(tmp_path, text)
    move = migration.move
    assert move(["baking", "cooking", "walking"]) == Moved(("cooking", "hiking"), ())
    assert move(["sailing", "baking"]) == Moved(("cooking",), ("sailing",))
    assert move(["other"]) == Moved(("other",), ())
    assert checked(tmp_path, '[[retire]]\nfrom = "baking"\n').move(["baking"]) == Moved((), ())


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (rename("bakng", "x"), "Did you mean 'baking'?"),
        (rename("baking", "cooking"), "there is a topic 'cooking' already"),
        (rename("baking", "baking"), "renames go in a circle: baking → baking"),
        (
            rename("baking", "cooking") + rename("cooking", "baking"),
            "renames go in a circle: baking → cooking → baking",
        ),
        (rename("baking", "cooking") + rename("cooking", "x"), "two steps are about 'cooking'"),
        (rename("baking", "x") + '[[retire]]\nfrom = "baking"\n', "two steps are about 'baking'"),
        (rename("baking", "x") + rename("cooking", "x"), "two steps are about 'x'"),
        (rename("baking", "Big Bread"), "is not made of lower-case words"),
        ('[[split]]\nfrom = "baking"\n', "a split needs two topics or more"),
        ('[[split]]\nfrom = "baking"\n' + PARTS.format("a", "a"), "a split needs two topics"),
        ('[[split]]\nfrom = "baking"\n' + PARTS.format("a", "cooking"), "'cooking' already"),
        (
            '[[split]]\nfrom = "baking"\n[[split.to]]\nid = "a"\n[[split.to]]\nid = "b"\n',
            "new topic 'a' lacks name and definition",
        ),
        ('[[merge]]\nfrom = ["baking"]\nto = "cooking"\n', "a merge needs two topics or more"),
        ('[[merge]]\nfrom = ["baking", "walking"]\nto = "cooking"\n', "'cooking' already"),
        ('[[merge]]\nfrom = ["baking", "walking"]\nto = "x"\n', "'x' lacks name and definition"),
        ('[[merge]]\nfrom = ["baking", "baking", "walking"]\nto = "baking"\n', "named twice"),
        (rename("baking", "x") + 'nme = "X"\n', "unknown key 'nme'. Did you mean 'name'?"),
        (rename("baking", "x") + "name = 3\n", "'name' must be a string"),
        (rename("baking", "x") + 'settled = "x"\n', "'settled' must be a list of strings"),
        ('[[rename]]\nfrom = ["baking"]\nto = "x"\n', "'from' must be a topic id"),
        ('[[renam]]\nfrom = "baking"\n', "unknown key 'renam'. Did you mean 'rename'?"),
        ('rename = "baking"\n', "is no list of tables"),
        ("", "no steps"),
        ("[[rename", "not valid TOML"),
        (
            "".join(f'[[retire]]\nfrom = "{topic}"\n' for topic in SCHEME.topic_ids),
            "no topic would be left",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(tmp_path, text, what):
    with pytest.raises(LabelError) as caught:
        checked(tmp_path, text)
    assert what in str(caught.value)
    assert str(caught.value.where).startswith(str(tmp_path / "m.toml"))
    assert caught.value.hint


@pytest.mark.parametrize("version", ["1.9", "1.10", "1.9.0", "2"])
def test_the_version_is_raised_by_numbers(tmp_path, version):
    later = version in ("1.10", "2")
    text = rename("baking", "bread")
    if later:
        assert checked(tmp_path, text, version).version == version
    else:
        with pytest.raises(LabelError, match="is no later version"):
            checked(tmp_path, text, version)


@pytest.mark.parametrize(
    "version", ["", "next", "1.", "v2", "2.0-rc1", "../2", "9" * 5000, "1." * 99 + "1"]
)
def test_a_version_is_numbers_with_dots(tmp_path, version):
    with pytest.raises(LabelError, match="must be the scheme's new version"):
        checked(tmp_path, rename("baking", "bread"), version)
    assert version_key(version) == ()
    assert version_key("2.10") > version_key("2.9") > version_key("2.0") == version_key("2")
