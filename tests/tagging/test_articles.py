import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Tiny
from hypothesis import given
from hypothesis import strategies as st

from topicml.errors import ModelError
from topicml.models.folder import open_model
from topicml.models.store import ModelStore
from topicml.scoring.scorer import Scorer
from topicml.tagging.abstention import REASONS as ALL_REASONS
from topicml.tagging.abstention import Reason
from topicml.tagging.articles import TaggedArticle, article_reason, article_topics
from topicml.tagging.tagger import Tagger, Unit, tag_sentences
from topicml.tagging.thresholds import Thresholds, choose_thresholds, thresholds_for_precision
from topicml.text.document import Document
from topicml.text.sentences import split_sentences

REASONS = {None, "not_english", "boilerplate", "unfamiliar", "no_topic", "below_threshold"}
MIXED = st.one_of(
    st.text(max_size=200),
    st.lists(
        st.sampled_from(
            [
                "The bread is baked.",
                "They hoisted the sails.",
                "Login",
                "Nobody answered.",
                "日本。",
            ]
        )
        | st.text(max_size=20),
        max_size=8,
    ).map("\n\n".join),
)
TEXT = "The dough is in the oven. They hoisted the sails.\n\nNobody answered. The bread is baked."


@pytest.fixture(scope="module")
def scorer(tiny: Tiny) -> Scorer:
    return open_model(tiny.folder).scorer


def own_or(scorer: Scorer, thresholds: np.ndarray | None) -> Thresholds:
    """The model's own, or others for the topics behind the model's own relevance gate."""
    own = choose_thresholds(scorer)
    return own if thresholds is None else replace(own, topics=thresholds)


def tag(
    text: str,
    scorer: Scorer,
    thresholds: np.ndarray | None = None,
    unit: Unit = "article",
    model: str = "m",
) -> TaggedArticle:
    tagger = Tagger(scorer, model, own_or(scorer, thresholds), unit)
    (article,) = tagger.tag([Document("a", text)])
    return article


def test_sentences_and_their_offsets_are_those_of_the_splitter(scorer: Scorer) -> None:
    article = tag(TEXT, scorer, model="m@1.0.0")
    assert [tagged.sentence for tagged in article.sentences] == split_sentences(TEXT)
    assert (article.id, article.model, article.topic_ids) == ("a", "m@1.0.0", scorer.topics)


def test_each_sentence_gets_the_topics_from_its_threshold_on(scorer: Scorer) -> None:
    article = tag(TEXT, scorer)
    for tagged in article.sentences:
        (expected,) = scorer.predict_proba([tagged.sentence.text])
        np.testing.assert_array_equal(tagged.probabilities, expected)
        above = zip(scorer.topics, expected, scorer.thresholds, strict=True)
        assert tagged.topics == tuple(topic for topic, p, limit in above if p >= limit)
        assert tagged.reason == (None if tagged.topics else "below_threshold")
    assert [tagged.topics for tagged in article.sentences] == [
        ("baking",),
        ("sailing",),
        (),
        ("baking",),
    ]


def test_article_has_its_sentences_topics_most_probable_first(scorer: Scorer) -> None:
    article = tag(TEXT, scorer)
    assert {topic.topic: topic.sentences for topic in article.topics} == {
        "baking": (0, 3),
        "sailing": (1,),
    }
    column = scorer.topics.index("baking")
    highest = max(tagged.probabilities[column] for tagged in article.sentences)
    assert next(t.probability for t in article.topics if t.topic == "baking") == highest
    probabilities = [topic.probability for topic in article.topics]
    assert probabilities == sorted(probabilities, reverse=True)


@pytest.mark.parametrize(("threshold", "given"), [(0.0, 3), (1.0, 0)])
def test_threshold_given_replaces_the_models_own(
    scorer: Scorer, threshold: float, given: int
) -> None:
    thresholds = np.full(3, threshold)
    article = tag(TEXT, scorer, thresholds=thresholds)
    assert [len(tagged.topics) for tagged in article.sentences] == [given] * 4
    assert len(article.topics) == given
    reason = None if given else "below_threshold"
    assert [tagged.reason for tagged in article.sentences] == [reason] * 4
    assert article.reason == reason


def test_each_topic_is_held_to_its_own_threshold(scorer: Scorer) -> None:
    only = np.where(np.array(scorer.topics) == "gardening", 0.0, np.inf)
    article = tag(TEXT, scorer, thresholds=only)
    assert [tagged.topics for tagged in article.sentences] == [("gardening",)] * 4


