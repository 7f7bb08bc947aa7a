"""The compiled kernel in fresh processes: with numba, without, and with a cache that is no good."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scorers import SEA_TEXTS, write_sea_scorer

from topicml.models.folder import SCORER
from topicml.scoring import compiled, kernel
from topicml.scoring.scorer_file import load_scorer

PROBE = """
import json, os, sys
from pathlib import Path
from topicml.scoring import compiled
from topicml.scoring import engine
from topicml.scoring import kernel
from topicml.scoring.scorer_file import load_scorer

texts = json.loads(sys.argv[2])
scorer = load_scorer(Path(sys.argv[1]))
few = scorer.predict_proba(texts).tolist()
modules = [name for name in ("numba", "llvmlite") if sys.modules.get(name)]
scorer.engine.compile()
many = scorer.predict_proba(texts).tolist()
stats = {}
if compiled.is_usable() and not os.environ.get("NUMBA_DISABLE_JIT"):
    stats = {f.__name__: compiled.compile_kernel()[f.__name__].stats for f in kernel.ENTRIES}
print(json.dumps({
    "few": few, "many": many, "modules": modules, "available": compiled.is_available(),
    "loaded": bool(sys.modules.get("numba")), "source": kernel.__file__,
    "folder": compiled.cache_folder() if stats else None,
    "hits": {name: sum(found.cache_hits.values()) for name, found in stats.items()},
}))
"""
SIGMOID = """
import json
import numpy as np
from topicml.scoring import compiled

values = np.array([-1000.0, 0.0, 1000.0])
functions = compiled.compile_kernel()
functions["apply_sigmoid"](values)
hits = sum(functions["apply_sigmoid"].stats.cache_hits.values())
print(json.dumps({"values": values.tolist(), "hits": hits, "folder": compiled.cache_folder()}))
"""
BLOCKED = "import sys; sys.modules['numba'] = None\n"
NOT_INSTALLED = """
import sys
from importlib.machinery import PathFinder

class Finder:
    def find_spec(self, name, path=None, target=None):
        is_numba = name.partition(".")[0] == "numba"
        return None if is_numba else PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Finder()
"""
Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def scorer_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sea") / SCORER
    write_sea_scorer(path)
    return path


@pytest.fixture(scope="module")
def expected(scorer_path: Path) -> Any:
    return load_scorer(scorer_path).predict_proba(SEA_TEXTS).tolist()


@pytest.fixture(scope="module")
def warm_cache(scorer_path: Path) -> list[Path]:
    """The files that numba keeps of the kernel as it is now."""
    scorer = load_scorer(scorer_path)
    scorer.engine.compile()
    scorer.predict_proba(SEA_TEXTS)
    folder = compiled.cache_folder()
    assert folder is not None
    names = [f"kernel.{f.__name__}-{f.__code__.co_firstlineno}.*" for f in kernel.ENTRIES]
    return [path for name in names for path in Path(folder).glob(name)]


@pytest.fixture
def package(tmp_path: Path, root: Path, warm_cache: list[Path]) -> Path:
    """A copy of the package, with what is compiled of it."""
    copy = tmp_path / "lib" / "topicml"
    shutil.copytree(root / "src/topicml", copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "__pycache__").mkdir()
    for path in warm_cache:
        shutil.copy(path, copy / "__pycache__")
    return copy


def run(program: str, *arguments: str, package: Path, prelude: str = "", **env: str) -> Any:
    """Run a program with a copy of the package; return what it prints as JSON."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    done = subprocess.run(
        [sys.executable, "-c", prelude + program, *arguments],
        env={**inherited, "PYTHONPATH": str(package.parent), **env},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def probe(package: Path, scorer_path: Path, expected: Any) -> Run:
    """Score texts in a fresh process: first a few, then in the compiled form if there is one."""

    def probe_package(**settings: str) -> dict[str, Any]:
        arguments = (str(scorer_path), json.dumps(SEA_TEXTS))
        found: dict[str, Any] = run(PROBE, *arguments, package=package, **settings)
        assert Path(found["source"]) == package / "kernel.py"
        assert found["few"] == found["many"] == expected
        assert not found["modules"]
        return found

    return probe_package


