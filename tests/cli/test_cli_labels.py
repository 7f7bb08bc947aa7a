import json
from pathlib import Path
from typing import Any

import pytest
from archive_samples import FRY, WATER, make_archives, reference_fields, spoken_fields
from conftest import Run, Tiny, assert_clean_failure, tiny_records, write_jsonl


def count(stdout: str, topic: str) -> list[str]:
    (line,) = [line for line in stdout.splitlines() if line.startswith(topic + " ")]
    return line.removeprefix(topic).split()


def test_committed_labels_have_no_errors(run: Run) -> None:
    result = run("labels", "check")
    assert result.code == 0
    assert "0 errors" in result.stderr
    assert "error:" not in result.stdout


def test_check_finds_an_unknown_topic_and_suggests_one(
    run: Run, tiny: Tiny, tmp_path: Path
) -> None:
    rows: list[dict[str, Any]] = [*tiny_records(), {"id": "x", "text": "So.", "topics": ["bakin"]}]
    path = write_jsonl(tmp_path / "labels.jsonl", rows)
    result = run("labels", "check", "--labels", path, "--taxonomy", tiny.taxonomy)
    assert result.code == 1
    (finding,) = [line for line in result.stdout.splitlines() if "unknown topic" in line]
    assert finding.startswith(f"error: {path}:{len(rows)}: unknown topic 'bakin'")
    assert "Did you mean 'baking'?" in finding
    assert "Known topics: baking, gardening, sailing" in finding
    assert "Traceback" not in result.stderr


def test_check_finds_offsets_that_do_not_give_the_sentence(
    run: Run, tiny: Tiny, tmp_path: Path
) -> None:
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "one.txt").write_text("The bread rises. The wind turns.")
    (folder / "manifest.json").write_text('[{"id": "one", "file": "one.txt"}]')
    rows = [
        {
            "id": "a",
            "article": "one",
            "text": "The bread rises.",
            "topics": [],
            "start": 0,
            "end": 16,
        },
        {
            "id": "b",
            "article": "one",
            "text": "The wind turns.",
            "topics": [],
            "start": 16,
            "end": 31,
        },
    ]
    path = write_jsonl(tmp_path / "offsets.jsonl", rows)
    result = run("labels", "check", "-l", path, "--taxonomy", tiny.taxonomy, "--raw", folder)
    assert result.code == 1
    assert [line.split(": ")[1] for line in result.stdout.splitlines()] == [f"{path}:2"]


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"id": "x"}', '{"id": "x", "text": "y", "topics": 1}']
)
def test_broken_record_is_named_by_file_and_line(
    run_here: Run, tiny: Tiny, tmp_path: Path, line: str
) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(f'{{"id": "a", "text": "b", "topics": []}}\n{line}\n')
    result = run_here("labels", "stats", "--labels", path, "--taxonomy", tiny.taxonomy)
    assert_clean_failure(result, f"{path}:2: ")


def test_check_lists_all_broken_records_and_goes_on(run: Run, tiny: Tiny, tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    wrong = '{"id": "y", "text": "So.", "topics": ["bakin"]}'
    lines = ["{", '{"id": "x", "text": "", "topics": []}', wrong, *["[]"] * 60]
    path.write_text("".join(f"{line}\n" for line in lines))
    result = run("labels", "check", "--labels", path, "--taxonomy", tiny.taxonomy)
    assert result.code == 1
    listed = result.stdout.splitlines()
    assert [line.split(": ")[1] for line in listed[:3]] == [f"{path}:{n}" for n in (1, 2, 4)]
    assert listed[50] == "error: 12 more lines are no labels"
    assert "unknown topic 'bakin'" in listed[51]
    assert "1 sentence in 1 file: 63 errors, 0 notes" in result.stderr


@pytest.mark.parametrize("command", ["check", "stats"])
def test_missing_label_file_is_a_clean_failure(run_here: Run, command: str) -> None:
    result = run_here("labels", command, "--labels", "/nowhere/labels.jsonl")
    assert_clean_failure(result, "/nowhere/labels.jsonl", "No such file", "Check the path")


def test_folder_without_labels_is_a_clean_failure(run: Run, tmp_path: Path) -> None:
    assert_clean_failure(run("labels", "check", cwd=tmp_path), "no label files", "--labels")


def test_missing_taxonomy_is_a_clean_failure(run_here: Run, tiny: Tiny) -> None:
    result = run_here("labels", "stats", "-l", tiny.labels, "--taxonomy", "/nowhere/taxonomy.toml")
    assert_clean_failure(result, "/nowhere/taxonomy.toml", "No such file")


def test_stats_count_sentences_per_topic(run: Run, tiny: Tiny) -> None:
    result = run("labels", "stats", "--labels", tiny.labels, "--taxonomy", tiny.taxonomy)
    rows = tiny_records()
    assert result.code == 0
    for topic in ("baking", "gardening", "sailing"):
        carriers = [row for row in rows if topic in row["topics"]]
        alone = sum(len(row["topics"]) == 1 for row in carriers)
        assert count(result.stdout, topic) == [str(len(carriers)), str(alone)]
    assert f"{len(rows)} sentences in 4 groups" in result.stdout


def test_stats_count_skipped_sentences_apart(run: Run, tiny: Tiny, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"id": "a", "text": "So.", "topics": []},
        {"id": "b", "text": "It is.", "topics": ["baking"], "status": "skipped"},
        {"id": "c", "text": "It was.", "topics": [], "status": "skipped"},
    ]
    path = write_jsonl(tmp_path / "labels.jsonl", rows)
    result = run("labels", "stats", "--labels", path, "--taxonomy", tiny.taxonomy)
    assert count(result.stdout, "baking") == ["0", "0"]
    assert count(result.stdout, "(no topic)") == ["1", "1"]
    assert count(result.stdout, "(skipped)") == ["2", "2"]


