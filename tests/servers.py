"""An application over the tiny model, asked in this process."""

from __future__ import annotations

import pytest
from conftest import Tiny
from fastapi import FastAPI
from fastapi.testclient import TestClient

from topicml.review.app import create_app
from topicml.review.settings import Limits, Settings

TOKEN = "a-token-of-tests-only"  # noqa: S105


@pytest.fixture(scope="session")
def settings(tiny: Tiny) -> Settings:
    limits = Limits(body=200_000, unpacked=300_000, texts=50, receive_seconds=0.5)
    return Settings(
        *(tiny.store, None, tiny.taxonomy),
        token=TOKEN,
        names=("topics.example", "other.example:444"),
        limits=limits,
    )


@pytest.fixture(scope="session")
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture(scope="session")
def stranger(app: FastAPI, settings: Settings) -> TestClient:
    """Shows no token."""
    return TestClient(
        app, settings.address, raise_server_exceptions=False, follow_redirects=False, cookies={}
    )


@pytest.fixture(scope="session")
def client(app: FastAPI, settings: Settings) -> TestClient:
    """Shows the token."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return TestClient(app, settings.address, headers=headers, raise_server_exceptions=False)
