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
from topicml.scoring import compiler, kernel
from topicml.scoring.scorer_file import load_scorer

PROBE = """
import json, os, sys
from pathlib import Path
from topicml import compiling
from topicml.scoring import compiler
from topicml.scoring.scorer_file import load_scorer

texts = json.loads(sys.argv[2])
scorer = load_scorer(Path(sys.argv[1]))
few = scorer.predict_proba(texts).tolist()
modules = [name for name in ("numba", "llvmlite") if sys.modules.get(name)]
kept = compiler.is_compiled_kept()
scorer.use("compiled")
many = scorer.predict_proba(texts).tolist()
functions = compiler.compile_kernel() if scorer.backend == "compiled" else {}
stats = {name: functions[name].stats for name in ("fill_table", "add_texts") if name in functions}
print(json.dumps({
    "few": few, "many": many, "modules": modules, "installed": compiling.is_installed(),
    "reason": compiling.why_not_usable(), "source": compiler.__file__, "kept": kept,
    "backend": scorer.backend, "folder": compiler.cache_folder() if stats else None,
    "hits": {name: sum(found.cache_hits.values()) for name, found in stats.items()},
}))
"""
FILL = """
import json
import numpy as np
from topicml.scoring import compiler, kernel

def fill():
    table = kernel.Table(np.full(9, kernel.EMPTY), np.zeros(9, dtype=np.int32))
    function = compiler.compile_kernel()["fill_table"]
    function(np.array([5, 7]), np.array([1, 2], dtype=np.int32), table)
    places = np.flatnonzero(table.keys != kernel.EMPTY).tolist()
    return table.values[places].tolist(), places, sum(function.stats.cache_hits.values())

"""
FILL_ONCE = f"""{FILL}
values, places, hits = fill()
print(json.dumps({{
    "values": sorted(values), "places": places, "hits": hits, "folder": compiler.cache_folder()
}}))
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
KERNEL, CACHE = Path("scoring/kernel.py"), Path("scoring/__pycache__")
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
    scorer.use("compiled")
    scorer.predict_proba(SEA_TEXTS)
    folder = compiler.cache_folder()
    assert folder is not None
    names = [f"kernel.{f.__name__}-{f.__code__.co_firstlineno}.*" for f in kernel.ENTRIES]
    return [path for name in names for path in Path(folder).glob(name)]


@pytest.fixture
def package(tmp_path: Path, root: Path, warm_cache: list[Path]) -> Path:
    """A copy of the package, with what is compiled of it."""
    copy = tmp_path / "lib" / "topicml"
    shutil.copytree(root / "src/topicml", copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / CACHE).mkdir()
    for path in warm_cache:
        shutil.copy(path, copy / CACHE)
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
    """Score texts in a fresh process: by the reference scorer, and by the kernel if it can be."""

    def probe_package(**settings: str) -> dict[str, Any]:
        arguments = (str(scorer_path), json.dumps(SEA_TEXTS))
        found: dict[str, Any] = run(PROBE, *arguments, package=package, **settings)
        assert Path(found["source"]) == package / "scoring/compiler.py"
        for probabilities in (found["few"], found["many"]):
            np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-12)
        assert not found["modules"]
        assert found["kept"] or found["hits"].get("add_texts") != 1
        return found

    return probe_package


def cache_files(package: Path, function: str, suffix: str) -> list[Path]:
    found = list((package / CACHE).glob(f"kernel.{function}-*{suffix}"))
    assert found
    return found


def test_numba_is_loaded_for_bulk_and_compiled_code_is_kept(probe: Run, package: Path) -> None:
    found = probe()
    assert found["installed"]
    assert found["backend"] == "compiled"
    assert found["reason"] is None
    assert found["folder"] == str(package / CACHE)
    assert found["hits"] == {"fill_table": 1, "add_texts": 1}


@pytest.mark.parametrize("prelude", [BLOCKED, NOT_INSTALLED], ids=["blocked", "not installed"])
def test_without_numba_the_reference_scorer_does_all(probe: Run, prelude: str) -> None:
    found = probe(prelude=prelude)
    assert not found["installed"]
    assert found["reason"].startswith("numba is not installed: pip install")
    assert found["backend"] == "reference"
    assert found["hits"] == {}


@pytest.mark.parametrize(
    "failure", ["ImportError('Numba needs NumPy 2.0 or less')", "RuntimeError('no LLVM here')"]
)
def test_numba_that_cannot_be_imported_is_as_good_as_none(
    probe: Run, tmp_path: Path, failure: str
) -> None:
    """As where it was made for another numpy."""
    broken = tmp_path / "lib" / "numba"
    broken.mkdir()
    (broken / "__init__.py").write_text(f"raise {failure}\n")
    found = probe()
    assert found["installed"]
    assert found["reason"] == f"numba cannot be imported: {failure.split(chr(39))[1]}"
    assert (found["backend"], found["hits"]) == ("reference", {})


def test_numba_that_is_switched_off_scores_the_same(probe: Run) -> None:
    found = probe(NUMBA_DISABLE_JIT="1")
    assert found["reason"] == "numba is switched off by NUMBA_DISABLE_JIT"
    assert found["backend"] == "reference"


def test_bulk_is_counted_in_bytes_of_text(package: Path, scorer_path: Path) -> None:
    program = (
        "import json, sys; from pathlib import Path; from topicml.scoring import backends;"
        "from topicml.scoring.scorer_file import load_scorer;"
        "scorer = load_scorer(Path(sys.argv[1])); loaded = [];"
        "[(scorer.score(b' ' * size, [0, size]), loaded.append('numba' in sys.modules))"
        " for size in (1000, backends.BULK - 1001, 1)];"
        "print(json.dumps([*loaded, scorer.backend]))"
    )
    found = run(program, str(scorer_path), package=package)
    assert found == [False, False, True, "compiled"]


def test_importing_the_package_loads_no_numba(package: Path) -> None:
    program = (
        "import json, sys; import topicml.scoring.compiled, topicml.compiling;"
        "import topicml.api, topicml.cli;"
        "topicml.compiling.is_installed(); print(json.dumps('numba' in sys.modules))"
    )
    assert run(program, package=package) is False


@pytest.mark.parametrize("folder", ["/proc/nope", "a file"])
def test_cache_setting_that_is_no_folder_is_passed_over(
    probe: Run, package: Path, tmp_path: Path, folder: str
) -> None:
    if folder == "a file":
        (tmp_path / folder).touch()
        folder = str(tmp_path / folder)
    assert probe(NUMBA_CACHE_DIR=folder)["folder"] == str(package / CACHE)


def read_only(package: Path) -> None:
    """Make it as if nothing could be written beside the source; not even root can here."""
    shutil.rmtree(package / CACHE)
    (package / CACHE).touch()


def test_read_only_install_keeps_compiled_code_with_the_user(package: Path, tmp_path: Path) -> None:
    read_only(package)
    for hits in (0, 1):
        found = run(FILL_ONCE, package=package, XDG_CACHE_HOME=str(tmp_path / "cache"))
        assert found["values"] == [1, 2]
        assert found["hits"] == hits
        assert found["folder"].startswith(str(tmp_path / "cache"))


@pytest.mark.soak
def test_where_nothing_can_be_kept_every_process_compiles_anew(package: Path) -> None:
    read_only(package)
    for _ in range(2):
        found = run(FILL_ONCE, package=package, XDG_CACHE_HOME="/proc/nope", HOME="/proc/nope")
        assert found["values"] == [1, 2]
        assert (found["hits"], found["folder"]) == (0, None)


@pytest.mark.soak
def test_where_nothing_can_be_kept_texts_are_scored(probe: Run, package: Path) -> None:
    read_only(package)
    found = probe(XDG_CACHE_HOME="/proc/nope", HOME="/proc/nope")
    assert found["hits"] == {"fill_table": 0, "add_texts": 0}


def test_full_disk_breaks_nothing(probe: Run, package: Path) -> None:
    for suffix in (".nbi", ".nbc"):
        for path in cache_files(package, "fill_table", suffix):
            path.unlink()
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
    found = probe(prelude=limit)
    assert found["hits"] == {"add_texts": 1, "fill_table": 0}


DAMAGE = f"""import sys
from pathlib import Path
{FILL}
def hits():
    compiler.compile_kernel.cache_clear()
    values, _, hits = fill()
    assert sorted(values) == [1, 2]
    return hits

