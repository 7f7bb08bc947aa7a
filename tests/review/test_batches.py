"""Requests that wait are tagged together, and no one pays for another."""

import asyncio
import threading
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topicml.review import batches as module
from topicml.review.batches import Batches
from topicml.review.classifier import Asked, Workers
from topicml.review.problems import Problem
from topicml.text.document import Document


class Echo:
    """Gives documents back as articles, and notes in which batches they came."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate = threading.Event()
        self.gate.set()

    def tag(self, documents: Sequence[Document], asked: Asked) -> list[tuple[str, str | None]]:
        self.gate.wait(60)
        self.batches.append([document.id for document in documents])
        if any(document.text == "fails" for document in documents):
            raise ValueError(documents[-1].id)
        return [(document.id, asked.model) for document in documents]


def documents(*ids: str, text: str = "x") -> list[Document]:
    return [Document(name, text) for name in ids]


@pytest.fixture
def echo() -> Echo:
    return Echo()


def make(echo: Echo, most_waiting: int = 100) -> Batches:
    workers = Workers()
    workers.count = 1
    return Batches(echo, workers, most_waiting)  # type: ignore[arg-type]


def test_what_waits_is_tagged_in_one_pass_and_each_gets_its_own(echo: Echo) -> None:
    async def ask() -> list[list[tuple[str, str | None]]]:
        batches = make(echo)
        echo.gate.clear()
        calls = [
            asyncio.create_task(batches.tag(documents(*ids), Asked(model), list))
            for ids, model in (("a", None), ("bc", None), ("d", None), ("e", "m"), ("f", None))
        ]
        await asyncio.sleep(0.05)
        echo.gate.set()
        return await asyncio.gather(*calls)

    found = asyncio.run(ask())
    assert found[1] == [("b", None), ("c", None)]
    assert found[3] == [("e", "m")]
    assert echo.batches == [["a", "b", "c", "d"], ["e"], ["f"]]


def test_an_error_is_told_to_whom_it_belongs(echo: Echo) -> None:
    async def ask() -> list[object]:
        batches = make(echo)
        given = (documents("a"), documents("b", text="fails"), documents("c"))
        calls = (batches.tag(each, Asked(), list) for each in given)
        return await asyncio.gather(*calls, return_exceptions=True)

    first, failed, last = asyncio.run(ask())
    assert (first, last) == ([("a", None)], [("c", None)])
    assert isinstance(failed, ValueError)
    assert failed.args == ("b",)


def test_too_many_are_turned_away_until_some_are_done(echo: Echo) -> None:
    async def ask() -> Problem:
        batches = make(echo, most_waiting=2)
        echo.gate.clear()
        calls = [asyncio.create_task(batches.tag(documents("a"), Asked(), list))]
        await asyncio.sleep(0.05)  # it is under way, and waits no longer
        calls += [asyncio.create_task(batches.tag(documents("b"), Asked(), list)) for _ in "12"]
        await asyncio.sleep(0)
        with pytest.raises(Problem) as refused:
            await batches.tag(documents("c"), Asked(), list)
        echo.gate.set()
        await asyncio.gather(*calls)
        await batches.tag(documents("d"), Asked(), list)
        return refused.value

    refused = asyncio.run(ask())
    assert refused.status_code == 429
    assert refused.headers == {"Retry-After": "1"}


def test_whoever_goes_away_stops_no_other(echo: Echo) -> None:
    async def ask() -> object:
        batches = make(echo)
        echo.gate.clear()
        gone, stays = (
            asyncio.create_task(batches.tag(documents(name), Asked(), list)) for name in "ab"
        )
        await asyncio.sleep(0.05)
        gone.cancel()
        echo.gate.set()
        return await asyncio.wait_for(stays, 60)

    assert asyncio.run(ask()) == [("b", None)]


@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_short_texts_do_not_wait_for_all_long_ones(sizes: list[int]) -> None:
    echo = Echo()

    async def ask() -> None:
        batches = make(echo)
        calls = (
            batches.tag(documents(str(place), text="x" * size), Asked(), list)
            for place, size in enumerate(sizes)
        )
        await asyncio.gather(*calls)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MOST_CHARACTERS", 50)
        asyncio.run(ask())
    assert [int(name) for batch in echo.batches for name in batch] == [*range(len(sizes))]
    assert all(len(b) == 1 or sum(sizes[int(name)] for name in b) <= 50 for b in echo.batches)
