from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from archive_samples import reference_fields
from samples import TAXONOMY, home_records, record, write_lines

from topicml.labels.checks import check_labels
from topicml.labels.records import read_labels
from topicml.labels.references import read_references
from topicml.scheme import Scheme

FILE = Path("home.jsonl")


def check(*records, raw=None):
    return check_labels({FILE: records}, TAXONOMY, raw)


def test_sound_labels_give_no_finding():
    assert check(*home_records()) == []


def test_unknown_topic_is_found_with_place_and_suggestion():
    (finding,) = check(
        record("1", "Sow seeds.", "gardening"), record("2", "Weed the bed.", "gardning")
    )
    assert finding.severity == "error"
    assert finding.where == f"{FILE}:2"
    assert finding.what == (
        "unknown topic 'gardning'. Did you mean 'gardening'? Known topics: cooking, gardening"
    )
    assert str(finding) == f"error: {FILE}:2: {finding.what}"


def test_duplicate_id_is_found_across_files():
    other = Path("other.jsonl")
    files = {FILE: [record("1", "Sow seeds.")], other: [record("1", "Weed the bed.")]}
    (finding,) = check_labels(files, TAXONOMY)
    assert (finding.severity, finding.where) == ("error", f"{other}:1")
    assert finding.what == f"duplicate id '1', first at {FILE}:1"


def test_one_text_with_two_label_sets_is_a_contradiction():
    (finding,) = check(record("1", "Sow  seeds.", "gardening"), record("2", "sow seeds."))
    assert (finding.severity, finding.where) == ("error", f"{FILE}:2")
    assert finding.what == f"same text as {FILE}:1, other topics"


def test_repeated_authored_text_is_an_error():
    (finding,) = check(record("1", "Sow seeds."), record("2", "Sow seeds.", source="authored"))
    assert (finding.severity, finding.where) == ("error", f"{FILE}:2")
    assert finding.what == f"same text as {FILE}:1"


def test_repeated_article_text_with_the_same_topics_is_fine():
    assert check(record("1", "Leave a reply."), record("2", "Leave a reply.")) == []


def test_near_duplicate_of_an_authored_sentence_is_an_error():
    (finding,) = check(
        record("1", "Sow the small seeds in soil."),
        record("2", "Sow the big seeds in soil.", source="authored"),
    )
    assert (finding.severity, finding.where) == ("error", f"{FILE}:2")
    assert finding.what == f"'2' shares 71% of its words with '1' ({FILE}:1)"


def test_near_duplicates_among_articles_are_as_they_are():
    assert (
        check(
            record("1", "Sow the small seeds in soil."), record("2", "Sow the big seeds in soil.")
        )
        == []
    )


def test_authored_repeat_is_reported_once():
    findings = check(
        record("1", "Sow seeds."),
        record("2", "Sow  seeds.", source="authored"),
    )
    assert len(findings) == 1


def test_offsets_must_give_the_sentence():
    raw = {"g": "Sow seeds. Weed the bed."}
    right = record("1", "Sow seeds.", start=0, end=10)
    wrong = record("2", "Weed the bed.", start=10, end=23)
    (finding,) = check(right, wrong, raw=raw)
    assert (finding.severity, finding.where) == ("error", f"{FILE}:2")
    assert finding.what == "offsets of '2' give ' Weed the bed'"


def test_offsets_into_an_article_that_is_not_at_hand_are_not_checked():
    assert check(record("1", "Sow seeds.", start=5, end=9), raw={"other": "text"}) == []


def test_more_than_three_topics_is_a_note_and_comes_after_errors():
    four = record("1", "Sow seeds.", "a", "b", "c", "d")
    findings = check(four)
    assert [finding.severity for finding in findings] == ["error"] * 4 + ["note"]
    assert "4 topics on '1'" in findings[-1].what


def test_finding_names_the_line_of_the_file(tmp_path):
    path = write_lines(
        tmp_path / "a.jsonl",
        {"id": "1", "text": "Sow seeds.", "topics": []},
        "",
        {"id": "2", "text": "Weed the bed.", "topics": ["gardning"]},
    )
    (finding,) = check_labels({path: read_labels(path)}, TAXONOMY)
    assert finding.where == f"{path}:3"


def test_article_sentence_without_offsets_is_a_gap():
    findings = check(record("1", "Sow seeds."), raw={"g": "Sow seeds."})
    assert [finding.severity for finding in findings] == ["error"]


def test_sentences_of_archives_may_repeat_themselves_but_not_contradict():
    twice = [record(i, "Sow the seeds now.", "gardening", source="archive") for i in "12"]
    near = record("3", "Sow the seeds now again.", source="archive")
    assert check(*twice, near) == []
    other = record("4", "Sow the  seeds now.", source="archive")
    assert [f.what for f in check(twice[0], other)] == [f"same text as {FILE}:1, other topics"]


def test_authored_sentence_like_one_of_an_archive_is_found():
    archive = record("1", "Sow the seeds in moist soil.", source="archive")
    authored = record("2", "Sow the seeds in the moist soil now.", source="authored")
    (finding,) = check(archive, authored)
    assert "shares" in finding.what


def test_labels_by_reference_are_checked_without_their_texts(tmp_path):
    rows = [
        reference_fields("a", "Sow it.", "gardening"),
        reference_fields("b", "Sow it."),
        reference_fields("a", "Fry it.", "cookin"),
        reference_fields("c", "Fry it.", "cookin"),
    ]
    path = write_lines(tmp_path / "real.jsonl", *rows)
    findings = check_labels({path: []}, TAXONOMY, None, {path: read_references(path)})
    assert sorted((f.where, f.what.split(".")[0]) for f in findings) == [
        (f"{path}:2", f"same text as {path}:1, other topics".split(".")[0]),
        (f"{path}:3", f"duplicate id 'a', first at {path}:1".split(".")[0]),
        (f"{path}:3", "unknown topic 'cookin'"),
        (f"{path}:4", "unknown topic 'cookin'"),
    ]


def test_multiclass_labels_have_exactly_one_topic():
    taxonomy = replace(TAXONOMY, scheme=Scheme("multiclass"))
    records = [
        record("1", "Sow seeds.", "gardening"),
        record("2", "It rains."),
        record("3", "Cook the beans from the bed.", "cooking", "gardening"),
        replace(record("4", "Well now."), status="skipped"),
    ]
    findings = check_labels({FILE: records}, taxonomy)
    assert [(f.severity, f.where, f.what) for f in findings] == [
        ("error", f"{FILE}:2", "0 topics on '2', not exactly one"),
        ("error", f"{FILE}:3", "2 topics on '3', not exactly one"),
    ]
    assert check(*records) == []


def test_labels_that_no_model_gives_are_noted():
    (finding,) = check(
        record("1", "Sow seeds.", "gardening"), record("2", "Sign up here", "cooking")
    )
    assert str(finding) == (
        f"note: {FILE}:2: 1 sentence labelled with a topic would not be tagged, being "
        "boilerplate: 2"
    )
