"""What `pip install` brings: the code, and of the models what is used without the repository."""

import tomllib
from pathlib import Path

from topicml.models.store import BUNDLED, ModelStore

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
INCLUDED = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]


def test_what_is_packed_lies_where_installed_models_are_looked_for() -> None:
    for source, target in INCLUDED.items():
        assert (ROOT / source).exists(), source
        assert target == f"topicml/{BUNDLED.name}/{Path(source).relative_to('models')}"


def test_every_model_is_packed_with_its_current_version_and_the_one_before() -> None:
    store = ModelStore(ROOT / "models")
    for name in (path.name for path in (ROOT / "models").iterdir()):
        versions = [store.current(name)]
        if (ROOT / f"models/{name}/previous").exists():
            versions.append(store.previous_version(name))
        for version in versions:
            paths = {f"models/{name}", f"models/{name}/{version}"}
            assert paths & INCLUDED.keys(), f"{name}@{version}"


def test_a_retraining_starts_from_what_is_packed() -> None:
    assert "models/alliance-topics/background" in INCLUDED
    assert "models/alliance-topics/parameters.json" in INCLUDED
