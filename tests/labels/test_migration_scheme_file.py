from __future__ import annotations

import difflib
import tomllib
from pathlib import Path

import pytest

from topicml.errors import LabelError
from topicml.labels.migration.scheme_file import move_scheme
from topicml.labels.migration.steps import read_migration
from topicml.taxonomy import parse_taxonomy

SCHEME = """# The scheme.
name = 'weekend'
version = "1.0"  # raise it
introduction = \"\"\"
Not `baking`, nor `walking`.
\"\"\"

rules = [
    "`walking` is slow.", # as "they" say
]

# food
[[topics]]
id = "baking" # bread
name = "Baking"
definition = 'dough'
settled = [
    "A recipe counts.",
]

# outdoors
[[topics]]
id = "sailing"
name = "Sailing"
definition = "boats, no `baking`"

# on foot
[[topics]]
id = "walking"
name = "Walking"
definition = "feet"
settled = ["A stroll counts."]

# what is what
[[cases]]
text = "The bread rises by `walking` speed."
topics = ["baking"]
near = [
    "sailing", # the sea
    "walking",
]

# the boat
[[cases]]
text = "The boat sails."
topics = ["sailing", "walking"]
near = ["baking"]
"""


def moved(tmp_path: Path, steps: str, scheme: str = SCHEME):
    path = tmp_path / "m.toml"
    path.write_text(f'to = "1.1"\n{steps}', encoding="utf-8")
    found = move_scheme(scheme, read_migration(path))
    parse_taxonomy(found.text.encode(), path)
    return found


def difference(new: str) -> list[str]:
    lines = difflib.unified_diff(SCHEME.splitlines(), new.splitlines(), n=0, lineterm="")
    return [line for line in [*lines][2:] if not line.startswith("@@")]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_rename_changes_its_lines_and_no_other(tmp_path, line_end):
    steps = '[[rename]]\nfrom = "walking"\nto = "hiking"\nname = "Hiking"\n'
    found = moved(tmp_path, steps, SCHEME.replace("\n", line_end))
    assert found.text.count(line_end) == SCHEME.count("\n")
    assert difference(found.text.replace(line_end, "\n")) == [
        '-version = "1.0"  # raise it',
        '+version = "1.1"  # raise it',
        "-Not `baking`, nor `walking`.",
        "+Not `baking`, nor `hiking`.",
        '-    "`walking` is slow.", # as "they" say',
        '+    "`hiking` is slow.", # as "they" say',
        '-id = "walking"',
        '-name = "Walking"',
        '+id = "hiking"',
        '+name = "Hiking"',
        '-    "walking",',
        '+    "hiking",',
        '-topics = ["sailing", "walking"]',
        '+topics = ["sailing", "hiking"]',
    ]
    assert (found.mentions, found.open_cases, found.cases) == ((), "", 2)


def test_a_merge_keeps_what_was_settled_and_no_topic_is_near_itself(tmp_path):
    steps = '[[merge]]\nfrom = ["walking", "sailing"]\nto = "sailing"\n'
    found = moved(tmp_path, steps)
    data = tomllib.loads(found.text)
    assert [topic["id"] for topic in data["topics"]] == ["baking", "sailing"]
    assert data["topics"][1]["settled"] == ["A stroll counts."]
    first, second = data["cases"]
    assert (first["topics"], first["near"]) == (["baking"], ["sailing"])
    assert (second["topics"], second["near"]) == (["sailing"], ["baking"])
    for comment in ("# food", "# outdoors", "# what is what", "# the boat", "# the sea"):
        assert comment in found.text
    assert found.mentions == ("walking",)
    steps = '[[merge]]\nfrom = ["baking", "sailing"]\nto = "sailing"\n'
    first, second = tomllib.loads(moved(tmp_path, steps).text)["cases"]
    assert (first["topics"], first["near"]) == (["sailing"], ["walking"])
    assert (second["topics"], second["near"]) == (["sailing", "walking"], [])


def test_a_merge_into_a_new_topic_takes_the_place_of_the_first(tmp_path):
    steps = '[[merge]]\nfrom = ["walking", "sailing"]\nto = "trip"\nname = "T"\ndefinition = "t"\n'
    topics = tomllib.loads(moved(tmp_path, steps + 'settled = ["S."]\n').text)["topics"]
    assert topics[1:] == [{"id": "trip", "name": "T", "definition": "t", "settled": ["S."]}]


def test_a_split_leaves_cases_to_somebody_and_makes_near_ones_near_to_each_part(tmp_path):
    steps = '[[split]]\nfrom = "sailing"\n' + "".join(
        f'[[split.to]]\nid = "{part}"\nname = "X"\ndefinition = "x"\n'
        for part in ("race", "cruise")
    )
    found = moved(tmp_path, steps)
    data = tomllib.loads(found.text)
    assert [topic["id"] for topic in data["topics"]] == ["baking", "race", "cruise", "walking"]
    (case,) = data["cases"]
    assert case["near"] == ["race", "cruise", "walking"]
    assert tomllib.loads(found.open_cases)["cases"] == [
        {"text": "The boat sails.", "topics": ["sailing", "walking"], "near": ["baking"]}
    ]
    assert "# on foot" in found.text


def test_a_retired_topic_is_gone_from_cases_and_named_where_prose_has_it(tmp_path):
    found = moved(tmp_path, '[[retire]]\nfrom = "baking"\n')
    first, second = tomllib.loads(found.text)["cases"]
    assert (first["topics"], second["near"]) == ([], [])
    assert found.mentions == ("baking",)
    assert "`baking`" in found.text


def test_a_byte_order_mark_stays(tmp_path):
    steps = '[[rename]]\nfrom = "walking"\nto = "hiking"\n'
    assert moved(tmp_path, steps, "\ufeff" + SCHEME).text == "\ufeff" + moved(tmp_path, steps).text


def test_a_version_is_added_where_there_is_none(tmp_path):
    scheme = SCHEME.replace('version = "1.0"  # raise it\n', "")
    found = moved(tmp_path, '[[rename]]\nfrom = "baking"\nto = "bread"\n', scheme)
    assert found.text.startswith('version = "1.1"\n# The scheme.\n')


def test_a_text_of_a_multiclass_scheme_is_not_left_without_a_topic(tmp_path):
    with pytest.raises(LabelError, match="each text has one topic"):
        moved(tmp_path, '[[retire]]\nfrom = "baking"\n', 'kind = "multiclass"\n' + SCHEME)


def test_topics_in_one_line_move_too(tmp_path):
    scheme = (
        'topics = [{id="a", name="A", definition="a"}, {id="b", name="B", definition="b"}]\n'
        'cases = [{text="T", topics=["a"], near=["b"]}]\n'
    )
    steps = '[[rename]]\nfrom = "a"\nto = "c"\n[[split]]\nfrom = "b"\n' + "".join(
        f'[[split.to]]\nid = "{part}"\nname = "X"\ndefinition = "x"\n' for part in ("d", "e")
    )
    data = tomllib.loads(moved(tmp_path, steps, scheme).text)
    assert data["version"] == "1.1"
    assert [topic["id"] for topic in data["topics"]] == ["c", "d", "e"]
    assert data["cases"] == [{"text": "T", "topics": ["c"], "near": ["d", "e"]}]
