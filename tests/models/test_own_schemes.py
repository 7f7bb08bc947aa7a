"""Models of another language, and of topics that exclude each other, from labels to tags."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import joblib
import pytest
from conftest import write_jsonl
from damage import rewrite_manifest
from own_schemes import TOPICS, german_records, write_project

from topicml.api import classify_text
from topicml.errors import LabelError, ModelError, TopicmlError
from topicml.models.background import choose_background
from topicml.models.compare import compare_models
from topicml.models.evaluate import predict_labelled
from topicml.models.folder import CARD, PIPELINE, SCORER, Model, open_model, verify_model
from topicml.models.parameters import choose_start
from topicml.models.store import ModelStore
from topicml.models.tagger import make_tagger
from topicml.models.train import read_new_version, train_model
from topicml.scheme import KINDS, Kind, Scheme
from topicml.scoring.scorer_file import save_scorer
from topicml.tagging.tagger import tag_sentences
from topicml.taxonomy import load_taxonomy
from topicml.training.dataset import load_dataset
from topicml.training.features import SKLEARN_DEFAULTS, Parameters
from topicml.training.fit import check_teachable
from topicml.training.search import MULTICLASS_GRID, draw_settings, tune

QUICK = Parameters(char_ngrams=(3, 4))


@pytest.fixture(scope="session")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, Path]:
    """A German project of each kind, with a model."""
    folders: dict[Kind, Path] = {}
    for kind in KINDS:
        folders[kind] = write_project(tmp_path_factory.mktemp(kind), kind)
        train(folders[kind], QUICK)
    return folders


def train(project: Path, parameters: Parameters) -> Path:
    return train_model(
        *(ModelStore(project / "models"), "freizeit", [labels_of(project)], taxonomy_of(project)),
        parameters=parameters,
    ).path


def labels_of(project: Path) -> Path:
    return project / "data/labels/labels.jsonl"


def taxonomy_of(project: Path) -> Path:
    return project / "data/labels/taxonomy.toml"


@pytest.fixture
def multilabel(projects: dict[Kind, Path]) -> Model:
    return verify_model(ModelStore(projects["multilabel"] / "models").find())


@pytest.fixture
def multiclass(projects: dict[Kind, Path]) -> Model:
    return verify_model(ModelStore(projects["multiclass"] / "models").find())


TEXT = "Das Boot liegt seit dem Sturm im Hafen. Der Teig für das Brot kommt in den Ofen."


@pytest.mark.parametrize("kind", KINDS)
def test_german_text_is_tagged(projects: dict[Kind, Path], kind: Kind) -> None:
    model = open_model(ModelStore(projects[kind] / "models").find())
    assert model.scorer.scheme == Scheme(kind, "de")
    assert model.manifest["scheme"] == {"kind": kind, "language": "de"}
    article = classify_text(TEXT, model)
    assert [sentence.topics for sentence in article.sentences] == [("segeln",), ("backen",)]


def test_german_sentences_are_not_refused_for_their_language(multilabel: Model) -> None:
    texts = [row["text"] for row in german_records()]
    reasons = {*tag_sentences(multilabel.scorer, texts)[2]}
    assert reasons <= {None, "no_topic", "below_threshold"}
    assert (
        "not_english" not in tag_sentences(multilabel.scorer, ["Совсем другой язык и алфавит."])[2]
    )


def test_german_labels_are_judged_out_of_fold(multilabel: Model) -> None:
    evaluation = multilabel.manifest["metrics"]["evaluation"]
    assert evaluation["sentences"] == 74
    assert evaluation["headlines"]["micro_f1"]["value"] > 0.75
    assert "false_tag_rate" in evaluation["headlines"]
    assert "accuracy" not in evaluation["headlines"]


def test_multiclass_figures_are_those_of_its_kind(multiclass: Model) -> None:
    evaluation = multiclass.manifest["metrics"]["evaluation"]
    assert evaluation["headlines"].keys() == {
        *("accuracy", "macro_f1", "micro_f1", "macro_average_precision"),
        "expected_calibration_error",
    }
    assert evaluation["headlines"]["accuracy"]["value"] > 0.75
    assert ": calibration chosen inside" in multiclass.manifest["metrics"]["protocol"]
    assert "margins" not in multiclass.manifest


def test_probabilities_add_up_and_the_likeliest_topic_is_given(multiclass: Model) -> None:
    labelled = german_records(kind="multiclass")
    texts = [*(row["text"] for row in labelled), "Blorp frindle.", "Ganz unbekannte Wörter, lauter"]
    probabilities, given, reasons = tag_sentences(multiclass.scorer, texts)
    assert probabilities.sum(axis=1) == pytest.approx(1.0)
    assert reasons == [None] * (len(labelled) + 1) + ["unfamiliar"]
    assert given.sum(axis=1).tolist() == [1] * (len(labelled) + 1) + [0]
    assert (given.argmax(axis=1) == probabilities.argmax(axis=1))[:-1].all()
    assert [TOPICS[column] for column in given[:-2].argmax(axis=1)] == [
        row["topics"][0] for row in labelled
    ]
    assert (multiclass.scorer.score_texts(texts).relevance == 1).all()


def test_scorer_is_the_pipeline(multiclass: Model) -> None:
    """And that is scikit-learn's multinomial regression, its log-odds scaled."""
    texts = [row["text"] for row in german_records()]
    pipeline = joblib.load(multiclass.path / PIPELINE)
    expected = pipeline.predict_proba(texts)
    assert multiclass.scorer.predict_proba(texts) == pytest.approx(expected, abs=1e-12)


