"""GET /openapi.json, held against the specification by its own validator."""

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator


@pytest.mark.parametrize("backend", ["in process", "served"], indirect=True)
async def test_the_document_is_valid_openapi(events: httpx.AsyncClient) -> None:
    document = (await events.get("/openapi.json")).json()

    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


async def test_the_validator_would_find_a_fault(events: httpx.AsyncClient) -> None:
    document = (await events.get("/openapi.json")).json()
    del document["info"]["version"]

    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == [
        "'version' is a required property"
    ]
