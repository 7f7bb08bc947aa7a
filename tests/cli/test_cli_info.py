import importlib.metadata
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from conftest import Run, Tiny, assert_clean_failure

import topicml
from topicml.cli.tree import app


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command that has no commands below it."""
    below = getattr(command, "commands", {})
    if not below:
        yield path
    for name, sub in below.items():
        yield from commands(sub, (*path, name))


COMMANDS = sorted(commands(typer.main.get_command(app)))


def test_command_tree_has_the_commands_of_the_design() -> None:
    expected = {("classify",), ("train",), ("evaluate",), ("info",), ("models", "verify")}
    expected |= {("models", "promote"), ("models", "rollback")}
    assert expected <= set(COMMANDS)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example_of_itself(
    run_here: Run, words: tuple[str, ...]
) -> None:
    result = run_here(*words, "--help")
    assert (result.code, result.stderr) == (0, "")
    said = " ".join(result.stdout.split())
    assert f"Usage: topicml {' '.join(words)} " in said
    assert f"Example: topicml {' '.join(words)}" in said


@pytest.mark.parametrize("words", [(), ("models",), ("labels",)], ids=" ".join)
def test_groups_list_their_commands(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words, "-h")
    assert result.code == 0
    below = {command[len(words)] for command in COMMANDS if command[: len(words)] == words}
    assert below
    assert all(f" {name} " in result.stdout for name in below)


@pytest.mark.parametrize("words", [("nonsense",), ("models", "nonsense")], ids=" ".join)
def test_unknown_command_ends_in_exit_code_2(run: Run, words: tuple[str, ...]) -> None:
    assert_clean_failure(run(*words), "nonsense", code=2)


def test_info_says_versions_model_paths_and_scorer(run: Run, tiny: Tiny) -> None:
    result = run("info", "--models-dir", tiny.store.root, "--model", "weekend")
    assert (result.code, result.stderr) == (0, "")
    lines = [line.split("  ", 1) for line in result.stdout.splitlines()]
    said = {key.strip(): value.strip() for key, value in lines}
    assert said["topicml"] == topicml.__version__
    assert said["models"] == str(tiny.store.root)
    assert said["model"] == f"weekend@1.0.0 ({tiny.folder})"
    assert "word 1-2-grams" in said["features"]
    assert "char_wb 3-4-grams" in said["features"]
    assert said["scorer"].startswith("reference, compiled kernel beyond ")
    assert {"python", "numpy", "scikit-learn", "sentencex"} <= said.keys()
    extras = PROJECT["optional-dependencies"].keys() - {"dev"}
    assert {key for key in said if key.startswith("optional: ")} == {
        f"optional: {e}" for e in extras
    }
    numba = importlib.metadata.version("numba")
    assert f"numba {numba}, pyarrow " in said["optional: batch"]
    assert "installed" not in said["optional: batch"]


def test_info_of_a_missing_model_is_a_clean_failure(run_here: Run, tmp_path: Path) -> None:
    result = run_here("info", "--models-dir", tmp_path)
    assert_clean_failure(result, str(tmp_path), "no model", "TOPICML_MODELS")


_SLOW = ("cleanlab", "gcsfs", "matplotlib", "mlflow-skinny", "pyspark", "ray", "s3fs", "torch")


def hide(*packages: str) -> str:
    """Code that makes packages look as if they were not installed."""
    return f"""
import importlib.metadata as metadata
def version(name, found=metadata.version):
    if name in {packages!r}:
        raise metadata.PackageNotFoundError(name)
    return found(name)
metadata.version = version
"""


def info_after(code: str, root: Path, env: dict[str, str] | None = None) -> dict[str, str]:
    """What ``topicml info`` says in a process that ran some code first.

    Packages that take long to import are not there, as in most installations.
    """
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-c",
                f"{hide(*_SLOW)}\n{code}\nfrom topicml.cli import main\nmain()",
            ),
            *("info", "--models-dir", root),
        ],
        capture_output=True,
        check=True,
        text=True,
        env={**os.environ, **(env or {})},
    )
    assert done.stderr == ""
    lines = [line.split("  ", 1) for line in done.stdout.splitlines()]
    return {key.strip(): value.strip() for key, value in lines}


def in_front(folder: Path) -> dict[str, str]:
    """An environment in which modules of a folder come before those that are installed."""
    behind = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join([str(folder), *([behind] if behind else [])])}


PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))[
    "project"
]


def test_info_says_how_to_install_what_is_missing(tiny: Tiny) -> None:
    hidden = ("matplotlib", "pyspark", "numba")
    said = info_after(hide(*hidden), tiny.store.root)
    for extra, missing in [("report", "matplotlib"), ("batch", "numba"), ("ray", "numba")]:
        state = said[f"optional: {extra}"]
        assert state.startswith(
            f"not installed: pip install 'topicml[{extra}]' (missing: {missing}"
        )
    assert said["optional: spark"].endswith("(missing: numba, pyspark)")


def test_info_says_why_an_installed_package_is_of_no_use(tiny: Tiny, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "pyarrow.py").write_text("raise RuntimeError('made for another numpy')")
    said = info_after("", tiny.store.root, in_front(tmp_path))
    version = importlib.metadata.version("pyarrow")
    assert (
        f"pyarrow {version} (installed but cannot be imported: made for another numpy)"
        in said["optional: batch"]
    )


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_version_is_printed(run: Run, flag: str) -> None:
    result = run(flag)
    assert (result.code, result.stdout, result.stderr) == (
        0,
        f"topicml {topicml.__version__}\n",
        "",
    )


def test_info_without_numba_says_how_to_get_the_compiled_path(tiny: Tiny) -> None:
    said = info_after("import sys; sys.modules['numba'] = None", tiny.store.root)
    assert said["scorer"] == "reference (numba is not installed: pip install 'topicml[batch]')"
    assert "compiled in" not in said


def test_info_with_numba_says_when_and_where_it_compiles(tiny: Tiny, tmp_path: Path) -> None:
    pytest.importorskip("numba")
    said = info_after("", tiny.store.root, {"NUMBA_CACHE_DIR": str(tmp_path)})
    assert said["scorer"] == "reference, compiled kernel beyond 1 MB"
    folder, _, state = said["compiled in"].partition(" (")
    assert Path(folder).is_relative_to(tmp_path)
    assert state == "not yet)"


def test_info_says_where_compiled_code_cannot_be_kept(tiny: Tiny) -> None:
    code = "from topicml.scoring import compiler; compiler.cache_folder = lambda: None"
    said = info_after(code, tiny.store.root)
    assert said["compiled in"].startswith("nowhere")
    assert "NUMBA_CACHE_DIR" in said["compiled in"]


def test_info_tells_of_a_numba_that_cannot_be_imported(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "numba.py").write_text("raise ImportError('it needs another numpy')")
    said = info_after("", tiny.store.root, in_front(tmp_path))
    assert said["scorer"] == "reference (numba cannot be imported: it needs another numpy)"
    assert "compiled in" not in said
