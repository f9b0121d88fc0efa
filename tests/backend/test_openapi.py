"""GET /openapi.json, held against the specification by its own validator."""

from collections.abc import Callable

import httpx
from openapi_spec_validator import OpenAPIV31SpecValidator

Service = Callable[[str | None], httpx.AsyncClient]


async def test_the_document_is_valid_openapi(events: httpx.AsyncClient) -> None:
    document = (await events.get("/openapi.json")).json()

    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


async def test_with_keys_it_is_the_same_document(events: httpx.AsyncClient, service: Service) -> None:
    assert (await service(None).get("/openapi.json")).json() == (await events.get("/openapi.json")).json()


async def test_the_validator_would_find_a_fault(events: httpx.AsyncClient) -> None:
    document = (await events.get("/openapi.json")).json()
    del document["info"]["version"]
    document |= {"paths": {}, "components": {}}  # it takes a second for all of them

    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == [
        "'version' is a required property"
    ]
