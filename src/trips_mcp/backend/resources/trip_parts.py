"""Handlers that are the same for every part of a trip: list, create, upsert, update and delete."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from pydantic_core import MISSING
from sqlalchemy import Executable

from trips_mcp.backend.callers.access import trip_to_read, trip_to_write
from trips_mcp.backend.handler import BackendResponse, Call
from trips_mcp.backend.rows.batch import BatchBody, merge_one, report, status_of
from trips_mcp.backend.rows.mapping import ResourceMapping, listed
from trips_mcp.backend.rows.paging import Paging
from trips_mcp.backend.rows.references import Reference
from trips_mcp.backend.rows.update import change_row, delete_row
from trips_mcp.backend.rows.upsert import Mergeable
from trips_mcp.contract.batches import BatchReport
from trips_mcp.contract.models import Deleted, OfTrip, Page, Resource, Result
from trips_mcp.contract.patch_clear import UpdateOfTrip

L = TypeVar("L", bound=Page[Any])
T = TypeVar("T", bound=Resource)
R = TypeVar("R", bound=Result)
U = TypeVar("U", bound=UpdateOfTrip)
D = TypeVar("D", bound=OfTrip)

TripHandler = Callable[[Call, OfTrip], Awaitable[BackendResponse[R]]]


class Paged(Protocol):
    """Parameters of a list of a trip with pages."""

    @property
    def trip_id(self) -> str: ...
    @property
    def limit(self) -> int | MISSING: ...
    @property
    def cursor(self) -> str | MISSING: ...


def pager(paging: Paging, page: type[L], default: int = 100) -> Callable[[Call, Paged], Awaitable[BackendResponse[L]]]:
    """A handler that returns one page of a list; `default` is its length if the request has no limit."""

    async def list_page(call: Call, params: Paged) -> BackendResponse[L]:
        await trip_to_read(call, params.trip_id)
        limit = default if params.limit is MISSING else params.limit
        rows = await paging.page(call, params.trip_id, limit, params.cursor)
        return BackendResponse(page, rows.told())

    return list_page


def lister(query: Executable, page: type[L]) -> TripHandler[L]:
    """A handler that returns all rows of `query`, which selects by `bindparam("trip")`, in one page."""

    async def list_all(call: Call, params: OfTrip) -> BackendResponse[L]:
        await trip_to_read(call, params.trip_id)
        rows = await listed(call.db, query, trip=params.trip_id)
        return BackendResponse(page, {"items": rows, "nextCursor": None})

    return list_all


def creator(mergeable: Mergeable, resource: type[T]) -> TripHandler[T]:
    """A handler that creates a row, or merges into the one with its clientRef."""

    async def create(call: Call, params: OfTrip) -> BackendResponse[T]:
        await trip_to_write(call, params.trip_id)
        row, status = await merge_one(call, mergeable, params.trip_id, params.model_dump(exclude={"trip_id"}))
        return BackendResponse(resource, row, status)

    return create


def upserter(mergeable: Mergeable) -> Callable[[Call, BatchBody], Awaitable[BackendResponse[BatchReport]]]:
    """A handler that upserts a batch and reports on each item."""

    async def upsert(call: Call, params: BatchBody) -> BackendResponse[BatchReport]:
        await trip_to_write(call, params.trip_id)
        outcomes = await report(call, mergeable, params.trip_id, params.items)
        return BackendResponse(BatchReport, outcomes, status_of(outcomes))

    return upsert


def updater(
    mapping: ResourceMapping, resource: type[T], row_id: Callable[[U], str], references: tuple[Reference, ...] = ()
) -> Callable[[Call, U], Awaitable[BackendResponse[T]]]:
    """A handler that updates one row; `row_id` reads its id from the parameters."""

    async def update(call: Call, params: U) -> BackendResponse[T]:
        await trip_to_write(call, params.trip_id)
        return BackendResponse(
            resource, await change_row(call, mapping, params.trip_id, row_id(params), params, references)
        )

    return update


def deleter(
    mapping: ResourceMapping, row_id: Callable[[D], str]
) -> Callable[[Call, D], Awaitable[BackendResponse[Deleted]]]:
    """A handler that deletes one row; `row_id` reads its id from the parameters."""

    async def delete(call: Call, params: D) -> BackendResponse[Deleted]:
        await trip_to_write(call, params.trip_id)
        await delete_row(call, mapping, params.trip_id, row_id(params))
        return BackendResponse(Deleted)

    return delete
