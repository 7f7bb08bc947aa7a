"""A module imports only from layers below it, and what tagging reaches imports little."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from topicml.cli.app import COMMANDS

SOURCE = Path(__file__).resolve().parents[1] / "src"
LAYERS = (
    {"errors", "stopping", "version"},
    {"files", "compiling"},
    {"appending", "pages", "scheme", "toml"},
    {"taxonomy"},
    {"project"},
    {"text"},
    {"scoring"},
    {"tagging"},
    {"io"},
    {"labels"},
    {"network"},
    {"training"},
    {"models"},
    {"explain"},
    {"report"},
    {"batch"},
    {"watch"},
    {"api"},
    {"review"},
    {"cli"},
    {"", "__main__"},  # the package itself shows the whole API
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
NEURAL = {"torch", "transformers", "peft", "safetensors", "tokenizers"}
REMOTE = {"fsspec", "s3fs", "gcsfs", "aiohttp"}
WEB = {"fastapi", "pydantic", "starlette", "uvicorn", "jinja2", "watchfiles", "feedparser"}
HEAVY = (
    {"sklearn", "scipy", "joblib", "rich", "numba", "pyarrow", "pandas", "mlflow"}
    | NEURAL
    | REMOTE
    | WEB
)


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): ast.parse(path.read_text("utf-8")) for path in SOURCE.rglob("*.py")}


def statements(node: ast.AST, *, top_only: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield imports that happen: none for type checkers, inside functions only if asked."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        elif not (top_only and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)):
            yield from statements(child, top_only=top_only)


def for_type_checking(module: str) -> set[str]:
    """Modules of the package that a module imports for type checkers alone."""
    guarded = [
        node
        for node in ast.walk(MODULES[module])
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
    ]
    inside = (child for node in guarded for child in ast.walk(node))
    return {
        child.module or "" for child in inside if isinstance(child, ast.ImportFrom)
    } & MODULES.keys()


def imports(module: str, *, top_only: bool = False) -> set[str]:
    found: set[str] = set()
    for statement in statements(MODULES[module], top_only=top_only):
        if isinstance(statement, ast.Import):
            found |= {alias.name for alias in statement.names}
        else:
            assert statement.level == 0, f"{module}: relative import"
            source = statement.module or ""
            names = {f"{source}.{alias.name}" for alias in statement.names}
            inside = names & MODULES.keys()
            found |= inside
            if len(inside) < len(names):
                found.add(source)
    return found


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def reached(start: str) -> set[str]:
    """All modules of the package that importing one imports, packages around them included."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        module = waiting.pop()
        if module in seen or module not in MODULES:
            continue
        seen.add(module)
        waiting += imports(module, top_only=True)
        if "." in module:
            waiting.append(module.rpartition(".")[0])
    return seen


def test_every_module_has_a_layer() -> None:
    assert {room(module) for module in MODULES} == LEVEL.keys()


@pytest.mark.parametrize("module", sorted(MODULES))
def test_module_imports_only_from_layers_below(module: str) -> None:
    inside = {name for name in imports(module) if name in MODULES}
    wrong = {
        name
        for name in inside
        if room(name) != room(module) and LEVEL[room(name)] >= LEVEL[room(module)]
    }
    assert not wrong


def test_no_module_names_a_layer_above_even_for_type_checking() -> None:
    upward = {
        (module, name)
        for module in MODULES
        for name in for_type_checking(module)
        if room(name) != room(module) and LEVEL[room(name)] >= LEVEL[room(module)]
    }
    assert not upward


def test_there_are_no_cycles() -> None:
    graph = {module: imports(module) & MODULES.keys() for module in MODULES}
    order = list(TopologicalSorter(graph).static_order())
    assert sorted(order) == sorted(MODULES)
    assert order.index("topicml.errors") < order.index("topicml.cli.app")


STARTS = ("topicml.__main__", *(f"topicml.cli.{command}" for command in COMMANDS))
LIGHT = set().union(*map(reached, STARTS))


@pytest.mark.parametrize("module", sorted(LIGHT))
def test_what_the_command_loads_at_its_start_is_light(module: str) -> None:
    heavy = {name.split(".")[0] for name in imports(module, top_only=True)} & HEAVY
    assert not heavy


def test_tagging_is_among_what_the_command_loads_at_its_start() -> None:
    assert {
        *(
            "topicml.cli.classify",
            "topicml.scoring.scorer",
            "topicml.scoring.backends",
            "topicml.scoring.reference",
        ),
        *("topicml.text.sentences", "topicml.tagging.abstention"),
    } <= LIGHT
    assert not LIGHT & {"topicml.training.fit", "topicml.scoring.kernel"}


TRAINS_NETWORKS = {
    f"topicml.models.{name}" for name in ("distill", "fold_networks", "train_network")
}
WITHOUT_EXTRA = {"topicml.network.backend", "topicml.network.base", "topicml.network.fetch_base"}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_only_networks_and_what_trains_them_need_the_extra_neural(module: str) -> None:
    found = imports(module, top_only=True)
    needs = {name for name in found if name.startswith("topicml.network.")} - WITHOUT_EXTRA
    if room(module) != "network" or module in WITHOUT_EXTRA:
        assert not {name.split(".")[0] for name in found} & NEURAL
        assert not needs or module in TRAINS_NETWORKS
    if module not in TRAINS_NETWORKS:
        assert not found & TRAINS_NETWORKS  # imported inside the functions that train
