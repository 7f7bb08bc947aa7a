from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from topicml import errors
from topicml.errors import InputError, ModelError, TopicmlError, check_known, did_you_mean

KINDS = (
    errors.InputError,
    errors.TaxonomyError,
    errors.LabelError,
    errors.ModelError,
    errors.TrainingError,
    errors.WorkerError,
)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_caught_by_the_base_and_keeps_its_three_parts(kind):
    with pytest.raises(TopicmlError) as caught:
        raise kind("no topics", where=Path("a") / "b.toml", hint="Add one.")
    assert caught.value.what == "no topics"
    assert caught.value.where == str(Path("a") / "b.toml")
    assert caught.value.hint == "Add one."


def test_message_is_where_then_what_then_hint():
    assert str(TopicmlError("broken", where="x.jsonl:41", hint="Mend it.")) == (
        "x.jsonl:41: broken. Mend it."
    )


def test_message_leaves_out_parts_that_are_not_given():
    assert str(TopicmlError("broken")) == "broken"
    assert str(TopicmlError("broken", hint="Mend it.")) == "broken. Mend it."
    assert str(TopicmlError("broken", where="x")) == "x: broken"


def test_place_that_is_not_given_is_none():
    assert TopicmlError("broken").where is None


@pytest.mark.parametrize("kind", KINDS)
def test_error_crosses_process_borders_whole(kind):
    error = kind("broken", where="x.jsonl:41", hint="Mend it.")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - written one line above
    assert type(copy) is kind
    assert (copy.what, copy.where, copy.hint) == ("broken", "x.jsonl:41", "Mend it.")


def test_suggests_the_nearest_known_word():
    known = ("diplomacy", "defense-industry", "defense-policy")
    assert did_you_mean("defence-industry", known) == "Did you mean 'defense-industry'? "


def test_suggests_nothing_where_nothing_is_near():
    assert did_you_mean("zzz", ("diplomacy", "force-posture")) == ""
    assert did_you_mean("diplomacy", ()) == ""


def test_a_topic_that_is_not_known_is_named_with_the_nearest():
    known = ("baking", "sailing")
    check_known(["sailing", "baking"], known)
    with pytest.raises(InputError) as caught:
        check_known(["sailing", "bakin", "x"], known, "--only")
    assert str(caught.value) == (
        "--only: unknown topic 'bakin'. Did you mean 'baking'? Known topics: baking, sailing"
    )
    with pytest.raises(ModelError, match="unknown topic 'x'"):
        check_known(["x"], known, error=ModelError)