def test_agreement_counts_kappa_and_lists_differences(run: Run, tiny: Tiny, tmp_path: Path) -> None:
    first = [{"id": str(i), "topics": ["baking"] if i < 5 else []} for i in range(10)]
    second = [{"id": str(i), "topics": ["baking"] if i < 4 else []} for i in range(10)]
    paths = write_jsonl(tmp_path / "1.jsonl", first), write_jsonl(tmp_path / "2.jsonl", second)
    result = run("labels", "agreement", *paths, "--taxonomy", tiny.taxonomy)
    assert result.code == 0
    # observed agreement 0.9, by chance 0.5 * 0.4 + 0.5 * 0.6 = 0.5, so kappa is 0.8
    assert count(result.stdout, "baking")[:3] == ["5", "4", "0.80"]
    assert count(result.stdout, "sailing") == ["0", "0", "–", "–"]
    assert "4: baking | –" in result.stdout
    assert "9 of 10 sentences have the same topics in both" in result.stdout


def test_passes_over_other_sentences_cannot_agree(
    run_here: Run, tiny: Tiny, tmp_path: Path
) -> None:
    first = write_jsonl(tmp_path / "1.jsonl", [{"id": "a", "topics": []}])
    second = write_jsonl(tmp_path / "2.jsonl", [{"id": "b", "topics": []}])
    result = run_here("labels", "agreement", first, second, "--taxonomy", tiny.taxonomy)
    assert_clean_failure(result, "share no sentence")


def test_committed_codebook_is_the_one_of_the_taxonomy(run: Run, root: Path) -> None:
    result = run("labels", "codebook")
    assert result.code == 0
    assert result.stdout == (root / "data/labels/CODEBOOK.md").read_text("utf-8")


def test_codebook_goes_to_a_file(run: Run, tiny: Tiny, tmp_path: Path) -> None:
    path = tmp_path / "CODEBOOK.md"
    result = run("labels", "codebook", "--taxonomy", tiny.taxonomy, "-o", path)
    assert (result.code, result.stdout) == (0, "")
    text = path.read_text("utf-8")
    assert text.startswith("# Codebook: weekend pastimes\n")
    assert all(f"`{topic}`" in text for topic in ("baking", "gardening", "sailing"))


def test_codebook_that_cannot_be_written_is_a_clean_failure(
    run_here: Run, tiny: Tiny, tmp_path: Path
) -> None:
    path = tmp_path / "missing" / "CODEBOOK.md"
    result = run_here("labels", "codebook", "--taxonomy", tiny.taxonomy, "-o", path)
    assert_clean_failure(result, str(path))


def test_committed_passes_agree_well(run: Run, root: Path) -> None:
    folder = root / "data/labels/annotations"
    result = run(
        "labels", "agreement", folder / "articles.pass-1.jsonl", folder / "articles.pass-2.jsonl"
    )
    passes = [
        {row["id"]: row["topics"] for row in map(json.loads, path.read_text("utf-8").splitlines())}
        for path in (folder / "articles.pass-1.jsonl", folder / "articles.pass-2.jsonl")
    ]
    same = sum(sorted(passes[0][key]) == sorted(passes[1][key]) for key in passes[0])
    assert f"{same} of 116 sentences have the same topics in both" in result.stdout


