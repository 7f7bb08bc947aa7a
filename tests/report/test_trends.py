from __future__ import annotations

import csv
import datetime
import io
import json
from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topicml.errors import InputError
from topicml.report.trends import make_trends
from topicml.report.trends_counts import Choice, count_stories
from topicml.report.trends_dates import Day
from topicml.report.trends_errors import ModelErrors, errors_of_file
from topicml.report.trends_page import render_trends
from topicml.report.trends_records import Story
from topicml.report.trends_tables import as_csv, as_json, table_rows
from topicml.training.error_rates import ErrorRates

UNKNOWN = ModelErrors(("baking", "sailing"), {}, missing="nothing is known")
KNOWN = replace(
    UNKNOWN,
    rates={
        topic: ErrorRates(topic, "natural", 0.8, 300.0, 0.98, 3000.0, 90, 300, 3000)
        for topic in UNKNOWN.topics
    },
    missing="",
    source="a test",
)


def story(number, date="2024-05-03", tagged=(), sentences=10, **fields):
    given = dict.fromkeys(tagged, 1) if not isinstance(tagged, dict) else tagged
    fields = {"date": date, **fields}
    return Story(f"r:{number}", "r.jsonl", str(number), "m@1.0.0", given, sentences, fields)


def trends(stories, choice=Choice(), errors=UNKNOWN, **options):  # noqa: B008 - it is frozen
    return make_trends(count_stories(stories, choice), choice, errors, **options)


def cells(made, axis, topic="baking"):
    return {row.label: (row.count, row.n) for row in made.of(axis, topic)}


def test_stories_are_counted_by_period_and_empty_ones_are_there():
    made = trends(
        [
            story(1, "2024-01-03", ["baking"]),
            story(2, "2024-01-30"),
            story(3, "2024-04-01", ["baking", "sailing"]),
        ],
        by="month",
    )
    assert cells(made, "time") == {
        "2024-01": (1, 2),
        "2024-02": (0, 0),
        "2024-03": (0, 0),
        "2024-04": (1, 1),
    }
    empty = made.of("time", "baking")[1]
    assert (empty.share.value, empty.share.low, empty.stories) == (None, None, 0)
    assert cells(made, "all") == {"all": (2, 3)}


def test_near_copies_are_counted_once_and_it_is_said():
    first = story(1, tagged=["baking"], duplicate_of=None)
    made = trends([first, story(2, tagged=["baking"], duplicate_of="1")])
    assert cells(made, "all") == {"all": (1, 1)}
    assert "1 near copy of other stories." in made.notes[0]
    assert "do not say which are" in trends([story(1)]).notes[0]


def test_sources_are_fields_hosts_or_files_and_the_small_ones_are_others():
    stories = [
        story(1, url="https://www.a.org/1"),
        story(2, url="https://a.org/2"),
        story("http://b.org/x"),
        story(4, url="no address"),
        story(5, url="https://[broken"),
    ]
    made = trends(stories)
    assert cells(made, "source") == {"a.org": (0, 2), "r.jsonl": (0, 2), "b.org": (0, 1)}
    made = trends(stories, most_sources=1)
    assert cells(made, "source") == {"a.org": (0, 2), "other (2)": (0, 3)}
    assert len(trends(stories, most_sources=2).sources) == 3  # one alone is no group
    made = trends([story(1, paper="A"), story(2, paper=""), story(3)], Choice(source_field="paper"))
    assert cells(made, "source") == {"(none)": (0, 2), "A": (0, 1)}


def test_stories_without_a_date_are_counted_and_said():
    made = trends([story(1), story(2, "05/06/2024"), story(3, None), story(4, "2024")], by="month")
    assert cells(made, "time") == {"2024-05": (0, 1)}
    assert cells(made, "all") == {"all": (0, 4)}
    said = " ".join(made.notes)
    assert "2 stories without a date that can be told, such as '05/06/2024'" in said
    assert "1 story with a date that does not say the month" in said
    made = trends([story(1, None)])
    assert (made.by, made.periods) == (None, ())
    assert "no record has the field 'date'" in " ".join(made.notes)


def test_days_asked_for_are_those_counted():
    dates = ("2023-12-31", "2024-01-01", "2024-06", "2024-12-31", "2025-01-01", "")
    stories = [story(n, date) for n, date in enumerate(dates)]
    made = trends(stories, Choice(since=Day(2024), until=Day(2024)), by="year")
    assert cells(made, "time") == {"2024": (0, 3)}
    assert "3 stories outside" in " ".join(made.notes)


def test_two_models_are_refused_unless_one_is_named():
    other = story(2)._replace(model="m@2.0.0")
    with pytest.raises(InputError, match=r"m@1\.0\.0 and m@2\.0\.0") as caught:
        trends([story(1), other])
    assert "--model m@1.0.0" in caught.value.hint
    made = trends([story(1), other], Choice(model="m@2.0.0"))
    assert made.model == "m@2.0.0"
    assert "m@1.0.0 1" in " ".join(made.notes)
    with pytest.raises(InputError, match="no story") as caught:
        trends([story(1)], Choice(model="m@3.0.0"))
    assert "m@1.0.0" in caught.value.hint


def test_an_unknown_topic_is_refused():
    with pytest.raises(InputError, match="bakin") as caught:
        trends([story(1)], topics=["bakin"])
    assert "Did you mean 'baking'?" in caught.value.hint
    assert trends([story(1)], topics=["sailing"]).topics == ("sailing",)


