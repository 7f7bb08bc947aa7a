import json
import re
import shutil
from pathlib import Path

import pytest
from conftest import Result, Run, Tiny, assert_clean_failure, tiny_records, write_jsonl

from topicml.models.folder import verify_model
from topicml.models.manifest import read_manifest
from topicml.models.store import ModelStore
from topicml.training.features import Parameters


@pytest.fixture(scope="module")
def trained(run: Run, tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A store made by ``topicml train``, the first of its name, and what it printed."""
    store = tmp_path_factory.mktemp("trained") / "models"
    result = run(
        *("train", "--labels", tiny.labels, "--taxonomy", tiny.taxonomy),
        *("--name", "pastimes", "--models-dir", store),
    )
    return store, result


def train(run: Run, tiny: Tiny, store: Path, *arguments: str | Path) -> Result:
    return run(
        *("train", "--taxonomy", tiny.taxonomy, "--models-dir", store),
        *("--parameters", tiny.parameters, *arguments),
    )


def test_train_makes_a_whole_model_and_points_to_it(trained: tuple[Path, Result]) -> None:
    store, result = trained
    assert result.code == 0, result.stderr
    assert "Traceback" not in result.stderr
    assert verify_model(store / "pastimes/1.0.0").reference == "pastimes@1.0.0"
    assert ModelStore(store).current("pastimes") == "1.0.0"
    assert f"Made {store / 'pastimes/1.0.0'}; current is 1.0.0." in result.stdout


def test_train_accounts_for_the_figures(trained: tuple[Path, Result]) -> None:
    _, result = trained
    for words in ("micro f1", "95 % interval", "baking"):
        assert words in result.stdout


def test_first_training_takes_the_defaults_and_says_how_long_it_takes(
    trained: tuple[Path, Result],
) -> None:
    store, result = trained
    manifest = read_manifest(store / "pastimes/1.0.0")
    assert manifest["parameters"] == Parameters().to_dict()
    assert (manifest["parameters_from"], manifest["search"]) == ({"source": "defaults"}, [])
    assert "parameters: defaults" in result.stderr
    fits = 4 + 1 + 4 * (3 + 1)  # of four articles: thresholds, the model, and each left out
    assert f"Training: 0 of {fits}\n" in result.stderr
    assert f"Training: 1 of {fits}" in result.stderr
    assert result.stderr.endswith(f"Training: {fits} of {fits}\n")


def test_quiet_training_tells_no_progress(run: Run, tiny: Tiny, tmp_path: Path) -> None:
    result = train(run, tiny, tmp_path, "--labels", tiny.labels, "--quiet")
    assert result.code == 0
    assert "Training:" not in result.stderr
    (made,) = tmp_path.glob("*/1.0.0")
    assert read_manifest(made)["parameters_from"] == {"source": "given"}


def test_parameters_are_given_or_searched(run: Run, tiny: Tiny, tmp_path: Path) -> None:
    result = train(run, tiny, tmp_path, "--labels", tiny.labels, "--search")
    assert_clean_failure(result, "--parameters or --search, not both", code=2)


def test_trained_model_classifies(run: Run, trained: tuple[Path, Result]) -> None:
    store, _ = trained
    result = run(
        *("classify", "-", "-f", "jsonl", "--model", "pastimes", "--models-dir", store),
        stdin="The dough is in the oven. They hoisted the sails.",
    )
    (record,) = result.records()
    assert record["model"] == "pastimes@1.0.0"
    assert [s["topics"] for s in record["sentences"]] == [["baking"], ["sailing"]]


def test_later_version_leaves_the_current_one(run: Run, tiny: Tiny, tmp_path: Path) -> None:
    arguments = ("--labels", tiny.labels, "--name", "pastimes")
    store = ModelStore(tmp_path)
    for flags, version, current in [((), "1.0.0", "1.0.0"), ((), "1.1.0", "1.0.0")]:
        result = train(run, tiny, tmp_path, *arguments, *flags)
        assert result.code == 0
        following = f"topicml compare pastimes pastimes@{version} --data FILE"
        assert (following in result.stdout) == (version != current)
        assert (store.versions("pastimes")[-1], store.current("pastimes")) == (version, current)
    (tmp_path / "pastimes/current").unlink()  # the newest is in use then, and stays so
    assert train(run, tiny, tmp_path, *arguments, "--version", "3.0.0").code == 0
    assert (store.versions("pastimes")[-1], store.current("pastimes")) == ("3.0.0", "1.1.0")
    assert train(run, tiny, tmp_path, *arguments, "--promote").code == 2  # it is compared first
    scorers = {path.read_bytes() for path in tmp_path.glob("pastimes/*/scorer.npz")}
    assert len(scorers) == 1


def test_existing_version_is_a_clean_failure(run_here: Run, tiny: Tiny) -> None:
    result = train(
        *(run_here, tiny, tiny.store.root, "--labels", tiny.labels),
        *("--name", "weekend", "--version", "1.0.0"),
    )
    assert_clean_failure(result, "weekend/1.0.0", "this version exists", "--version")


def test_unknown_topic_is_a_clean_failure(run_here: Run, tiny: Tiny, tmp_path: Path) -> None:
    rows = [*tiny_records(), {"id": "x", "text": "So.", "topics": ["sailling"]}]
    path = write_jsonl(tmp_path / "labels.jsonl", rows)
    result = train(run_here, tiny, tmp_path / "models", "--labels", path)
    assert_clean_failure(
        result, f"{path}:{len(rows)}:", "unknown topic 'sailling'", "Did you mean 'sailing'?"
    )
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize(
    ("keep", "parts"),
    [
        (lambda row: row["topics"] == ["baking"], ["topic 'baking' is on", "Label sentences"]),
        (lambda row: row["article"] == "monday", ["1 article is too few", "three or more"]),
        (lambda row: row["article"] in ("monday", "tuesday"), ["2 articles", "three or more"]),
        (lambda _row: False, ["no labelled sentences"]),
    ],
    ids=["one-topic", "one-article", "two-articles", "nothing"],
)
def test_labels_that_cannot_be_trained_on_are_a_clean_failure(
    run_here: Run, tiny: Tiny, tmp_path: Path, keep: object, parts: list[str]
) -> None:
    rows = [row for row in tiny_records() if keep(row)]  # type: ignore[operator]
    path = write_jsonl(tmp_path / "labels.jsonl", rows)
    result = train(run_here, tiny, tmp_path / "models", "--labels", path)
    said = result.stderr.split("error: ")[-1]
    assert_clean_failure(Result(result.code, result.stdout, said), *parts)
    assert not list(tmp_path.glob("models/*/*"))


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--labels", "/nowhere/l.jsonl"], ["/nowhere/l.jsonl", "No such file"]),
        (["--name", "Bad Name"], ["'Bad Name'", "lower-case words"]),
        (["--version", "1"], ["version '1' is not of the form 1.2.3"]),
        (["--parameters", "/nowhere/p.json"], ["/nowhere/p.json", "not a parameter file"]),
    ],
    ids=["labels", "name", "version", "parameters"],
)
def test_wrong_argument_is_a_clean_failure(
    run_here: Run, tiny: Tiny, tmp_path: Path, arguments: list[str], parts: list[str]
) -> None:
    labels = [] if "--labels" in arguments else ["--labels", tiny.labels]
    assert_clean_failure(train(run_here, tiny, tmp_path, *labels, *arguments), *parts)


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"depth": 3}', '"C"', '{"tuned_on": {"a": 5}}', '{"tuned_on": []}', "[" * 100_000],
    ids=lambda content: content[:30],
)
def test_broken_parameter_file_is_a_clean_failure(
    run_here: Run, tiny: Tiny, tmp_path: Path, content: str
) -> None:
    path = tmp_path / "parameters.json"
    path.write_text(content)
    result = train(run_here, tiny, tmp_path, "--labels", tiny.labels, "--parameters", path)
    assert_clean_failure(result, str(path), "not a parameter file", "manifest.json")


def test_models_folder_that_is_a_file_is_a_clean_failure(
    run_here: Run, tiny: Tiny, tmp_path: Path
) -> None:
    (tmp_path / "models").write_text("")
    result = train(run_here, tiny, tmp_path / "models", "--labels", tiny.labels)
    assert result.code == 1
    assert "Traceback" not in result.stderr
    assert str(tmp_path / "models") in result.stderr


def evaluate(run: Run, tiny: Tiny, *arguments: str | Path) -> Result:
    return run("evaluate", "--taxonomy", tiny.taxonomy, *arguments)


def test_evaluate_on_data_gives_the_figures_as_json_and_in_a_file(
    run: Run, tiny: Tiny, tmp_path: Path
) -> None:
    model = ("--models-dir", tiny.store.root, "--model", "weekend")
    target = tmp_path / "metrics.json"
    result = evaluate(
        *(run, tiny, "--data", tiny.labels, *model),
        *("--format", "json", "--metrics-file", target),
    )
    assert result.code == 0
    assert "was trained on" in result.stderr  # these very sentences: say so
    figures = json.loads(result.stdout)
    assert figures == json.loads(target.read_text("utf-8"))
    assert "weekend@1.0.0" in figures["protocol"]
    assert figures["sentences"] == len(tiny_records())
    assert figures["documents"] == 4
    support = {row["topic"]: row["support"] for row in figures["topics"]}
    assert support["baking"] == sum("baking" in row["topics"] for row in tiny_records())
    assert {part["part"] for part in figures["calibration"]} >= {"article", "1 to 10 words"}
    assert figures["headlines"]["micro_f1"]["value"] == 1.0  # the model knows these by heart


def test_evaluate_prints_a_table(run: Run, tiny: Tiny) -> None:
    model = ("--models-dir", tiny.store.root, "--model", "weekend")
    result = evaluate(run, tiny, "--data", tiny.labels, *model)
    assert result.code == 0
    for words in ("micro f1", "jackknife", "gardening", "observed share", "Caution: 4 documents"):
        assert words in result.stdout


@pytest.mark.parametrize("by", ["article", "group"])
def test_evaluate_cross_validates_the_recipe(run: Run, tiny: Tiny, by: str) -> None:
    result = evaluate(
        *(run, tiny, "--labels", tiny.labels, "--parameters", tiny.parameters),
        *("--by", by, "--format", "json"),
    )
    figures = json.loads(result.stdout)
    assert figures["protocol"].startswith({"article": "Leave-one", "group": "Grouped"}[by])
    assert "Parameters were given" in figures["protocol"]
    assert re.search(r"Evaluating: (\d+) of \1\n$", result.stderr)
    assert figures["sentences"] == len(tiny_records())


def test_evaluate_refuses_another_taxonomy(run_here: Run, tiny: Tiny, root: Path) -> None:
    taxonomy = root / "data/labels/taxonomy.toml"
    result = run_here(
        *("evaluate", "--data", tiny.labels, "--taxonomy", taxonomy),
        *("--models-dir", tiny.store.root, "--model", "weekend"),
    )
    assert_clean_failure(result, str(taxonomy), "other topics", "--taxonomy")


def test_metrics_file_that_cannot_be_written_is_a_clean_failure(
    run_here: Run, tiny: Tiny, tmp_path: Path
) -> None:
    target = tmp_path / "missing" / "metrics.json"
    result = evaluate(
        *(run_here, tiny, "--data", tiny.labels, "--models-dir", tiny.store.root),
        *("--model", "weekend", "--metrics-file", target),
    )
    assert_clean_failure(result, str(target))


def test_tune_writes_what_train_reads(run: Run, tiny: Tiny, tmp_path: Path) -> None:
    common = ("--taxonomy", tiny.taxonomy, "--labels", tiny.labels, "--name", "weekend")
    models = ("--models-dir", tmp_path / "models")
    result = run("tune", *common, *models, "--trials", "1", "--seed", "5")
    assert result.code == 0, result.stderr
    written = json.loads((tmp_path / "models/weekend/parameters.json").read_text())
    assert "chosen" in result.stdout
    assert re.search(r"Tuning: (\d+) of \1\n", result.stderr)
    assert run("tune", *common, *models, "--trials", "0").code == 0  # and again, over the old
    written = json.loads((tmp_path / "models/weekend/parameters.json").read_text())
    assert run("train", *common, *models).code == 0
    manifest = json.loads((tmp_path / "models/weekend/1.0.0/manifest.json").read_text())
    assert manifest["parameters_from"] == {"source": "tuned", "tuned_on": written.pop("tuned_on")}
    assert manifest["parameters"] == written
    card = (tmp_path / "models/weekend/1.0.0/MODEL_CARD.md").read_text("utf-8")
    assert "`topicml tune` on labels.jsonl, so the figures are slightly optimistic." in card


def test_evaluate_writes_a_report(run: Run, tiny: Tiny, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    result = run(
        *("evaluate", "--taxonomy", tiny.taxonomy, "--labels", tiny.labels),
        *("--models-dir", tmp_path, "--html", page),
    )
    assert result.code == 0, result.stderr
    assert page.read_text(encoding="utf-8").count("data:image/png") >= 3


def test_labels_that_all_have_a_topic_are_trained_and_shown(
    run: Run, tiny: Tiny, tmp_path: Path
) -> None:
    rows = [row for row in tiny_records() if row["topics"]]
    labels = write_jsonl(tmp_path / "labels.jsonl", rows)
    result = train(run, tiny, tmp_path / "models", "--labels", labels)
    assert result.code == 0, result.stderr
    assert "–" in next(line for line in result.stdout.splitlines() if "false tag rate" in line)


def test_other_topics_under_an_old_name_are_refused(
    run_here: Run, root: Path, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    shutil.copytree(root / "models", models)
    taxonomy = tmp_path / "other.toml"
    taxonomy.write_text('[[topics]]\nid = "sea"\nname = "Sea"\ndefinition = "sailing"\n')
    rows = [
        {"id": str(n), "article": f"a{n % 3}", "text": f"Word {n}.", "topics": ["sea"] * (n % 2)}
        for n in range(12)
    ]
    labels = write_jsonl(tmp_path / "labels.jsonl", rows)
    common = ("--name", "alliance-topics", "--models-dir", models)
    result = run_here("train", "--taxonomy", taxonomy, "--labels", labels, *common)
    assert_clean_failure(result, "other topics than the taxonomy", "--name")


def test_models_are_the_same_bytes_whatever_threads_and_processes(
    run: Run, tiny: Tiny, tmp_path: Path
) -> None:
    runs = [("1", "1"), ("2", "2")]
    for threads, jobs in runs:
        env = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads)
        result = run(
            *("train", "--labels", tiny.labels, "--taxonomy", tiny.taxonomy, "--jobs", jobs),
            *("--parameters", tiny.parameters, "--name", "pastimes"),
            *("--models-dir", tmp_path / threads),
            env=env,
        )
        assert result.code == 0, result.stderr
    for file in ("scorer.npz", "pipeline.joblib", "golden.jsonl", "MODEL_CARD.md"):
        found = {(tmp_path / t / "pastimes/1.0.0" / file).read_bytes() for t, _ in runs}
        assert len(found) == 1, file