def cache_files(package: Path, function: str, suffix: str) -> list[Path]:
    found = list((package / "__pycache__").glob(f"kernel.{function}-*{suffix}"))
    assert found
    return found


def test_numba_is_loaded_for_bulk_and_compiled_code_is_kept(probe: Run, package: Path) -> None:
    found = probe()
    assert found["available"]
    assert found["loaded"]
    assert found["folder"] == str(package / "__pycache__")
    assert found["hits"] == {"add_texts": 1, "apply_sigmoid": 1}


@pytest.mark.parametrize("prelude", [BLOCKED, NOT_INSTALLED], ids=["blocked", "not installed"])
def test_without_numba_the_plain_form_does_all(probe: Run, prelude: str) -> None:
    found = probe(prelude=prelude)
    assert not found["available"]
    assert found["hits"] == {}


def test_numba_that_cannot_be_imported_is_as_good_as_none(probe: Run, tmp_path: Path) -> None:
    """As where it was made for another numpy."""
    broken = tmp_path / "lib" / "numba"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise ImportError('Numba needs NumPy 2.0 or less')\n")
    found = probe()
    assert not found["loaded"]
    assert found["hits"] == {}


def test_numba_that_is_switched_off_scores_the_same(probe: Run) -> None:
    assert probe(NUMBA_DISABLE_JIT="1")["folder"] is None


def test_bulk_is_counted_in_bytes_of_text(package: Path, scorer_path: Path) -> None:
    program = (
        "import json, sys; from pathlib import Path; from topicml import engine;"
        "from topicml.scoring.scorer_file import load_scorer; scorer = load_scorer(Path(sys.argv[1]));"
        "loaded = [];"
        "[(scorer.score(b' ' * size, [0, size]), loaded.append('numba' in sys.modules))"
        " for size in (1000, engine.BULK - 1001, 1)];"
        "print(json.dumps(loaded))"
    )
    assert run(program, str(scorer_path), package=package) == [False, False, True]


def test_importing_the_package_loads_no_numba(package: Path) -> None:
    program = (
        "import json, sys; import topicml.scoring.compiled, topicml.scoring.engine;"
        "import topicml.api, topicml.cli;"
        "topicml.scoring.compiled.is_available(); print(json.dumps('numba' in sys.modules))"
    )
    assert run(program, package=package) is False


@pytest.mark.parametrize("folder", ["/proc/nope", "a file"])
def test_cache_setting_that_is_no_folder_is_passed_over(
    probe: Run, package: Path, tmp_path: Path, folder: str
) -> None:
    if folder == "a file":
        (tmp_path / folder).touch()
        folder = str(tmp_path / folder)
    assert probe(NUMBA_CACHE_DIR=folder)["folder"] == str(package / "__pycache__")


def read_only(package: Path) -> None:
    """Make it as if nothing could be written beside the source; not even root can here."""
    shutil.rmtree(package / "__pycache__")
    (package / "__pycache__").touch()


def test_read_only_install_keeps_compiled_code_with_the_user(package: Path, tmp_path: Path) -> None:
    read_only(package)
    for hits in (0, 1):
        found = run(SIGMOID, package=package, XDG_CACHE_HOME=str(tmp_path / "cache"))
        assert found["values"] == [0.0, 0.5, 1.0]
        assert found["hits"] == hits
        assert found["folder"].startswith(str(tmp_path / "cache"))


def test_where_nothing_can_be_kept_every_process_compiles_anew(package: Path) -> None:
    read_only(package)
    for _ in range(2):
        found = run(SIGMOID, package=package, XDG_CACHE_HOME="/proc/nope", HOME="/proc/nope")
        assert found["values"] == [0.0, 0.5, 1.0]
        assert (found["hits"], found["folder"]) == (0, None)


