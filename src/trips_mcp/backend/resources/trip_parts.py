"""Handlers that are the same for every part of a trip: list all, create and upsert."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy import Executable

from trips_mcp.backend.callers.access import trip_to_read, trip_to_write
from trips_mcp.backend.handler import Call, HandlerResult
from trips_mcp.backend.rows.batch import BatchBody, merge_one, report, status_of
from trips_mcp.backend.rows.mapping import listed
from trips_mcp.backend.rows.upsert import Mergeable
from trips_mcp.contract.batches import BatchReport
from trips_mcp.contract.models import Page, Resource, Result
from trips_mcp.contract.path_ids import OfTrip

L = TypeVar("L", bound=Page[Any])
T = TypeVar("T", bound=Resource)
R = TypeVar("R", bound=Result)

TripHandler = Callable[[Call, OfTrip], Awaitable[HandlerResult[R]]]


def lister(query: Executable, page: type[L]) -> TripHandler[L]:
    """A handler that returns all rows of `query`, which selects by `bindparam("trip")`, in one page."""

    async def list_all(call: Call, params: OfTrip) -> HandlerResult[L]:
        await trip_to_read(call, params.trip_id)
        rows = await listed(call.db, query, trip=params.trip_id)
        return HandlerResult(page, {"items": rows, "nextCursor": None})

    return list_all


def creator(mergeable: Mergeable, resource: type[T]) -> TripHandler[T]:
    """A handler that creates a row, or merges into the one with its clientRef."""

    async def create(call: Call, params: OfTrip) -> HandlerResult[T]:
        await trip_to_write(call, params.trip_id)
        row, status = await merge_one(call, mergeable, params.trip_id, params.model_dump(exclude={"trip_id"}))
        return HandlerResult(resource, row, status)

    return create


def upserter(mergeable: Mergeable) -> Callable[[Call, BatchBody], Awaitable[HandlerResult[BatchReport]]]:
    """A handler that upserts a batch and reports on each item."""

    async def upsert(call: Call, params: BatchBody) -> HandlerResult[BatchReport]:
        await trip_to_write(call, params.trip_id)
        outcomes = await report(call, mergeable, params.trip_id, params.items)
        return HandlerResult(BatchReport, outcomes, status_of(outcomes))

    return upsert
