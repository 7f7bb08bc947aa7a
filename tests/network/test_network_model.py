"""A version of the kind ``network``, from labels to tags, with a tiny encoder as its base."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np
import pyarrow
import pytest
import torch
import toy
from damage import flip, rewrite_file, rewrite_manifest
from pyarrow import parquet
from reporters import Recorder
from spark_programs import submit
from toy import FILES, TOPICS

from topicml.api import classify_text, classify_texts
from topicml.batch import prepare as prepare_module
from topicml.batch import tag_batch
from topicml.batch.job import Job
from topicml.batch.run import run_batch
from topicml.errors import ModelError
from topicml.models import folder as folder_module
from topicml.models.folder import ADAPTERS, check_golden, open_model, read_card, verify_model
from topicml.models.store import ModelStore
from topicml.models.train_network import NetworkSettings, train_network
from topicml.network import encoder
from topicml.network.base import Base, cached_folder
from topicml.network.encoder import TopicNetwork
from topicml.scoring.probabilities import sigmoid
from topicml.training import dataset as training_dataset
from topicml.training.export import make_scorer
from topicml.training.features import Parameters
from topicml.training.fit import fit_model

TAXONOMY = 'name = "home"\nversion = "1.0"\ntitle = "home"\nintroduction = "Home."\n' + "".join(
    f'\n[[topics]]\nid = "{topic}"\nname = "{topic}"\ndefinition = "{topic}"\n' for topic in TOPICS
)
TEXT = "Onions and butter near the oven sauce. Roses and mulch near the hedge soil."


def write_labels(path: Path) -> Path:
    data = toy.dataset(2_000)
    rows = [
        {
            "id": f"r-{n}",
            "article": group,
            "text": text,
            "topics": [topic for topic, given in zip(TOPICS, y, strict=True) if given],
            "source": "article",
            "status": "gold",
            "annotator": "tester",
        }
        for n, (text, y, group) in enumerate(zip(data.texts, data.Y, data.groups, strict=True))
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory, made: tuple[Base, Path]) -> Path:
    """Store, work folder and the hub's cache of a network that was trained."""
    root = tmp_path_factory.mktemp("home")
    (root / "taxonomy.toml").write_text(TAXONOMY, encoding="utf-8")
    write_labels(root / "labels.jsonl")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(root / "hf/hub"))
        patch.setattr(encoder, "has_fast_bfloat16", lambda: False)
        shutil.copytree(made[1], cached_folder(made[0]))
        train(root, made, root / "work", "1.0.0")
    return root


def train(root: Path, made: tuple[Base, Path], work: Path, version: str) -> Path:
    store, files = ModelStore(root / "models"), ([root / "labels.jsonl"], root / "taxonomy.toml")
    settings = NetworkSettings(folds=2, judged=2, seeds=1, epochs=12)
    with pytest.MonkeyPatch.context() as patch:
        # of so few words nearly every sentence is a near copy of another
        patch.setattr(training_dataset, "find_copies", lambda texts: np.arange(len(texts)))
        return train_network(store, "home", *files, *made, work, settings, version=version).path


@pytest.fixture(autouse=True)
def cache(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(home / "hf/hub"))
    return home / "hf/hub"


@pytest.fixture
def copy(home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(home / "models/home/1.0.0", tmp_path / "1.0.0"))


def test_network_is_a_model_like_any_other(home: Path) -> None:
    model = verify_model(home / "models/home/1.0.0")
    assert model.reference == "home@1.0.0"
    article = classify_text(TEXT, model)
    assert {topic.topic for topic in article.topics} == {*TOPICS}
    assert "tester/tiny" in read_card(model.path)
    assert "pipeline.joblib" not in read_card(model.path)
    assert {path.name for path in model.path.iterdir()} == {
        *("MODEL_CARD.md", "adapters.safetensors", "golden.jsonl", "manifest.json", "scorer.npz")
    }


