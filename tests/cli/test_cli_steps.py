"""What a long training tells of how far it is."""

import pytest

from topicml.cli.steps import Lines, telling_steps
from topicml.models.steps import Step, counting


def test_lines_give_an_estimate_after_the_first_fit_and_one_a_minute(
    capsys: pytest.CaptureFixture[str],
) -> None:
    times = iter([0.0, 10.0, 20.0, 30.0, 69.0, 71.0, 80.0])
    advance = counting("Training", 6, Lines(lambda: next(times)))
    for _ in range(6):
        advance()
    assert capsys.readouterr().err.splitlines() == [
        "Training: 0 of 6",
        "Training: 1 of 6, about 50 s left",
        "Training: 5 of 6, about 14 s left",
        "Training: 6 of 6",
    ]


def test_what_was_done_before_is_no_part_of_the_estimate(
    capsys: pytest.CaptureFixture[str],
) -> None:
    times = iter([0.0, 100.0])
    tell = Lines(lambda: next(times))
    tell(Step("soft labels", 500, 800))
    tell(Step("soft labels", 600, 800))
    assert capsys.readouterr().err.splitlines()[1] == "soft labels: 600 of 800, about 200 s left"


def test_quiet_tells_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with telling_steps(quiet=True) as tell:
        tell(Step("Training", 1, 1))
    assert capsys.readouterr().err == ""
