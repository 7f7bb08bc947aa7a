from __future__ import annotations

import json

from topicml.labels.migration.label_lines import move_labels
from topicml.labels.migration.steps import Migration, Step, Target

MIGRATION = Migration(
    *(None, b"", "2.0"),
    (
        Step("rename", ("a",), (Target("x"),)),
        Step("merge", ("b", "c"), (Target("c"),)),
        Step("split", ("d",), (Target("d1"), Target("d2"))),
        Step("retire", ("e",)),
    ),
)


def test_only_lines_that_change_change_and_these_keep_their_form():
    content = (
        '{"id": "1", "text": "ä", "topics": ["f"]}\r\n'
        '{"topics":["a"],"text":"\\u00e4","id":"2","more":[1,{"deep":1.50}]}\n'
        "\n"
        '  {"id": "3", "text": "ä", "topics": ["b", "c"]}  \n'
        '{"id": "4", "text": "t", "topics": ["c"]}'
    ).encode()
    moved = move_labels(content, MIGRATION)
    assert moved.content.decode() == (
        '{"id": "1", "text": "ä", "topics": ["f"]}\r\n'
        '{"topics": ["x"], "text": "ä", "id": "2", "more": [1, {"deep": 1.5}]}\n'
        "\n"
        '  {"id": "3", "text": "ä", "topics": ["c"]}  \n'
        '{"id": "4", "text": "t", "topics": ["c"]}'
    )
    compact = b'{"topics":["e"],"text":"\\u00e4","id":"2"}\r\n'
    assert move_labels(compact, MIGRATION).content == compact.replace(b'"e"', b"")
    assert [one for one, _, _ in moved.changed] == ["2", "3"]
    assert moved.by_topic == {"a": 1, "b": 1, "c": 1}


def test_a_label_with_a_split_topic_is_skipped_and_queued():
    def line(**fields: object) -> bytes:
        return json.dumps(fields, sort_keys=True).encode()

    given = [
        line(annotator="kim", id="1", status="gold", text="t", topics=["a", "d"]),
        line(id="2", text="t", topics=["d"]),
        line(id="3", status="skipped", text="t", topics=["d"]),
        line(id="4", text="t", topics=["e"]),
    ]
    moved = move_labels(b"\n".join(given), MIGRATION)
    assert moved.content.split(b"\n") == [
        line(annotator="kim", id="1", status="skipped", text="t", topics=["x"]),
        line(id="2", status="skipped", text="t", topics=[]),
        line(id="3", status="skipped", text="t", topics=[]),
        line(id="4", text="t", topics=[]),
    ]
    assert [json.loads(one) for one in moved.queue] == [
        {"annotator": "kim", "id": "1", "scheme": "2.0", "split": ["d"], "topics": ["x"]},
        {"annotator": "", "id": "2", "scheme": "2.0", "split": ["d"], "topics": []},
    ]
