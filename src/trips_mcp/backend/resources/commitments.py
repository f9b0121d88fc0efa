"""Handlers of commitments (docs/contract.md)."""

from pydantic_core import MISSING
from sqlalchemy import bindparam, case, func

from trips_mcp.backend.callers.access import trip_to_read, trip_to_write
from trips_mcp.backend.handler import Call, HandlerResult
from trips_mcp.backend.rows.mapping import COMMITMENT, add, new_row
from trips_mcp.backend.rows.paging import Paging
from trips_mcp.backend.rows.references import LEG, MAP_PIN, check_references
from trips_mcp.backend.rows.update import change_row, delete_row
from trips_mcp.backend.store.tables import commitments
from trips_mcp.contract.commitments import (
    Commitment,
    CommitmentPage,
    CreateCommitment,
    DeleteCommitment,
    ListCommitments,
    UpdateCommitment,
)
from trips_mcp.contract.models import Deleted

_REFERENCES = (LEG, MAP_PIN)
# commitments without a time come first in a day; the times of an all-day one are ignored
_STARTS = case((commitments.c.is_all_day, ""), else_=func.coalesce(commitments.c.start_time, ""))
BY_START = (commitments.c.start_date, _STARTS, commitments.c.seq)
_PAGING = Paging(
    "commitments",
    COMMITMENT.select,
    commitments.c.trip_id == bindparam("owner"),
    dict(zip(BY_START, (str, str, int), strict=True)),
)


async def list_commitments(call: Call, asked: ListCommitments) -> HandlerResult[CommitmentPage]:
    await trip_to_read(call, asked.trip_id)
    limit = 100 if asked.limit is MISSING else asked.limit
    page = await _PAGING.page(call, asked.trip_id, limit, asked.cursor)
    return HandlerResult(CommitmentPage, page.told())


async def create_commitment(call: Call, new: CreateCommitment) -> HandlerResult[Commitment]:
    await trip_to_write(call, new.trip_id)
    fields = new.model_dump(exclude={"trip_id"})
    await check_references(call, _REFERENCES, new.trip_id, fields)
    row = new_row(COMMITMENT, new.trip_id, fields)
    await add(call.db, COMMITMENT, [row])
    return HandlerResult(Commitment, row)


async def update_commitment(call: Call, asked: UpdateCommitment) -> HandlerResult[Commitment]:
    await trip_to_write(call, asked.trip_id)
    row = await change_row(call, COMMITMENT, asked.trip_id, asked.commitment_id, asked, _REFERENCES)
    return HandlerResult(Commitment, row)


async def delete_commitment(call: Call, asked: DeleteCommitment) -> HandlerResult[Deleted]:
    await trip_to_write(call, asked.trip_id)
    await delete_row(call, COMMITMENT, asked.trip_id, asked.commitment_id)
    return HandlerResult(Deleted)