def test_finding_has_the_line_of_the_file_blank_lines_counted(
    run: Run, tiny: Tiny, tmp_path: Path
) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text('\n\n{"id": "a", "text": "So.", "topics": ["bakin"]}\n')
    result = run("labels", "check", "--labels", path, "--taxonomy", tiny.taxonomy)
    assert f"{path}:3: unknown topic 'bakin'" in result.stdout


@pytest.mark.parametrize("manifest", ["{", "[{}]", '[{"id": "one", "file": "gone.txt"}]'])
def test_broken_manifest_of_raw_articles_is_a_clean_failure(
    run_here: Run, tiny: Tiny, tmp_path: Path, manifest: str
) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    options = ("--taxonomy", tiny.taxonomy, "--raw", tmp_path)
    result = run_here("labels", "check", "--labels", tiny.labels, *options)
    assert_clean_failure(result, str(tmp_path))


@pytest.fixture
def archive_labels(tmp_path: Path) -> Path:
    return make_archives(tmp_path)


def topics_of_home(tmp_path: Path) -> Path:
    from samples import TAXONOMY_TOML

    path = tmp_path / "home.toml"
    path.write_text(TAXONOMY_TOML, encoding="utf-8")
    return path


def test_fetch_makes_the_texts_and_check_and_stats_take_them_up(
    run: Run, tmp_path: Path, archive_labels: Path
) -> None:
    taxonomy = topics_of_home(tmp_path)
    options = ("--labels", archive_labels, "--taxonomy", taxonomy)
    note = "4 labels by reference; texts of 0 are here: run topicml labels fetch"
    for command in ("check", "stats"):
        before = run("labels", command, *options)
        assert before.code == 0
        assert note in before.stderr
    fetched = run("labels", "fetch", "-l", archive_labels, "--from", tmp_path / "clones")
    assert (fetched.code, fetched.stderr) == (0, "")
    assert fetched.stdout.startswith("4 of 4 texts are in ")
    checked, counted = run("labels", "check", *options), run("labels", "stats", *options)
    assert "4 sentences in 1 file: 0 errors, 0 notes" in checked.stderr
    assert "4 sentences in 2 groups" in counted.stdout
    assert "by reference" not in checked.stderr + counted.stderr


def test_fetch_clones_where_no_folder_is_given(run: Run, archive_labels: Path) -> None:
    result = run("labels", "fetch", "--labels", archive_labels)
    assert result.code == 0
    assert result.stderr.count("Fetching 1 documents of file://") == 2
    assert "4 of 4 texts" in result.stdout


def test_fetch_lists_what_is_missing_with_exit_code_3(
    run: Run, tmp_path: Path, archive_labels: Path
) -> None:
    with archive_labels.open("a") as file:
        file.write(json.dumps(reference_fields("e", FRY) | {"start": 9, "sha1": "0" * 40}) + "\n")
    talks = write_jsonl(archive_labels.with_name("talks.jsonl"), [spoken_fields("f", WATER)])
    files = ("-l", archive_labels, "-l", talks)
    result = run("labels", "fetch", *files, "--from", tmp_path / "clones/papers")
    assert result.code == 3
    assert "2 of 5 texts" in result.stdout
    assert "0 of 1 texts" in result.stdout
    said = result.stderr
    assert "owner/papers: 1 texts missing: the text differs from the one that was labelled" in said
    assert "- e: notes/one.md: SHA-1 is " in said
    assert "owner/talks: 2 texts missing: the archive is not there" in said
    assert "git fetch origin" in said


def test_fetch_of_no_text_at_all_has_exit_code_1(
    run: Run, tmp_path: Path, archive_labels: Path
) -> None:
    (tmp_path / "empty").mkdir()
    result = run("labels", "fetch", "-l", archive_labels, "--from", tmp_path / "empty")
    assert result.code == 1
    assert "0 of 4 texts" in result.stdout
    assert "Traceback" not in result.stderr


def test_fetch_without_labels_by_reference_is_a_clean_failure(run_here: Run, tiny: Tiny) -> None:
    result = run_here("labels", "fetch", "--labels", tiny.labels)
    assert_clean_failure(result, "no labels by reference", "--labels")


def test_fetch_without_a_list_of_archives_is_a_clean_failure(
    run_here: Run, archive_labels: Path
) -> None:
    result = run_here(
        "labels", "fetch", "-l", archive_labels, "--archives", "/nowhere/archives.toml"
    )
    assert_clean_failure(result, "/nowhere/archives.toml", "No such file", "--archives")


def test_fetch_refuses_a_hostile_pointer(
    run_here: Run, archive_labels: Path, tmp_path: Path
) -> None:
    write_jsonl(archive_labels, [reference_fields("a", FRY, path="../../etc/passwd")])
    result = run_here("labels", "fetch", "-l", archive_labels, "--from", tmp_path / "clones")
    assert_clean_failure(result, f"{archive_labels}:1:", "'path' must be a relative path")