found = {{}}
for path in map(Path, sys.argv[1:]):
    for name, damage in {{
        "empty": lambda data: b"",
        "truncated early": lambda data: data[:5],
        "truncated": lambda data: data[: len(data) // 2],
        "one byte short": lambda data: data[:-1],
        "garbage": lambda data: bytes(range(256)) * (len(data) // 256 + 1),
        "zeros": lambda data: bytes(len(data)),
        "text": lambda data: b"<html>not found</html>",
        "another pickle": lambda data: b"I1\\n.",
    }}.items():
        path.write_bytes(damage(path.read_bytes()))
        found[path.suffix + " " + name] = [hits(), hits()]
print(json.dumps(found))
"""


def test_damaged_cache_is_made_anew(package: Path) -> None:
    files = [*cache_files(package, "fill_table", ".n*")]
    found = run(DAMAGE, *map(str, files), package=package)
    assert len(found) == 16
    assert set(map(tuple, found.values())) == {(0, 1)}, found


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_texts_are_scored_where_the_cache_is_damaged(
    probe: Run, package: Path, suffix: str
) -> None:
    for path in cache_files(package, "fill_table", suffix):
        path.write_bytes(path.read_bytes()[:-100])
    assert probe()["hits"] == {"add_texts": 1, "fill_table": 0}


@pytest.mark.soak
@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_damaged_cache_of_the_whole_kernel_is_made_anew(
    probe: Run, package: Path, suffix: str
) -> None:
    for path in cache_files(package, "add_texts", suffix):
        path.write_bytes(path.read_bytes()[:-100])
    assert probe()["hits"] == {"add_texts": 0, "fill_table": 1}
    assert probe()["hits"] == {"add_texts": 1, "fill_table": 1}


def test_lost_cache_file_is_made_anew(probe: Run, package: Path) -> None:
    for path in cache_files(package, "fill_table", ".nbc"):
        path.unlink()
    assert probe()["hits"] == {"add_texts": 1, "fill_table": 0}


def is_kept(package: Path, **settings: str) -> bool:
    program = "import json; from topicml.scoring import compiler;"
    program += "print(json.dumps(compiler.is_compiled_kept()))"
    found: bool = run(program, package=package, **settings)
    return found


def test_it_is_told_whether_compiled_code_is_kept_without_compiling(
    package: Path, tmp_path: Path
) -> None:
    assert is_kept(package)
    assert not is_kept(package, NUMBA_CACHE_DIR=str(tmp_path / "empty"))
    assert not is_kept(package, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")
    assert not is_kept(package, NUMBA_DISABLE_JIT="1")
    (code,) = cache_files(package, "add_texts", ".nbc")
    moved = code.rename(tmp_path / code.name)
    assert not is_kept(package)
    moved.rename(code)
    assert is_kept(package)
    (index,) = cache_files(package, "add_texts", ".nbi")
    index.write_bytes(index.read_bytes()[:-1])
    assert not is_kept(package)


def test_code_of_a_kernel_that_was_changed_since_does_not_count_as_kept(package: Path) -> None:
    change_kernel(package, "0x5BD1E995", "0x3BD1E995")
    assert not is_kept(package)


def test_changed_source_is_not_run_as_it_was(package: Path) -> None:
    """Constants alone are changed: the bytecode stays the same."""
    source = package / KERNEL
    before = source.read_text(encoding="utf-8")
    changed = before.replace("0x5BD1E995", "0x3BD1E995")
    assert len(changed) == len(before)
    old = run(FILL_ONCE, package=package)
    assert old["hits"] == 1
    source.write_text(changed, encoding="utf-8")
    new = run(FILL_ONCE, package=package)
    assert new["values"] == [1, 2]
    assert new["places"] != old["places"]
    assert new["hits"] == 0


@pytest.mark.soak
def test_disk_full_after_a_change_leaves_nothing_stale(package: Path) -> None:
    """The index of the cache is written first, and would then stand before older code."""
    source = package / KERNEL
    before = source.read_text(encoding="utf-8")
    changed = before.replace("0x5BD1E995", "0x3BD1E995")
    old = run(FILL_ONCE, package=package)
    source.write_text(changed, encoding="utf-8")
    (index,) = cache_files(package, "fill_table", ".nbi")
    (code,) = cache_files(package, "fill_table", ".nbc")
    size = (index.stat().st_size + code.stat().st_size) // 2
    assert index.stat().st_size + 1000 < size < code.stat().st_size - 1000
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))\n"
    for prelude in (limit, "", ""):
        found = run(FILL_ONCE, package=package, prelude=prelude, PYTHONDONTWRITEBYTECODE="1")
        assert found["places"] != old["places"]
    assert found["hits"] == 1


def score_twice(package: Path, scorer_path: Path, texts: list[str], **settings: str) -> Any:
    """What the reference scorer finds and then the kernel, in a fresh process."""
    program = (
        "import json, sys; from pathlib import Path;"
        "from topicml.scoring.scorer_file import load_scorer;"
        "scorer = load_scorer(Path(sys.argv[1])); texts = json.loads(sys.argv[2]);"
        "found = [scorer.predict_proba(texts).tolist()];"
        "scorer.use('compiled'); found.append(scorer.predict_proba(texts).tolist());"
        "print(json.dumps(found))"
    )
    return run(program, str(scorer_path), json.dumps(texts), package=package, **settings)


def change_kernel(package: Path, old: str, new: str) -> None:
    before = (package / KERNEL).read_text(encoding="utf-8")
    assert old in before
    (package / KERNEL).write_text(before.replace(old, new), encoding="utf-8")


@pytest.mark.soak
def test_changed_callee_is_not_run_as_it_was(package: Path, scorer_path: Path) -> None:
    texts = ["fleet " * 500 + "at the"]
    old = score_twice(package, scorer_path, texts)
    np.testing.assert_allclose(old[0], old[1], rtol=0, atol=1e-12)
    change_kernel(package, "return 1.0 + math.log(times)", "return 5.0 + math.log(times)")
    new = score_twice(package, scorer_path, texts)
    assert new[0] == old[0]
    assert np.abs(np.subtract(new[1], old[1])).max() > 0.001


@pytest.mark.soak
def test_tokens_without_a_slot_nearby_are_not_cached(package: Path, scorer_path: Path) -> None:
    change_kernel(package, "PROBES = 100 ", "PROBES = 1 ")
    change_kernel(package, "mask = len(slots) - SLOT", "mask = 3 * SLOT")
    texts = [" ".join(f"fleet{n}" for n in range(first, first + 9)) for first in range(0, 900, 9)]
    reference, compiled = score_twice(package, scorer_path, [*texts, *SEA_TEXTS])
    np.testing.assert_allclose(compiled, reference, rtol=0, atol=1e-12)


@pytest.mark.soak
def test_kernel_stays_inside_its_arrays(package: Path, scorer_path: Path, tmp_path: Path) -> None:
    """The compiled kernel does not check bounds; here it is compiled so that it does."""
    program = (
        "import json, random, sys; from pathlib import Path\n"
        "from topicml.scoring.scorer_file import load_scorer\n"
        "import numpy as np\n"
        "scorers = [load_scorer(Path(sys.argv[1])) for _ in range(2)]\n"
        "[s.use(name) for s, name in zip(scorers, ('reference', 'compiled'))]\n"
        "random.seed(0)\n"
        "pieces = [p.encode() for p in sys.argv[2:]] + [bytes([n]) for n in range(256)]\n"
        "for count in [0, 1, 2, 3, 10, 100, 1000, 3000] * 20:\n"
        "    data = b''.join(random.choices(pieces, k=count))\n"
        "    cuts = sorted(random.choices(range(len(data) + 1), k=random.randrange(5)))\n"
        "    found = [s.score(data, [0, *cuts, len(data)]) for s in scorers]\n"
        "    for one, other in zip(*found):\n"
        "        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)\n"
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