def test_probability_at_the_threshold_is_a_tag(scorer: Scorer) -> None:
    (probabilities,) = scorer.predict_proba([TEXT])
    _, given, reasons = tag_sentences(scorer, [TEXT], own_or(scorer, probabilities))
    assert (given.tolist(), reasons) == ([[True] * 3], [None])
    above = np.nextafter(probabilities, 1)
    _, given, reasons = tag_sentences(scorer, [TEXT], own_or(scorer, above))
    assert (given.tolist(), reasons) == ([[False] * 3], ["below_threshold"])


LINES = (
    "The dough is in the oven.",
    "They hoisted the sails.",
    "Leave a Reply",
    "Die Segel sind nicht auf dem Boot.",
    "Blorp frindle gnash wibblet snork.",
)


@pytest.mark.parametrize("thresholds", [None, np.zeros(3), np.ones(3)], ids=["own", "low", "high"])
def test_sentence_under_the_relevance_threshold_gets_no_topic(
    scorer: Scorer, thresholds: np.ndarray | None
) -> None:
    relevance = scorer.score_texts(LINES[:2]).relevance
    low, high = np.argsort(relevance)
    assert relevance[low] < relevance[high]
    strict = replace(scorer, relevance_threshold=float(relevance[high]))  # as high is enough
    probabilities, given, reasons = tag_sentences(strict, LINES[:2], own_or(strict, thresholds))
    free, given_before, reasons_before = tag_sentences(
        scorer, LINES[:2], own_or(scorer, thresholds)
    )
    assert not given[low].any()
    assert reasons[low] == "no_topic"
    np.testing.assert_array_equal(given[high], given_before[high])
    assert reasons[high] == reasons_before[high] != "no_topic"
    np.testing.assert_array_equal(probabilities, free)
    assert reasons_before[low] != "no_topic"


@pytest.mark.parametrize("threshold", [None, 0.0])
def test_screened_sentence_gets_its_reason_and_no_topic(
    scorer: Scorer, threshold: float | None
) -> None:
    thresholds = None if threshold is None else np.full(3, threshold)
    probabilities, given, reasons = tag_sentences(scorer, LINES, own_or(scorer, thresholds))
    assert reasons == [None, None, "boilerplate", "not_english", "unfamiliar"]
    assert given[:2].any(axis=1).all()
    assert not given[2:].any()
    np.testing.assert_array_equal(probabilities, scorer.predict_proba(LINES))


def test_no_sentences_are_tagged_as_none(scorer: Scorer) -> None:
    probabilities, given, reasons = tag_sentences(scorer, [])
    assert (probabilities.shape, given.shape, reasons) == ((0, 3), (0, 3), [])


def test_article_without_a_topic_has_the_commonest_reason(scorer: Scorer) -> None:
    text = "Login\n\nLeave a Reply\n\nBlorp frindle gnash wibblet snork."
    article = tag(text, scorer)
    assert [tagged.reason for tagged in article.sentences] == ["boilerplate"] * 2 + ["unfamiliar"]
    assert (article.topics, article.reason) == ((), "boilerplate")
    assert article.to_dict()["reason"] == "boilerplate"


def test_article_with_a_topic_has_no_reason_whatever_its_sentences_have(scorer: Scorer) -> None:
    article = tag("Login\n\nLogin\n\n" + LINES[0], scorer)
    assert [tagged.reason for tagged in article.sentences] == ["boilerplate", "boilerplate", None]
    assert [topic.topic for topic in article.topics] == ["baking"]
    assert article.reason is None


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ([], "unfamiliar"),
        (["no_topic"], "no_topic"),
        (["boilerplate", "no_topic", "no_topic"], "no_topic"),
        (["below_threshold", "no_topic"], "below_threshold"),  # the first of equals
        ([None, None, "not_english"], "not_english"),
    ],
)
def test_article_reason_is_the_commonest(reasons: list[Reason | None], expected: str) -> None:
    assert article_reason([ALL_REASONS.index(reason) for reason in reasons]) == expected


def with_precisions(scorer: Scorer) -> Scorer:
    return replace(
        scorer,
        thresholds=np.array([0.3, 0.4, 0.5]),
        precisions=(0.6, 0.8),
        precision_thresholds=np.array([[0.35, 0.7], [0.2, np.nan], [np.nan, np.nan]]),
    )


