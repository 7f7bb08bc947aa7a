from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import TAXONOMY, home_records, write_lines

from topicml.errors import LabelError
from topicml.labels import checks as labels
from topicml.labels.checks import (
    agreement,
    check_labels,
    differences,
    group_sizes,
    label_stats,
    near_duplicates,
)
from topicml.labels.records import Annotation, LabelRecord, read_labels

FILE = Path("home.jsonl")


def record(identifier, text, *topics, **fields):
    return LabelRecord(identifier, fields.pop("article", "g"), text, topics, **fields)


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


def test_id_that_stands_twice_is_found_across_files():
    other = Path("other.jsonl")
    files = {FILE: [record("1", "Sow seeds.")], other: [record("1", "Weed the bed.")]}
    (finding,) = check_labels(files, TAXONOMY)
    assert (finding.severity, finding.where) == ("error", f"{other}:1")
    assert finding.what == f"id '1' also stands in {FILE}:1"


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


def naive_near_duplicates(texts):
    """Compare every pair."""
    sets = [set(re.findall(r"\w+", text.lower())) for text in texts]
    found = []
    for i in range(len(sets)):
        for j in range(i + 1, len(sets)):
            union = sets[i] | sets[j]
            if union and len(sets[i] & sets[j]) / len(union) > 0.6:
                found.append((i, j, len(sets[i] & sets[j]) / len(union)))
    return found


sentences = st.lists(
    st.sampled_from(["Sow", "sow", "seeds", "soil", "2", "bed", "ö", "…", "weed,"]), max_size=6
).map(" ".join)


@settings(deadline=None)
@given(st.lists(sentences, max_size=12))
def test_near_duplicates_equal_brute_force(texts):
    assert near_duplicates(texts) == naive_near_duplicates(texts)


@settings(deadline=None)
@given(st.lists(sentences, max_size=12))
def test_near_duplicates_do_not_depend_on_the_order(texts):
    last = len(texts) - 1
    turned = {(last - j, last - i, overlap) for i, j, overlap in near_duplicates(texts[::-1])}
    assert turned == set(near_duplicates(texts))


def test_near_duplicates_are_found_across_row_blocks(monkeypatch):
    texts = [record.text for record in home_records()]
    texts += [text.upper() for text in reversed(texts)]
    monkeypatch.setattr(labels, "_ROWS_AT_ONCE", 7)
    found = near_duplicates(texts)
    assert found == naive_near_duplicates(texts)
    assert len(found) >= 32


@pytest.mark.parametrize("texts", [[], [""], ["…", "–"]])
def test_texts_without_words_have_no_near_duplicates(texts):
    assert near_duplicates(texts) == []


def test_stats_count_topics_and_those_that_stand_alone():
    rows = label_stats(home_records(), TAXONOMY)
    topics = [record.topics for record in home_records()]
    for row in rows:
        assert row.sentences == sum(row.topic in given_topics for given_topics in topics) == 16
        assert row.alone == topics.count((row.topic,)) == 12
    assert [row.topic for row in rows] == ["cooking", "gardening"]


def test_stats_show_a_topic_that_no_sentence_has():
    rows = label_stats([record("1", "Sow seeds.", "gardening")], TAXONOMY)
    assert [(row.sentences, row.alone) for row in rows] == [(0, 0), (1, 1)]


passes = st.lists(
    st.tuples(*[st.sets(st.sampled_from(["cooking", "gardening"]))] * 2), min_size=1, max_size=15
)


def two_passes(pairs):
    return (
        [Annotation(str(i), tuple(sorted(a))) for i, (a, _) in enumerate(pairs)],
        [Annotation(str(i), tuple(sorted(b))) for i, (_, b) in enumerate(pairs)],
    )


@pytest.mark.filterwarnings("ignore:.*only one label in common")
@settings(deadline=None)
@given(passes)
def test_kappa_equals_the_textbook_formula(pairs):
    for row in agreement(*two_passes(pairs), TAXONOMY):
        a = [row.topic in one for one, _ in pairs]
        b = [row.topic in other for _, other in pairs]
        assert (row.first, row.second) == (sum(a), sum(b))
        observed = sum(x == y for x, y in zip(a, b, strict=True)) / len(pairs)
        p, q = sum(a) / len(pairs), sum(b) / len(pairs)
        by_chance = p * q + (1 - p) * (1 - q)
        if by_chance < 1:
            assert row.kappa == pytest.approx((observed - by_chance) / (1 - by_chance), abs=1e-9)


def test_kappa_is_undefined_where_neither_gave_the_topic():
    cooking, gardening = agreement(
        [Annotation("1", ("cooking",)), Annotation("2", ())],
        [Annotation("1", ("cooking",)), Annotation("2", ())],
        TAXONOMY,
    )
    assert cooking.kappa == 1.0
    assert gardening.kappa is None


@pytest.mark.filterwarnings("error")
def test_kappa_is_undefined_where_both_gave_the_topic_to_every_sentence():
    both = [Annotation("1", ("cooking",)), Annotation("2", ("cooking",))]
    cooking, _ = agreement(both, both, TAXONOMY)
    assert (cooking.first, cooking.second) == (2, 2)
    assert cooking.kappa is None


def test_agreement_is_over_shared_sentences_in_any_order():
    first = [Annotation("1", ("cooking",)), Annotation("2", ()), Annotation("3", ("cooking",))]
    second = [Annotation("2", ()), Annotation("1", ("cooking",)), Annotation("9", ("cooking",))]
    cooking, _ = agreement(first, second, TAXONOMY)
    assert (cooking.first, cooking.second, cooking.kappa) == (1, 1, 1.0)


def test_passes_that_share_no_sentence_are_refused():
    with pytest.raises(LabelError) as caught:
        agreement([Annotation("1", ())], [Annotation("2", ())], TAXONOMY)
    assert caught.value.what == "the two passes share no sentence"
    assert caught.value.where is None
    assert "same ids" in caught.value.hint


@settings(deadline=None)
@given(passes)
def test_differences_are_the_sentences_with_other_topics(pairs):
    first, second = two_passes(pairs)
    found = differences(first, second)
    assert [int(a.id) for a, _ in found] == [i for i, (a, b) in enumerate(pairs) if a != b]
    assert all(a.id == b.id for a, b in found)
    assert [b.id for b, _ in differences(second, first)] == [a.id for a, _ in found]


def test_differences_leave_out_sentences_of_one_pass_only():
    assert differences([Annotation("1", ("cooking",))], [Annotation("2", ())]) == []


def test_group_sizes_count_sentences_in_order_of_appearance():
    records = [record(str(i), "t", article=group) for i, group in enumerate("babcb")]
    assert list(group_sizes(records).items()) == [("b", 3), ("a", 1), ("c", 1)]
    assert group_sizes(home_records()) == Counter(r.article for r in home_records())


def test_article_sentence_without_offsets_is_a_gap():
    findings = check(record("1", "Sow seeds."), raw={"g": "Sow seeds."})
    assert [finding.severity for finding in findings] == ["error"]


def test_agreement_refuses_a_topic_that_the_taxonomy_does_not_have():
    passes_with_typo = [Annotation("1", ("coking",))], [Annotation("1", ())]
    with pytest.raises(LabelError, match="Did you mean 'cooking'"):
        agreement(*passes_with_typo, TAXONOMY)