def test_threshold_and_precision_leave_texts_without_a_topic(multiclass: Model) -> None:
    text = "Gestern war es spät."
    unsure = classify_text(text, multiclass, threshold=1.0, unit="sentence")
    assert (unsure.topics, unsure.reason) == ((), "below_threshold")
    assert classify_text(text, multiclass, threshold=0.0, unit="sentence").topics
    sure = make_tagger(multiclass, min_precision=0.6).thresholds
    assert (sure.topics > 0).any()


def test_what_a_multiclass_model_has_not_is_refused(multiclass: Model, multilabel: Model) -> None:
    with pytest.raises(ModelError, match="no relevance"):
        make_tagger(multiclass, relevance=0.5)
    with pytest.raises(ModelError, match="no second opinion"):
        make_tagger(multiclass, second=multilabel, share=1.0)
    with pytest.raises(ModelError, match="no second opinion"):
        make_tagger(multilabel, second=multiclass, share=1.0)


@pytest.mark.parametrize("topics", [[], ["backen", "garten"]])
def test_labels_of_none_or_several_topics_are_refused(tmp_path: Path, topics: list[str]) -> None:
    project = write_project(tmp_path, "multiclass")
    row = {"id": "x", "text": "Und nun?", "topics": topics}
    with labels_of(project).open("a") as file:
        file.write(json.dumps({**row, "id": "y", "topics": [], "status": "skipped"}) + "\n")
        file.write(json.dumps(row) + "\n")
    with pytest.raises(LabelError, match="exactly one") as caught:
        load_dataset([labels_of(project)], load_taxonomy(taxonomy_of(project)))
    assert str(caught.value.where).endswith("labels.jsonl:56")


def test_models_are_judged_by_labels_of_their_kind_alone(
    multiclass: Model, projects: dict[Kind, Path]
) -> None:
    project = projects["multilabel"]
    with pytest.raises(TopicmlError, match=r"is multiclass \(de\), and the taxonomy multilabel"):
        predict_labelled(multiclass, labels_of(project), taxonomy_of(project))
    with pytest.raises(TopicmlError, match="another kind or language"):
        read_new_version(
            *(ModelStore(multiclass.path.parents[1]), "freizeit", [labels_of(project)]),
            *(taxonomy_of(project), None, lambda _: None),
        ).check()


def test_scorer_of_another_scheme_than_the_manifest_is_refused(
    multilabel: Model, tmp_path: Path
) -> None:
    path = Path(shutil.copytree(multilabel.path, tmp_path / "1.0.0"))
    rewrite_manifest(path, scheme={"kind": "multilabel", "language": "fr"})
    with pytest.raises(ModelError, match="different schemes"):
        open_model(path)