def test_probabilities_are_the_calibrated_log_odds_of_the_network(home: Path, folder: Path) -> None:
    texts = toy.labelled(40, seed=9)[0]
    model = open_model(home / "models/home/1.0.0")
    network = TopicNetwork(folder, len(TOPICS) + 1)
    network.load(home / "models/home/1.0.0" / ADAPTERS)  # not merged
    expected = sigmoid(network.log_odds(texts))
    scores = model.scorer.score_texts(texts)
    np.testing.assert_allclose(scores.probabilities, expected[:, :-1], atol=1e-5)
    np.testing.assert_allclose(scores.relevance, expected[:, -1], atol=1e-5)
    raw = TopicNetwork(folder, len(TOPICS) + 1)
    raw.load(home / "work/teacher-all-0.safetensors")
    slopes = network.log_odds(texts)[:, 0], raw.log_odds(texts)[:, 0]
    np.testing.assert_allclose(np.corrcoef(*slopes)[0, 1], 1.0, atol=1e-6)  # Platt is linear


def test_it_learned_and_its_figures_say_so(home: Path) -> None:
    texts, Y = toy.labelled(80, seed=11)
    given = [
        {topic.topic for topic in article.topics}
        for article in classify_texts(
            texts, open_model(home / "models/home/1.0.0"), unit="sentence", threshold=0.5
        )
    ]
    wanted = [{t for t, y in zip(TOPICS, row, strict=True) if y} for row in Y]
    assert np.mean([g == w for g, w in zip(given, wanted, strict=True)]) > 0.9
    manifest = open_model(home / "models/home/1.0.0").manifest
    assert manifest["metrics"]["evaluation"]["headlines"]["micro_f1"]["value"] > 0.6


def test_training_again_from_the_same_work_gives_the_same_files(
    home: Path, made: tuple[Base, Path]
) -> None:
    again = train(home, made, home / "work", "1.1.0")
    first = home / "models/home/1.0.0"
    try:
        for name in (ADAPTERS, "scorer.npz", "golden.jsonl"):
            assert (again / name).read_bytes() == (first / name).read_bytes()
    finally:
        shutil.rmtree(again)


def test_training_from_nothing_gives_the_same_network_on_one_machine(
    home: Path, made: tuple[Base, Path], tmp_path: Path
) -> None:
    again = train(home, made, tmp_path / "work", "1.1.0")
    try:
        assert (again / ADAPTERS).read_bytes() == (
            home / "models/home/1.0.0" / ADAPTERS
        ).read_bytes()
    finally:
        shutil.rmtree(again)


def test_commands_read_it_and_agree(run, home: Path, tmp_path: Path) -> None:
    env = {"HF_HOME": str(home / "hf"), "OMP_NUM_THREADS": "1"}
    articles = tmp_path / "articles.jsonl"
    rows = [{"id": str(n), "text": text} for n, text in enumerate([TEXT, "The train was late."])]
    articles.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    model = ("--model", "home", "--models-dir", home / "models")
    classified = run("classify", articles, "--format", "jsonl", *model, env=env)
    assert classified.code == 0, classified.stderr
    assert "home@1.0.0 is new here: its golden sentences are recomputed once" in classified.stderr
    output = tmp_path / "out.jsonl"
    batch = run("batch", articles, "--output", output, "--detail", "probabilities", *model, env=env)
    assert batch.code == 0, batch.stderr
    found = [json.loads(line) for line in output.read_text().splitlines()]
    for mine, theirs in zip(found, classified.records(), strict=True):
        assert [t["topic"] for t in mine["topics"]] == [t["topic"] for t in theirs["topics"]]
        assert probabilities_of(mine) == pytest.approx(probabilities_of(theirs), abs=0.01)
        assert mine.keys() == theirs.keys()
    assert classified.records()[0]["model"] == "home@1.0.0"
    shown = run("models", "list", "--models-dir", home / "models")
    assert (shown.code, shown.stderr) == (0, "")
    evaluated = run(
        *("evaluate", "--data", home / "labels.jsonl", "--taxonomy", home / "taxonomy.toml"),
        *model,
        env=env,
    )
    assert evaluated.code == 0, evaluated.stderr


def probabilities_of(record: dict[str, Any]) -> list[float]:
    return [p for sentence in record["sentences"] for p in sentence["probabilities"].values()]


def test_missing_base_ends_in_the_command_that_helps(run, home: Path, tmp_path: Path) -> None:
    model = ("--model", "home", "--models-dir", home / "models")
    result = run("classify", "-", *model, stdin="x", env={"HF_HOME": str(tmp_path)})
    assert (result.code, result.stdout) == (1, "")
    assert "topicml models fetch-base" in result.stderr
    assert "Traceback" not in result.stderr
    source = cached_folder_of(home)
    fetched = run(
        *("models", "fetch-base", "home", "--from", source, "--models-dir", home / "models"),
        env={"HF_HOME": str(tmp_path)},
    )
    assert fetched.code == 0, fetched.stderr
    assert run("classify", "-", *model, stdin="x", env={"HF_HOME": str(tmp_path)}).code == 0


