from dataclasses import dataclass

from topicml.training.metrics import Evaluation, Interval, TopicScores
from topicml.training.shown import Rows, Shown, evaluation_tables


@dataclass(frozen=True, slots=True, repr=False)
class Result(Shown):
    rows: Rows

    @property
    def headline(self) -> str:
        return "bread & butter\x1b[2J"

    def tables(self) -> dict[str, Rows]:
        return {"loaves": self.rows, "nothing": []}


RESULT = Result(
    [
        {"name": "<rye>", "weight": 0.12345, "of": ("a", "b"), "note": None},
        {"name": "white", "weight": 2, "of": (), "note": "line\nbreak"},
    ]
)


def test_text_has_a_line_and_a_table_with_columns_under_each_other() -> None:
    assert repr(RESULT).splitlines() == [
        "bread & butter�[2J",
        "",
        "loaves",
        "name   weight  of    note",
        "<rye>  0.123   a, b  –",
        "white  2             line break",
    ]
    assert str(RESULT) == repr(RESULT)


def test_html_is_escaped_and_leaves_empty_tables_out() -> None:
    page = RESULT._repr_html_()
    assert page.startswith("<p>bread &amp; butter")
    assert "<h4>loaves</h4>" in page
    assert "<td>&lt;rye&gt;</td><td>0.123</td><td>a, b</td><td>–</td>" in page
    assert "nothing" not in page


def test_long_table_is_shown_in_part_and_given_whole() -> None:
    many = Result([{"n": n} for n in range(1000)])
    assert len(many.tables()["loaves"]) == 1000
    assert "\n19\n(980 more)" in repr(many)
    assert "<p>(980 more)</p>" in many._repr_html_()


def test_evaluation_has_a_row_for_each_figure_and_topic() -> None:
    scores = TopicScores(
        *("baking", 3, 1.0, 0.5, 2 / 3, None, 0.1, 0.2),
        documents=2,
        intervals={"f1": Interval(2 / 3, 0.4, 0.8)},
    )
    figures = {"micro_f1": Interval(0.8, 0.7, 0.9)}
    evaluation = Evaluation(9, 2, figures, 1.0, 0.5, (scores,), (), 0.1, 1.0, 1.0)
    tables = evaluation_tables(evaluation)
    assert tables["figures"] == [
        {"figure": "micro_f1", "value": 0.8, "low": 0.7, "high": 0.9, "note": None}
    ]
    (topic,) = tables["topics"]
    assert (topic["topic"], topic["support"], topic["average_precision"]) == ("baking", 3, None)
    assert (topic["f1_low"], topic["f1_high"]) == (0.4, 0.8)
