"""A tiny encoder for all tests of a session. Run by `make check-neural`."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import toy

from topicml.network import encoder
from topicml.network.base import Base

torch.set_num_threads(1)  # for so small an encoder, threads cost more than they bring


@pytest.fixture(autouse=True)
def full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same numbers whatever the processor can do."""
    monkeypatch.setattr(encoder, "has_fast_bfloat16", lambda: False)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Base, Path]:
    folder = tmp_path_factory.mktemp("base") / "tiny"
    return toy.make_base(folder), folder


@pytest.fixture(scope="session")
def base(made: tuple[Base, Path]) -> Base:
    """The encoder's name and hashes."""
    return made[0]


@pytest.fixture(scope="session")
def folder(made: tuple[Base, Path]) -> Path:
    """The encoder's files; tests that change one copy them first."""
    return made[1]
