from pathlib import Path

from topicml.models.parameters import Start
from topicml.training.features import Parameters


def test_names_of_label_files_give_a_terminal_nothing_to_obey() -> None:
    start = Start(Parameters(), "tuned", tuned_on={"a\x1b]0;b\x07\n.jsonl": "0" * 64})
    assert start.said([Path(__file__)]).endswith("on other labels (a\ufffd]0;b\ufffd .jsonl).")
