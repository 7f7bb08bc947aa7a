"""Requests made up from the API's own description: none is a server error, all answers conform."""

import pytest
import schemathesis
from conftest import SERVER_TOKEN
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import positive_data_acceptance

from topicml.review.settings import Settings

HEADERS = {"Authorization": f"Bearer {SERVER_TOKEN}", "Host": "127.0.0.1:8321"}
OPERATIONS = (
    *(("/api/health", "GET"), ("/api/models", "GET")),
    *(("/api/topics", "GET"), ("/api/classify", "POST")),
)


@pytest.fixture(scope="module")
def described(app_here: FastAPI) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_asgi("/api/openapi.json", app_here, headers=HEADERS)


def test_every_operation_is_asked(described: schemathesis.BaseSchema) -> None:
    found = {(path, method.upper()) for path in described for method in described[path]}
    assert found == {*OPERATIONS}


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
@settings(suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_request_is_an_error_of_the_server(
    described: schemathesis.BaseSchema,
    settings_here: Settings,
    path: str,
    method: str,
    data: st.DataObject,
) -> None:
    operation = described[path][method]
    modes = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]
    case = data.draw(st.one_of(modes))
    case.call_and_validate(
        base_url=settings_here.address,
        headers=HEADERS,
        excluded_checks=[positive_data_acceptance],  # a text of blanks conforms, and is refused
    )
