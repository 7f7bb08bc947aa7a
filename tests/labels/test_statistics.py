from __future__ import annotations

from collections import Counter

from samples import TAXONOMY, home_records, record

from topicml.labels.store import group_sizes, label_stats


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


def test_group_sizes_count_sentences_in_order_of_appearance():
    records = [record(str(i), "t", article=group) for i, group in enumerate("babcb")]
    assert list(group_sizes(records).items()) == [("b", 3), ("a", 1), ("c", 1)]
    assert group_sizes(home_records()) == Counter(r.article for r in home_records())