@pytest.fixture
def documents(archive_labels: Path) -> Path:
    """A list of both documents of the archives, beside ``archives.toml``."""
    path = archive_labels.with_name("pool.tsv")
    path.write_text("owner/papers\tnotes/one.md\nowner/talks\tone.xml\n")
    return path


def test_documents_become_a_dump_that_can_be_tagged(
    run: Run, tiny: Tiny, tmp_path: Path, documents: Path
) -> None:
    dump = tmp_path / "pool.jsonl"
    result = run("labels", "documents", dump, "--list", documents, "--from", tmp_path / "clones")
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout == f"2 documents are in {dump}.\n"
    model = ("--models-dir", tiny.store.root, "--model", "weekend")
    tagged = run("classify", dump, "-f", "jsonl", *model)
    assert [record["id"] for record in tagged.records()] == [
        "owner/papers/notes/one.md",
        "owner/talks/one.xml",
    ]


def test_documents_are_cloned_where_no_folder_is_given(
    run: Run, tmp_path: Path, documents: Path
) -> None:
    result = run("labels", "documents", tmp_path / "pool.jsonl", "--list", documents)
    assert result.code == 0
    assert result.stderr.count("Fetching 1 documents of file://") == 2


def test_documents_that_are_missing_are_listed_with_exit_code_3(
    run: Run, tmp_path: Path, documents: Path
) -> None:
    with documents.open("a") as file:
        file.write("owner/talks\ttwo.xml\n")
    dump = tmp_path / "pool.jsonl"
    result = run("labels", "documents", dump, "--list", documents, "--from", tmp_path / "clones")
    assert result.code == 3
    assert "missing: owner/talks/two.xml: no such file in the pinned commit" in result.stderr
    assert result.stdout == f"2 documents are in {dump}.\n"
    assert len(dump.read_text("utf-8").splitlines()) == 2


def test_documents_none_of_which_is_there_have_exit_code_1(
    run: Run, tmp_path: Path, documents: Path
) -> None:
    documents.write_text("owner/talks\ttwo.xml\n")
    dump = tmp_path / "pool.jsonl"
    result = run("labels", "documents", dump, "--list", documents, "--from", tmp_path / "clones")
    assert result.code == 1
    assert "missing: owner/talks/two.xml" in result.stderr
    assert "Traceback" not in result.stderr


def test_documents_replace_a_file_only_with_force(
    run: Run, tmp_path: Path, documents: Path
) -> None:
    dump = tmp_path / "pool.jsonl"
    dump.write_text("old\n")
    arguments = ("labels", "documents", dump, "--list", documents, "--from", tmp_path / "clones")
    assert_clean_failure(run(*arguments), f"{dump}: exists already", "--force")
    assert dump.read_text() == "old\n"
    assert run(*arguments, "--force").code == 0
    assert len(dump.read_text("utf-8").splitlines()) == 2


def test_documents_are_never_written_over_their_list(
    run_here: Run, tmp_path: Path, documents: Path
) -> None:
    options = ("--list", documents, "--from", tmp_path / "clones", "--force")
    before = documents.read_bytes()
    assert_clean_failure(
        run_here("labels", "documents", documents, *options), "is one of the inputs"
    )
    assert documents.read_bytes() == before


def test_malformed_list_of_documents_is_a_clean_failure(
    run_here: Run, tmp_path: Path, documents: Path
) -> None:
    documents.write_text("owner/papers notes/one.md\n")
    result = run_here("labels", "documents", tmp_path / "pool.jsonl", "--list", documents)
    assert_clean_failure(result, f"{documents}:1:", "a tab and a path", "owner/talks")


def test_missing_list_of_documents_is_a_clean_failure(
    run_here: Run, tmp_path: Path, documents: Path
) -> None:
    documents.unlink()
    result = run_here("labels", "documents", tmp_path / "pool.jsonl", "--list", documents)
    assert_clean_failure(result, str(documents), "cannot be read", "--list")


def test_stats_names_labels_that_no_model_gives(run: Run, tiny: Tiny, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"id": "x", "text": "Sign up here.", "topics": ["baking"]}]
    path = write_jsonl(tmp_path / "labels.jsonl", [*tiny_records(), *rows])
    result = run("labels", "stats", "--labels", path, "--taxonomy", tiny.taxonomy)
    assert result.code == 0
    assert result.stderr == (
        "note: 1 sentence labelled with a topic would not be tagged, being boilerplate: x\n"
    )
