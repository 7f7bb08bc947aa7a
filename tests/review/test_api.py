"""The REST API: what ``topicml classify`` would say, over HTTP."""

from fastapi.testclient import TestClient

from topicml.models.store import default_store
from topicml.review.app import create_app
from topicml.review.settings import Settings


def test_a_text_is_tagged() -> None:
    settings = Settings(default_store(), token="t" * 16)
    with TestClient(create_app(settings), base_url=settings.address) as client:
        client.headers["Authorization"] = f"Bearer {settings.token}"
        answer = client.post("/api/classify", json={"text": "Ministers signed a treaty."})
    assert answer.status_code == 200
    assert answer.json()[0]["id"] == "0"