def test_topics_are_those_seen_where_the_model_is_not_known():
    made = trends([story(1, tagged=["z", "a"])], errors=ModelErrors((), {}, missing="gone"))
    assert made.topics == ("a", "z")


def test_too_many_periods_are_refused():
    with pytest.raises(InputError, match="2,000 periods"):
        trends([story(1, "0204-01-01"), story(2)], by="day")


def test_shares_of_stories_are_not_corrected():
    made = trends([story(n, tagged=["baking"]) for n in range(9)], errors=KNOWN)
    assert not made.is_corrected
    assert "--unit sentence" in made.notes[-1]


def test_shares_of_sentences_are():
    stories = [story(n, tagged={"baking": 1 + n % 2}, sentences=10) for n in range(400)]
    made = trends(stories, errors=KNOWN, unit="sentence")
    (row,) = made.of("all", "baking")
    assert (row.count, row.n, row.stories) == (600, 4000, 400)
    assert row.corrected.value == pytest.approx((0.15 + 0.98 - 1) / 0.78)
    assert row.corrected.low < row.corrected.value < row.corrected.high
    (other,) = made.of("all", "sailing")
    assert other.corrected.value is None  # fewer are tagged than false tags would be
    assert "errs less" in made.reasons["sailing"]


def test_records_without_their_sentences_have_no_share_of_them():
    with pytest.raises(InputError, match="how many sentences") as caught:
        trends([story(1, sentences=None)], Choice(needs_sentences=True))
    assert caught.value.where == "r:1"


def test_tags_that_a_second_model_had_a_part_in_are_not_corrected():
    stories = [story(n, tagged=["baking"], second_opinion={"model": "x"}) for n in range(9)]
    made = trends(stories, errors=KNOWN, unit="sentence")
    assert "second model" in made.reasons["baking"]


def test_what_runs_left_out_is_said():
    said = trends([story(1)], filtered=3).notes[0]
    assert said.endswith("runs have left out (--only-tagged, --topics) 3 records.")


STORIES = st.lists(
    st.tuples(
        st.dates(datetime.date(2020, 1, 1), datetime.date(2023, 1, 1)),
        st.integers(1, 30),
        st.integers(0, 30),
        st.sampled_from("abc"),
    ),
    min_size=1,
    max_size=30,
)


@given(STORIES, st.sampled_from(["day", "week", "month", "quarter", "year"]))
def test_periods_and_sources_add_up_to_all(rows, by):
    stories = [
        story(n, date.isoformat(), {"baking": min(y, m)} if y else {}, m, paper=paper)
        for n, (date, m, y, paper) in enumerate(rows)
    ]
    made = trends(stories, Choice(source_field="paper"), by=by, unit="sentence", most_sources=2)
    sums = defaultdict(lambda: [0, 0, 0])
    for row in made.rows:
        for at, number in enumerate((row.stories, row.n, row.count)):
            sums[row.axis, row.topic][at] += number
    for topic in made.topics:
        assert sums["time", topic] == sums["source", topic] == sums["all", topic]


def test_tables_say_the_same_each_time():
    stories = [story(n, tagged={"baking": 1 + n % 3}, paper="=1+1") for n in range(30)]
    choice = Choice(source_field="paper")
    made = trends(stories, choice, KNOWN, unit="sentence", by="month")
    again = trends(list(reversed(stories)), choice, KNOWN, unit="sentence", by="month")
    assert as_csv(made) == as_csv(again)
    assert as_json(made) == as_json(again)
    read = list(csv.DictReader(io.StringIO(as_csv(made))))
    assert [row["label"] for row in read if row["axis"] == "source"] == ["'=1+1"] * 2
    plain = json.loads(as_json(made))
    assert plain["rows"] == table_rows(made)
    assert {float(row["share"]) for row in read} == {row["share"] for row in plain["rows"]}
    assert plain["near_copies"] is None


def test_error_rates_come_from_an_evaluation(tmp_path):
    path = tmp_path / "metrics.json"
    stated = [{name: getattr(KNOWN.rates["baking"], name) for name in ErrorRates.__slots__}]
    path.write_text(json.dumps({"error_rates": stated}))
    assert errors_of_file(path, ("baking",)).rates == {"baking": KNOWN.rates["baking"]}
    for wrong in ("{}", "[]", '{"error_rates": [{"topic": "a"}]}', '{"error_rates": [1]}', "\xff"):
        path.write_text(wrong, encoding="latin-1")
        with pytest.raises(InputError, match="no error rates"):
            errors_of_file(path, ())


def test_the_page_says_what_the_table_says_and_nothing_is_markup():
    name = "<script>alert(1)</script>"
    stories = [story(n, f"2024-0{1 + n % 3}-01", {"baking": 2}, paper=name) for n in range(30)]
    stories.append(story(31, "2024-06-01", {}, paper="other paper"))
    made = trends(stories, Choice(source_field="paper"), KNOWN, unit="sentence", by="month")
    page = render_trends(made, f"Trends {name}")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    for row in made.of("time", "baking"):
        assert f'<th scope="row">{row.label}</th>' in page
    assert page == render_trends(made, f"Trends {name}")
    assert "://" not in page


@pytest.mark.parametrize("count", [1, 2, 3, 200])
def test_a_page_is_made_of_few_and_of_many(count):
    stories = [story(n, f"{1800 + n}") for n in range(count)]
    page = render_trends(trends(stories, by="year"), "Few")
    assert page.count("<h3>") == 3
    assert "nan" not in page
    assert render_trends(trends([story(1, None)]), "None").count("<h3>") == 0
