"""Labels of sentences that no model tags."""

from topicml.labels.records import LabelRecord
from topicml.labels.refused import refused_labels, refused_notes
from topicml.scheme import Scheme

GERMAN = "Die Regierung hat das Gesetz am Freitag im Parlament nicht beschlossen."


def record(identifier: str, text: str, topics: tuple[str, ...] = ("a",)) -> LabelRecord:
    status = "skipped" if identifier == "skipped" else "gold"
    return LabelRecord(identifier, identifier, text, topics, status=status)  # type: ignore[arg-type]


RECORDS = [
    record("1", "The two ministers will meet in Manila on Friday."),
    record("2", GERMAN),
    record("3", "Sign up for our newsletter"),
    record("4", "日米同盟の抑止力を強化する。"),
    record("5", "2024: 50 %"),
    record("6", GERMAN, ()),
    record("skipped", GERMAN),
    record("7", f"{GERMAN} Ja."),
    record("8", f"{GERMAN} Nein."),
]


def test_sentences_are_named_by_reason() -> None:
    found = refused_labels(RECORDS, Scheme())
    assert {reason: [r.id for r in records] for reason, records in found.items()} == {
        "not_english": ["2", "4", "7", "8"],
        "boilerplate": ["3"],
        "unfamiliar": ["5"],
    }


def test_rules_for_english_are_for_english() -> None:
    found = refused_labels(RECORDS, Scheme(language="de"))
    assert {reason: [r.id for r in records] for reason, records in found.items()} == {
        "unfamiliar": ["5"]
    }


def test_notes_count_and_name_the_first_ones() -> None:
    assert refused_notes(RECORDS, Scheme())[0] == (
        "4 sentences labelled with a topic would not be tagged, being not_english: 2, 4, 7 and "
        "1 more"
    )
    assert refused_notes([], Scheme()) == []
