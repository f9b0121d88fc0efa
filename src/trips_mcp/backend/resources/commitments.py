"""Handlers of commitments (docs/contract.md)."""

from sqlalchemy import bindparam, case, func

from trips_mcp.backend.callers.access import trip_to_write
from trips_mcp.backend.handler import BackendResponse, Call, serve, serve_read
from trips_mcp.backend.resources.trip_parts import deleter, pager, updater
from trips_mcp.backend.rows.mapping import COMMITMENT, add, new_row
from trips_mcp.backend.rows.paging import Paging
from trips_mcp.backend.rows.references import LEG, MAP_PIN, check_references
from trips_mcp.backend.store.tables import commitments
from trips_mcp.contract.commitments import (
    CREATE_COMMITMENT,
    DELETE_COMMITMENT,
    LIST_COMMITMENTS,
    UPDATE_COMMITMENT,
    Commitment,
    CommitmentPage,
    CreateCommitment,
    DeleteCommitment,
    UpdateCommitment,
)

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
list_commitments = pager(_PAGING, CommitmentPage)


async def create_commitment(call: Call, new: CreateCommitment) -> BackendResponse[Commitment]:
    await trip_to_write(call, new.trip_id)
    fields = new.model_dump(exclude={"trip_id"})
    await check_references(call, _REFERENCES, new.trip_id, fields)
    row = new_row(COMMITMENT, new.trip_id, fields)
    await add(call.db, COMMITMENT, [row])
    return BackendResponse(Commitment, row)


def _id(asked: UpdateCommitment | DeleteCommitment) -> str:
    return asked.commitment_id


update_commitment = updater(COMMITMENT, Commitment, _id, _REFERENCES)
delete_commitment = deleter(COMMITMENT, _id)


HANDLERS = (
    serve_read(LIST_COMMITMENTS, list_commitments),
    serve(CREATE_COMMITMENT, create_commitment),
    serve(UPDATE_COMMITMENT, update_commitment),
    serve(DELETE_COMMITMENT, delete_commitment),
)