def test_info_says_where_the_base_is_or_how_to_get_it(run, home: Path, tmp_path: Path) -> None:
    asked = ("info", "--models-dir", home / "models", "--model", "home")
    here = run(*asked, env={"HF_HOME": str(home / "hf")})
    assert here.code == 0, here.stderr
    said = f"base of home tester/tiny ({cached_folder_of(home)})"
    assert said in " ".join(here.stdout.split())
    away = run(*asked, env={"HF_HOME": str(tmp_path)})
    assert away.code == 0, away.stderr
    assert "not fetched: topicml models fetch-base home puts it into" in away.stdout


def cached_folder_of(home: Path) -> Path:
    (found,) = (home / "hf/hub").glob("models--*/snapshots/*")
    return found


@pytest.fixture
def damaged(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the cache, whose base a test may damage."""
    shutil.copytree(home / "hf/hub", tmp_path / "hub")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    (found,) = (tmp_path / "hub").glob("models--*/snapshots/*")
    return found


@pytest.mark.parametrize("name", FILES)
def test_flipped_byte_of_the_base_is_refused_before_it_is_read(
    copy: Path, damaged: Path, name: str
) -> None:
    flip(damaged / name, (damaged / name).stat().st_size // 3)
    with pytest.raises(ModelError, match="another file than the one that is known"):
        open_model(copy)


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("config.json", b'{"model_type": "mpnet", "auto_map": {"AutoModel": "x.Y"}}', "of its own"),
        ("config.json", b'{"model_type": "bert"}', "not mpnet"),
        ("config.json", b"[]", "no encoder"),
        ("model.safetensors", pickle.dumps({"weights": 1}), "no weights"),
    ],
)
def test_base_with_hashes_of_its_own_but_wrong_files_is_refused(
    copy: Path, damaged: Path, name: str, content: bytes, what: str
) -> None:
    base = json.loads((copy / "manifest.json").read_text())["base"]
    (damaged / name).write_bytes(content)
    base["files"][name] = hashlib.sha256(content).hexdigest()
    rewrite_manifest(copy, base=base)
    with pytest.raises(ModelError, match=what):
        classify_text(TEXT, open_model(copy))


def test_adapters_of_another_base_are_refused(copy: Path, tmp_path: Path) -> None:
    toy.make_base(tmp_path / "deeper", layers=3)
    toy.make_network(tmp_path / "deeper").save(tmp_path / "other.safetensors")
    rewrite_file(copy, ADAPTERS, (tmp_path / "other.safetensors").read_bytes())
    with pytest.raises(ModelError, match="adapters"):
        classify_text(TEXT, open_model(copy))


def test_pickle_named_like_adapters_is_refused(copy: Path) -> None:
    rewrite_file(copy, ADAPTERS, pickle.dumps(os.getcwd))
    with pytest.raises(ModelError, match="adapters cannot be read"):
        classify_text(TEXT, open_model(copy))


def test_flipped_byte_of_the_adapters_is_refused(copy: Path) -> None:
    flip(copy / ADAPTERS, 2000)
    with pytest.raises(ModelError, match="damaged or was changed"):
        open_model(copy)


def test_very_long_sentence_is_read_to_its_limit(home: Path) -> None:
    model = open_model(home / "models/home/1.0.0")
    long = "butter and onions in the oven " * 20_000
    (article,) = classify_texts([long], model, unit="sentence")
    assert [topic.topic for topic in article.topics] == ["cooking"]


def test_golden_sentences_that_are_off_in_short_precision_are_computed_in_full(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "has_fast_bfloat16", lambda: True)
    model = open_model(home / "models/home/1.0.0")
    monkeypatch.setattr(folder_module, "GOLDEN_TOLERANCE", {"network": 1.0})
    check_golden(model)
    texts = toy.labelled(20)[0]
    short = model.scorer.score_texts(texts).probabilities
    monkeypatch.setattr(folder_module, "GOLDEN_TOLERANCE", {"network": 1e-6})
    check_golden(model)
    exact = model.scorer.score_texts(texts).probabilities
    assert not np.array_equal(short, exact)
    np.testing.assert_allclose(short, exact, atol=0.2)
    assert not model.scorer.use_full_precision()  # as it is already


def test_golden_sentence_that_is_off_in_full_precision_is_an_error(copy: Path) -> None:
    lines = (copy / "golden.jsonl").read_text().splitlines()
    first = json.loads(lines[0])
    first["relevance"] = abs(first["relevance"] - 0.5)
    rewrite_file(copy, "golden.jsonl", "\n".join([json.dumps(first), *lines[1:]]) + "\n")
    with pytest.raises(ModelError, match="is off by"):
        check_golden(open_model(copy))


def test_bulk_run_reads_in_one_process_and_says_how_long_it_takes(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare_module, "_LONG", 0.0)
    monkeypatch.setattr(prepare_module, "_READ_AT_ONCE", 500)
    dump = tmp_path / "dump.jsonl"
    rows = [{"id": str(n), "text": text} for n, text in enumerate(toy.labelled(60, seed=4)[0])]
    dump.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    threads = torch.get_num_threads()
    made = []
    for jobs in (None, 2):
        told, out = Recorder(), tmp_path / f"{jobs}.jsonl"
        job = Job((str(dump),), str(out), home / "models/home/1.0.0", jobs=jobs)
        run_batch(job, io.BytesIO(), io.BytesIO(), told)
        made.append([json.loads(line) for line in out.read_text("utf-8").splitlines()])
        (note,) = told.notes
        assert "home@1.0.0 reads" in note
        assert "KB of text a second here: about" in note
        assert len(told.steps) > 5  # little by little, for what a kill costs
    assert torch.get_num_threads() == 2
    torch.set_num_threads(threads)
    assert [r["id"] for r in made[0]] == [row["id"] for row in rows]
    assert [r["topics"] for r in made[0]] == [
        [{**topic, "probability": pytest.approx(topic["probability"], abs=1e-5)} for topic in own]
        for own in (r["topics"] for r in made[1])
    ]


def test_second_opinion_reads_some_and_agrees_with_the_network_alone(home: Path) -> None:
    network = open_model(home / "models/home/1.0.0")
    data = toy.dataset(400)
    fitted = fit_model(data, Parameters())
    first = replace(
        network,
        scorer=make_scorer(fitted.pipeline, data.topics, fitted.decision),
        manifest={**network.manifest, "margins": fitted.decision.margins},
    )
    texts = toy.labelled(200, seed=21)[0]
    options = {"unit": "sentence", "second_opinion": network, "second_opinion_share": 0.3}
    some = classify_texts(texts, first, **options)
    read = [bool(article.second_opinion.sentences) for article in some]
    assert 0 < sum(read) < len(texts)
    alone = classify_texts(texts, network, unit="sentence")
    for article, other, again in zip(some, alone, read, strict=True):
        if again:
            np.testing.assert_allclose(article.probabilities, other.probabilities, atol=1e-5)


def test_arrow_tables_are_read_by_a_network(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOPICML_MODELS", str(home / "models"))
    table = pyarrow.table({"id": ["a", "b"], "text": [TEXT, "The train was late."]})
    found = tag_batch(table, model="home").to_pylist()
    assert [row["model"] for row in found] == ["home@1.0.0"] * 2
    assert {topic["topic"] for topic in found[0]["topics"]} == {*TOPICS}
    assert found[1]["topics"] == []


def test_spark_reads_with_a_network(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyspark", reason="needs the extra spark")
    rows = [{"id": str(n), "text": text} for n, text in enumerate(toy.labelled(40, seed=4)[0])]
    table = pyarrow.Table.from_pylist([{**row, "outlet": "a"} for row in rows])
    parquet.write_table(table, tmp_path / "in.parquet")
    places = {"TOPICML_MODELS": str(home / "models"), "HF_HUB_CACHE": str(home / "hf/hub")}
    submit(tmp_path, tmp_path / "in.parquet", tmp_path / "tags", "home", env=places)
    tagged = parquet.read_table(tmp_path / "tags").to_pylist()
    network = open_model(home / "models/home/1.0.0")
    found = {row["id"]: {topic["topic"] for topic in row["topics"]} for row in tagged}
    alone = classify_texts([row["text"] for row in rows], network)
    differing = [
        row["id"]
        for row, article in zip(rows, alone, strict=True)
        if found[row["id"]] != {topic.topic for topic in article.topics}
    ]
    assert len(differing) <= 1  # near a threshold, where the workers' precision is another
    assert any(found.values())