@pytest.mark.soak
def test_where_nothing_can_be_kept_texts_are_scored(probe: Run, package: Path) -> None:
    read_only(package)
    found = probe(XDG_CACHE_HOME="/proc/nope", HOME="/proc/nope")
    assert found["hits"] == {"add_texts": 0, "apply_sigmoid": 0}


def test_full_disk_breaks_nothing(probe: Run, package: Path) -> None:
    for suffix in (".nbi", ".nbc"):
        for path in cache_files(package, "apply_sigmoid", suffix):
            path.unlink()
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
    found = probe(prelude=limit)
    assert found["hits"] == {"add_texts": 1, "apply_sigmoid": 0}


DAMAGE = """
import json, sys
from pathlib import Path
import numpy as np
from topicml.scoring import compiled

def sigmoid():
    compiled.compile_kernel.cache_clear()
    values = np.array([-1000.0, 0.0, 1000.0])
    function = compiled.compile_kernel()["apply_sigmoid"]
    function(values)
    assert values.tolist() == [0.0, 0.5, 1.0]
    return sum(function.stats.cache_hits.values())

found = {}
for path in map(Path, sys.argv[1:]):
    for name, damage in {
        "empty": lambda data: b"",
        "truncated early": lambda data: data[:5],
        "truncated": lambda data: data[: len(data) // 2],
        "one byte short": lambda data: data[:-1],
        "garbage": lambda data: bytes(range(256)) * (len(data) // 256 + 1),
        "zeros": lambda data: bytes(len(data)),
        "text": lambda data: b"<html>not found</html>",
        "another pickle": lambda data: b"I1\\n.",
    }.items():
        path.write_bytes(damage(path.read_bytes()))
        found[path.suffix + " " + name] = [sigmoid(), sigmoid()]
print(json.dumps(found))
"""


def test_damaged_cache_is_made_anew(package: Path) -> None:
    files = [*cache_files(package, "apply_sigmoid", ".n*")]
    found = run(DAMAGE, *map(str, files), package=package)
    assert len(found) == 16
    assert set(map(tuple, found.values())) == {(0, 1)}, found


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_texts_are_scored_where_the_cache_is_damaged(
    probe: Run, package: Path, suffix: str
) -> None:
    for path in cache_files(package, "apply_sigmoid", suffix):
        path.write_bytes(path.read_bytes()[:-100])
    assert probe()["hits"] == {"add_texts": 1, "apply_sigmoid": 0}


@pytest.mark.soak
@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_damaged_cache_of_the_whole_kernel_is_made_anew(
    probe: Run, package: Path, suffix: str
) -> None:
    for path in cache_files(package, "add_texts", suffix):
        path.write_bytes(path.read_bytes()[:-100])
    assert probe()["hits"] == {"add_texts": 0, "apply_sigmoid": 1}
    assert probe()["hits"] == {"add_texts": 1, "apply_sigmoid": 1}


def test_lost_cache_file_is_made_anew(probe: Run, package: Path) -> None:
    for path in cache_files(package, "apply_sigmoid", ".nbc"):
        path.unlink()
    assert probe()["hits"] == {"add_texts": 1, "apply_sigmoid": 0}


def test_changed_source_is_not_run_as_it_was(package: Path) -> None:
    """Constants alone are changed: the bytecode stays the same."""
    source = package / "kernel.py"
    before = source.read_text(encoding="utf-8")
    changed = before.replace("1.0 / (1.0 + math.exp(-value))", "1.0 / (3.0 + math.exp(-value))")
    assert len(changed) == len(before)
    assert run(SIGMOID, package=package)["hits"] == 1
    source.write_text(changed, encoding="utf-8")
    found = run(SIGMOID, package=package)
    assert found["values"] == [0.0, 0.25, 1 / 3]
    assert found["hits"] == 0