@pytest.mark.parametrize(
    ("precision", "expected"),
    [
        (0.0, [0.35, 0.4, np.inf]),
        (0.6, [0.35, 0.4, np.inf]),
        (0.2 * 3, [0.35, 0.4, np.inf]),  # 0.6000000000000001
        (0.61, [0.7, np.inf, np.inf]),
        (0.8, [0.7, np.inf, np.inf]),
    ],
)
def test_thresholds_are_those_of_the_next_precision_and_never_under_the_models_own(
    scorer: Scorer, precision: float, expected: list[float]
) -> None:
    assert thresholds_for_precision(with_precisions(scorer), precision).tolist() == expected


@pytest.mark.parametrize("precision", [0.81, 1.0])
def test_precision_above_all_known_is_a_model_error(scorer: Scorer, precision: float) -> None:
    with pytest.raises(ModelError) as caught:
        thresholds_for_precision(with_precisions(scorer), precision)
    assert caught.value.what == f"no thresholds for a precision of {precision:g}"
    assert caught.value.hint == "The highest this model has is 0.8; it has 0.6, 0.8."


def test_topic_that_never_reached_a_precision_is_never_given(scorer: Scorer) -> None:
    certain = replace(with_precisions(scorer), intercepts=np.full(4, 1e3))
    thresholds = thresholds_for_precision(certain, 0.8)
    _, given, reasons = tag_sentences(certain, [LINES[0]], own_or(certain, thresholds))
    assert (given.tolist(), reasons) == ([[True, False, False]], [None])


def test_higher_precision_never_gives_more_tags(root: Path) -> None:
    scorer = open_model(ModelStore(root / "models").find()).scorer
    texts = [
        sentence.text
        for path in sorted((root / "data/raw").glob("0*.txt"))
        for sentence in split_sentences(path.read_text("utf-8"))
    ]
    _, given, _ = tag_sentences(scorer, texts)
    counts = [int(given.sum())]
    for precision in scorer.precisions:
        probabilities, fewer, reasons = tag_sentences(
            scorer, texts, choose_thresholds(scorer, min_precision=precision)
        )
        assert (fewer <= given).all()
        assert [reason is None for reason in reasons] == fewer.any(axis=1).tolist()
        given = fewer
        counts.append(int(given.sum()))
    assert probabilities.shape == (116, 9)
    assert counts[0] > counts[-1]


@given(text=st.text(st.characters(exclude_categories=()), max_size=200))
def test_unit_sentence_gives_exactly_one_entry(tiny: Tiny, text: str) -> None:
    scorer = open_model(tiny.folder).scorer
    article = tag(text, scorer, unit="sentence")
    (tagged,) = article.sentences
    assert tagged.sentence == (0, len(text), text)


@pytest.mark.parametrize("text", ["", " \n", "\u200b"])
def test_text_without_sentences_has_no_topics(scorer: Scorer, text: str) -> None:
    article = tag(text, scorer, thresholds=np.zeros(3))
    assert (article.topics, article.sentences) == ((), ())
    assert article.reason == "unfamiliar"


@given(text=MIXED)
def test_record_keeps_the_contract_on_any_text(tiny: Tiny, text: str) -> None:
    model = open_model(tiny.folder)
    article = tag(text, model.scorer, model=model.reference)
    record = json.loads(json.dumps(article.to_dict()))
    assert list(record) == ["id", "model", "topics", "reason", "sentences"]
    assert bool(record["topics"]) is (record["reason"] is None)
    assert record["reason"] in REASONS
    for index, sentence in enumerate(record["sentences"]):
        assert sentence["index"] == index
        assert text[sentence["start"] : sentence["end"]] == sentence["text"]
        assert list(sentence["probabilities"]) == list(model.scorer.topics)
        assert set(sentence["topics"]) <= set(model.scorer.topics)
        assert bool(sentence["topics"]) is (sentence["reason"] is None)
        assert sentence["reason"] in REASONS
    for topic in record["topics"]:
        assert set(topic) == {"topic", "probability", "sentences"}
        carriers = [s["index"] for s in record["sentences"] if topic["topic"] in s["topics"]]
        assert topic["sentences"] == carriers


def test_article_topics_follow_the_rule() -> None:
    found = article_topics(("x", "y", "z"), [[(0, 0.6), (1, 0.9)], [(0, 0.7)], []])
    assert [(t.topic, t.probability, t.sentences) for t in found] == [
        ("y", 0.9, (0,)),
        ("x", 0.7, (0, 1)),
    ]
    assert article_topics(("x",), [[], []]) == ()