def test_compare_and_tune_take_multiclass_models(
    multiclass: Model, projects: dict[Kind, Path]
) -> None:
    project = projects["multiclass"]
    labels, taxonomy = labels_of(project), taxonomy_of(project)
    compared = compare_models(multiclass, multiclass, [labels], taxonomy)
    assert compared.verdict == "ok"
    metrics = compared.to_dict()["metrics"]
    assert "false_tag_rate" not in metrics
    assert metrics["accuracy"]["difference"] == 0
    data = load_dataset([labels], load_taxonomy(taxonomy))
    tuned = tune(data, [SKLEARN_DEFAULTS, Parameters(char_ngrams=None)])
    assert (tuned.evaluation.headlines["accuracy"].value or 0) > 0.6


def test_settings_of_a_multiclass_search_have_no_naive_bayes() -> None:
    drawn = draw_settings(12, 0, Scheme("multiclass"))
    assert len(drawn) == 14
    assert not any(setting.nb_mixing for setting in (*drawn, *MULTICLASS_GRID))
    assert SKLEARN_DEFAULTS in MULTICLASS_GRID


def test_multiclass_starts_from_nothing(projects: dict[Kind, Path]) -> None:
    project = projects["multiclass"]
    taxonomy, store = load_taxonomy(taxonomy_of(project)), ModelStore(project / "models")
    assert choose_background(store, "freizeit", taxonomy, "own") is None
    with pytest.raises(ModelError, match="multiclass"):
        choose_background(store, "freizeit", taxonomy, project)
    with pytest.raises(TopicmlError, match=r"nb_mixing 0\.5 is for multilabel"):
        choose_start(store, "freizeit", taxonomy, Parameters(nb_mixing=0.5), None)
    data = load_dataset([labels_of(project)], taxonomy)
    with pytest.raises(TopicmlError, match="networks learn multilabel"):
        check_teachable(data)


def test_card_says_what_is_true(multilabel: Model, multiclass: Model) -> None:
    each, one = ((model.path / CARD).read_text("utf-8") for model in (multilabel, multiclass))
    for card in (each, one):
        assert card.startswith("---\nlanguage: de\nlibrary_name:")
        said = " ".join(card.split())
        assert "license" not in card
        assert "English" not in card.replace("not English", "")
        assert "is boilerplate" not in card
        assert "news" not in card
        assert "other languages and the page around an article are not told apart" in said
    assert "Freizeit: none, one or several of 3." in each
    assert "tags: [multi-label, tf-idf" in each
    assert "relevance under" in each
    assert "Freizeit: exactly one of 3." in one
    assert "tags: [multi-class, tf-idf" in one
    assert "relevance" not in one
    assert "one threshold per topic" not in one


def test_japanese_is_tagged_by_its_characters(tmp_path: Path) -> None:
    """No word need be known: words are not told apart in writing."""
    project = write_project(tmp_path, "multiclass")
    phrases = {
        "segeln": "船が港に入ります",
        "backen": "パンを焼きます",
        "garten": "花が庭に咲きます",
    }
    rows = [
        {"id": f"{topic}-{n}", "article": f"{n % 4}", "text": f"{word}{n}。", "topics": [topic]}
        for topic, word in phrases.items()
        for n in range(8)
    ]
    write_jsonl(labels_of(project), rows)
    text = taxonomy_of(project).read_text("utf-8").replace('"de"', '"ja"')
    taxonomy_of(project).write_text(text, "utf-8")
    model = open_model(train(project, Parameters(word_ngrams=(1, 1), char_ngrams=(2, 3))))
    article = classify_text("今日、昨日、明日、毎日、船が港に入ります。庭に花が咲きます。", model)
    assert [sentence.topics for sentence in article.sentences] == [("segeln",), ("garten",)]


def test_topics_keep_their_order(multiclass: Model, tmp_path: Path) -> None:
    assert multiclass.scorer.topics == TOPICS
    save_scorer(multiclass.scorer, tmp_path / SCORER)
    assert (tmp_path / SCORER).read_bytes() == (multiclass.path / SCORER).read_bytes()


def test_training_names_labels_that_no_model_gives(tmp_path: Path) -> None:
    project = write_project(tmp_path)
    text = taxonomy_of(project).read_text("utf-8").replace('"de"', '"en"')
    taxonomy_of(project).write_text(text, "utf-8")
    told: list[str] = []
    read_new_version(
        *(ModelStore(project / "models"), "freizeit", [labels_of(project)]),
        *(taxonomy_of(project), None, told.append),
    )
    (note,) = told
    assert note.startswith("note: ")
    assert "labelled with a topic would not be tagged, being not_english: de-" in note