def test_disk_full_after_a_change_leaves_nothing_stale(package: Path) -> None:
    """The index of the cache is written first, and would then stand before older code."""
    source = package / "kernel.py"
    before = source.read_text(encoding="utf-8")
    changed = before.replace("1.0 / (1.0 + math.exp(-value))", "1.0 / (3.0 + math.exp(-value))")
    source.write_text(changed, encoding="utf-8")
    (index,) = cache_files(package, "apply_sigmoid", ".nbi")
    (code,) = cache_files(package, "apply_sigmoid", ".nbc")
    size = (index.stat().st_size + code.stat().st_size) // 2
    assert index.stat().st_size + 1000 < size < code.stat().st_size - 1000
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))\n"
    for prelude in (limit, "", ""):
        found = run(SIGMOID, package=package, prelude=prelude, PYTHONDONTWRITEBYTECODE="1")
        assert found["values"] == [0.0, 0.25, 1 / 3]
    assert found["hits"] == 1


@pytest.mark.soak
def test_changed_callee_is_not_run_as_it_was(package: Path, scorer_path: Path) -> None:
    source = package / "kernel.py"
    before = source.read_text(encoding="utf-8")
    changed = before.replace("return 1.0 + math.log(times)", "return 5.0 + math.log(times)")
    assert changed != before
    program = (
        "import json, sys; from pathlib import Path;"
        "from topicml.scoring.scorer_file import load_scorer;"
        "scorer = load_scorer(Path(sys.argv[1])); text = 'fleet ' * 500 + 'at the';"
        "found = [scorer.predict_proba([text]).tolist()];"
        "scorer.engine.compile(); found.append(scorer.predict_proba([text]).tolist());"
        "print(json.dumps(found))"
    )
    old = run(program, str(scorer_path), package=package)
    source.write_text(changed, encoding="utf-8")
    new = run(program, str(scorer_path), package=package)
    assert old[0] == old[1]
    assert new[0] == new[1]
    assert old != new


@pytest.mark.soak
def test_compiled_form_stays_inside_its_arrays(
    package: Path, scorer_path: Path, tmp_path: Path
) -> None:
    """The compiled form does not check bounds; here it is compiled so that it does."""
    program = (
        "import json, random, sys; from pathlib import Path\n"
        "from topicml.scoring.scorer_file import load_scorer\n"
        "import numpy as np\n"
        "plain, scorer = load_scorer(Path(sys.argv[1])), load_scorer(Path(sys.argv[1]))\n"
        "scorer.engine.compile()\n"
        "random.seed(0)\n"
        "pieces = [p.encode() for p in sys.argv[2:]] + [bytes([n]) for n in range(256)]\n"
        "for count in [0, 1, 2, 3, 10, 100, 1000, 3000] * 20:\n"
        "    data = b''.join(random.choices(pieces, k=count))\n"
        "    cuts = sorted(random.choices(range(len(data) + 1), k=random.randrange(5)))\n"
        "    found = [s.score(data, [0, *cuts, len(data)]) for s in (plain, scorer)]\n"
        "    assert all(np.array_equal(a, b) for a, b in zip(*found))\n"
        "print(json.dumps('done'))"
    )
    pieces = ["the fleet", " ", "bread", "Σ", "İ", "日本", "🤝", "fleet" * 13, "x" * 64, "\n" * 99]
    found = run(
        program,
        *(str(scorer_path), *pieces),
        package=package,
        NUMBA_BOUNDSCHECK="1",
        NUMBA_CACHE_DIR=str(tmp_path / "checked"),
    )
    assert found == "done"


def test_every_function_of_the_kernel_is_compiled() -> None:
    functions = {name for name, value in vars(kernel).items() if callable(value) and name.islower()}
    assert functions == {function.__name__ for function in kernel.FUNCTIONS}
    assert set(kernel.ENTRIES) | set(kernel.RARELY_CALLED) <= set(kernel.FUNCTIONS)
    assert compiled.is_available()
    values = np.array([0.0])
    compiled.compile_kernel()["apply_sigmoid"](values)
    assert values.tolist() == [0.5]
