from __future__ import annotations

from dataclasses import replace

import pytest
from samples import TAXONOMY, TAXONOMY_TOML

from topicml.errors import LabelError, TaxonomyError, TopicmlError
from topicml.scheme import Scheme
from topicml.taxonomy import Taxonomy, Topic, load_taxonomy

DEFENSE = Taxonomy(
    "defense",
    "defense",
    "",
    (
        Topic("defense-industry", "Defense industry", "arms"),
        Topic("diplomacy", "Diplomacy", "talks"),
    ),
)


def write(tmp_path, text):
    path = tmp_path / "taxonomy.toml"
    path.write_text(text, encoding="utf-8")
    return path


def entry(identifier="a", name="A", definition="about a"):
    return f'[[topics]]\nid = "{identifier}"\nname = "{name}"\ndefinition = "{definition}"\n'


def test_file_is_read_whole(tmp_path):
    taxonomy = load_taxonomy(write(tmp_path, TAXONOMY_TOML))
    assert taxonomy.name == "home-topics"
    assert taxonomy.title == "home topics"
    assert taxonomy.introduction == "What a sentence on home life is about."
    assert taxonomy.topics == TAXONOMY.topics
    assert taxonomy.version == "1.2"
    assert taxonomy.rules == ("Label what the sentence says.", "Do not infer.")
    assert [(case.text, case.topics, case.near) for case in taxonomy.cases] == [
        ("Fry the onions.", ("cooking",), ()),
        ("The train was late.", (), ("gardening",)),
    ]


def test_version_may_be_left_out(tmp_path):
    assert load_taxonomy(write(tmp_path, entry())).version == ""
    assert "Version" not in DEFENSE.to_markdown()


def test_topic_order_is_that_of_the_file(tmp_path):
    path = write(tmp_path, entry("zebra") + entry("ant") + entry("moose"))
    assert load_taxonomy(path).topic_ids == ("zebra", "ant", "moose")


def test_unnamed_taxonomy_is_named_after_its_folder(tmp_path):
    folder = tmp_path / "birds"
    folder.mkdir()
    assert load_taxonomy(write(folder, entry())).name == "birds"


def test_missing_file_is_named(tmp_path):
    path = tmp_path / "none.toml"
    with pytest.raises(TaxonomyError) as caught:
        load_taxonomy(path)
    assert "No such file" in caught.value.what
    assert caught.value.where == str(path)
    assert caught.value.hint == "Check the path."


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("topics = [", "not valid TOML", "Correct the file"),
        ('name = "empty"', "no topics", "Add at least one [[topics]] entry"),
        ('[[topics]]\nname = "A"', "topic '?' lacks id, definition", "id, name and definition"),
        (entry(name=""), "topic 'a' lacks name", "id, name and definition"),
        (entry("Force_Posture"), "topic id 'Force_Posture' is not made of", "'force-posture'"),
        (entry("a-"), "topic id 'a-' is not made of", "'force-posture'"),
        (entry() + entry("b") + entry(), "duplicate topic id 'a'", "Remove or rename one"),
        ('knid = "multiclass"\n' + entry(), "unknown key 'knid'", "Did you mean 'kind'?"),
        (entry() + 'exclude = "b"\n', "unknown key 'exclude' in topic 'a'", "'excludes'"),
        (entry() + '[[cases]]\ntext = "A."\ntopics = []\nnaer = ["a"]', "'naer'", "'near'"),
    ],
)
def test_broken_file_is_refused(tmp_path, text, what, hint):
    path = write(tmp_path, text)
    with pytest.raises(TaxonomyError) as caught:
        load_taxonomy(path)
    assert what in caught.value.what
    assert caught.value.where == str(path)
    assert hint in caught.value.hint


def test_file_that_is_not_utf8_is_refused(tmp_path):
    path = tmp_path / "taxonomy.toml"
    path.write_bytes(b'name = "\xff"')
    with pytest.raises(TaxonomyError) as caught:
        load_taxonomy(path)
    assert "not valid TOML" in caught.value.what
    assert caught.value.where == str(path)
    assert caught.value.hint == "Correct the file."


@pytest.mark.parametrize(
    "text",
    [
        entry().replace("[[topics]]", "[topics]"),
        'topics = "cooking"',
        'topics = ["cooking", "gardening"]',
        entry() + '[[cases]]\ntext = "No topics given."\n',
        entry() + "[[cases]]\ntopics = []\n",
        entry() + '[[cases]]\ntext = "x"\ntopics = "a"\n',
        'rules = "one"\n' + entry(),
        "version = 2.0\n" + entry(),
        entry() + 'settled = "one"\n',
        entry() + '[[cases]]\ntext = "x"\ntopics = []\nnear = "a"\n',
        entry() + '[[cases]]\ntext = "x"\ntopics = ["a"]\nnear = ["a"]\n',
        entry() + 2 * '[[cases]]\ntext = "x"\ntopics = []\n',
    ],
    ids=[
        "single brackets",
        "topics a string",
        "topics strings",
        "case without topics",
        "case without text",
        "case topics a string",
        "rules a string",
        "version a number",
        "settled a string",
        "case near a string",
        "case near its own topic",
        "case twice",
    ],
)
def test_entry_of_the_wrong_shape_is_refused_cleanly(tmp_path, text):
    path = write(tmp_path, text)
    with pytest.raises(TaxonomyError) as caught:
        load_taxonomy(path)
    assert caught.value.what
    assert str(path) in caught.value.where
    assert caught.value.hint


def test_worked_case_with_an_unknown_topic_is_refused(tmp_path):
    path = write(tmp_path, TAXONOMY_TOML.replace('topics = ["cooking"]', 'topics = ["coking"]'))
    with pytest.raises(TopicmlError) as caught:
        load_taxonomy(path)
    assert caught.value.what == "unknown topic 'coking'"
    assert caught.value.where == f"{path}: worked case 'Fry the onions.'"
    assert "Did you mean 'cooking'?" in caught.value.hint


def test_worked_case_with_an_unknown_topic_is_an_error_of_the_taxonomy(tmp_path):
    path = write(tmp_path, TAXONOMY_TOML.replace('topics = ["cooking"]', 'topics = ["coking"]'))
    with pytest.raises(TaxonomyError, match="unknown topic 'coking'"):
        load_taxonomy(path)


def test_worked_case_near_an_unknown_topic_is_refused(tmp_path):
    path = write(tmp_path, TAXONOMY_TOML.replace('near = ["gardening"]', 'near = ["gardning"]'))
    with pytest.raises(TaxonomyError, match="unknown topic 'gardning'"):
        load_taxonomy(path)


def test_unknown_topic_comes_with_the_nearest_known_one():
    with pytest.raises(LabelError) as caught:
        DEFENSE.check(["diplomacy", "defence-industry"], "train.jsonl:41")
    assert caught.value.what == "unknown topic 'defence-industry'"
    assert caught.value.where == "train.jsonl:41"
    assert caught.value.hint == (
        "Did you mean 'defense-industry'? Known topics: defense-industry, diplomacy"
    )
    assert str(caught.value).startswith(
        "train.jsonl:41: unknown topic 'defence-industry'. Did you mean 'defense-industry'?"
    )


def test_unknown_topic_like_no_other_still_lists_the_known_ones():
    with pytest.raises(LabelError) as caught:
        DEFENSE.check(["zzz"], "here")
    assert caught.value.hint == "Known topics: defense-industry, diplomacy"


def test_codebook_shows_topics_rules_and_cases(tmp_path):
    lines = load_taxonomy(write(tmp_path, TAXONOMY_TOML)).to_markdown().splitlines()
    assert lines[:3] == ["# Codebook: home topics", "", "Version 1.2"]
    assert "| `cooking` | Cooking | preparing food | eating out |" in lines
    assert "| `gardening` | Gardening | growing plants | – |" in lines
    assert "1. Label what the sentence says." in lines
    assert "2. Do not infer." in lines
    settled = lines.index("## Settled cases")
    assert lines[settled + 2 : settled + 6] == ["### Cooking", "", "- Tea counts.", ""]
    assert "### Gardening" not in lines
    assert "| Fry the onions. | `cooking` | – |" in lines
    assert "| The train was late. | (none) | `gardening` |" in lines


def test_codebook_without_rules_and_cases_has_no_empty_headings():
    text = DEFENSE.to_markdown()
    assert "## " not in text
    assert text.endswith("|\n")


def test_kind_language_and_what_a_card_says_are_read(tmp_path):
    assert load_taxonomy(write(tmp_path, entry())).scheme == Scheme("multilabel", "en")
    stated = 'kind = "multiclass"\nlanguage = "pt-BR"\nlicense = "mit"\nmeant_for = "letters"\n'
    taxonomy = load_taxonomy(write(tmp_path, stated + entry("a") + entry("b")))
    assert taxonomy.scheme == Scheme("multiclass", "pt-BR")
    assert (taxonomy.license, taxonomy.meant_for) == ("mit", "letters")
    assert "Each text carries exactly one topic." in taxonomy.to_markdown()


@pytest.mark.parametrize(
    ("stated", "parts"),
    [
        ('kind = "multi-class"', ["kind 'multi-class'", "Did you mean 'multiclass'?"]),
        ("kind = 1", ["kind 1 is neither multilabel nor multiclass"]),
        ('language = "German"', ["language 'German'", 'language = "de"']),
        ("language = []", ["language []"]),
        ("license = 1", ["license 1 is not a string"]),
        ('kind = "multiclass"', ["one topic leaves a multiclass scheme nothing to choose"]),
    ],
)
def test_wrong_kind_or_language_is_refused(tmp_path, stated, parts):
    with pytest.raises(TaxonomyError) as caught:
        load_taxonomy(write(tmp_path, f"{stated}\n{entry()}"))
    assert all(part in str(caught.value) for part in parts)


@pytest.mark.parametrize("topics", ["[]", '["a", "b"]'])
def test_worked_case_of_a_multiclass_scheme_has_one_topic(tmp_path, topics):
    case = f'[[cases]]\ntext = "Well."\ntopics = {topics}\n'
    text = 'kind = "multiclass"\n' + entry("a") + entry("b") + case
    with pytest.raises(TaxonomyError, match="exactly one"):
        load_taxonomy(write(tmp_path, text))
    load_taxonomy(write(tmp_path, text.replace(topics, '["a"]')))


def test_label_of_a_multiclass_scheme_has_one_topic():
    one = replace(DEFENSE, scheme=Scheme("multiclass"))
    one.check_label(["diplomacy"], "x")
    for topics in ([], ["diplomacy", "defense-industry"]):
        DEFENSE.check_label(topics, "x")
        with pytest.raises(LabelError, match="exactly one"):
            one.check_label(topics, "x")
    with pytest.raises(LabelError, match="unknown topic"):
        DEFENSE.check_label(["sport"], "x")
