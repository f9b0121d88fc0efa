"""What a plan shows before anything is written."""

import pytest

from .conftest import Do
from .services import Call

pytestmark = pytest.mark.anyio

TOKYO = {
    "order": 2,
    "title": "Tokyo",
    "destination": "Tokyo",
    "startDate": "2026-11-04",
    "endDate": "2026-11-10",
    "timezone": "Asia/Tokyo",
}
DINNER = {"title": "Dinner", "startDate": "2026-11-02", "category": "dinner"}


@pytest.fixture
async def kyoto(do: Do, trip_id: str) -> str:
    """A leg of the trip."""
    leg = await do(
        "create_leg",
        tripId=trip_id,
        order=1,
        title="Kyoto",
        destination="Kyoto",
        startDate="2026-11-01",
        endDate="2026-11-05",
        timezone="Asia/Tokyo",
        accommodation={"name": "Inn", "doorCode": "1234"},
    )
    return leg["_id"]


async def test_a_preview_shows_what_would_be_created_changed_deleted_and_unlinked(
    do: Do, trip_id: str, kyoto: str
) -> None:
    dinner = await do("create_commitment", tripId=trip_id, **DINNER, legId=kyoto)
    before = await do("export_trip", tripId=trip_id)

    preview = await do(
        "plan_changes",
        tripId=trip_id,
        changes=[
            {"tool": "create_leg", "arguments": TOKYO, "as": "tokyo"},
            {"tool": "create_commitment", "arguments": {**DINNER, "title": "@work", "legId": "@tokyo"}},
            {"tool": "update_trip", "arguments": {"title": "Japan", "endDate": "2026-11-12"}},
            {"tool": "delete_leg", "arguments": {"legId": kyoto}},
        ],
    )

    assert preview["created"] == [
        {"kind": "leg", "name": "@tokyo", "title": "Tokyo", "after": TOKYO},
        {
            "kind": "commitment",
            "title": "@work",
            "after": {**DINNER, "title": "@work", "legId": "@tokyo"},
        },
    ]
    assert preview["changed"] == [
        {
            "kind": "trip",
            "id": trip_id,
            "title": "Kyoto",
            "before": {"title": "Kyoto", "endDate": "2026-11-10"},
            "after": {"title": "Japan", "endDate": "2026-11-12"},
        }
    ]
    assert [one["id"] for one in preview["deleted"]] == [kyoto]
    assert [(one["id"], one["unlinkedFrom"]) for one in preview["unlinked"]] == [(dinner["_id"], [kyoto])]
    assert any(finding["kind"] == "leg_gap" for finding in preview["caused"])
    assert "Undone, a deleted item comes back under a new id." in preview["cannotBeUndone"]
    assert await do("export_trip", tripId=trip_id) == before, "a preview writes nothing"


async def test_all_faults_are_told_at_once_each_with_its_change(call: Call, trip_id: str, kyoto: str) -> None:
    answer = await call(
        "plan_changes",
        tripId=trip_id,
        changes=[
            {"tool": "update_leg", "arguments": {"legId": kyoto, "startDate": "2026-11-31"}},
            {"tool": "get_day", "arguments": {"date": "today"}},
            {"tool": "fly_away", "arguments": {}},
            {"tool": "create_commitment", "arguments": {**DINNER, "legId": "@tokyo"}},
            {"tool": "create_leg", "arguments": TOKYO, "as": "tokyo"},
            {"tool": "create_leg", "arguments": TOKYO, "as": "tokyo"},
            {"tool": "create_commitment", "arguments": {**DINNER, "legId": "@nara"}},
            {"tool": "delete_leg", "arguments": {"legId": kyoto, "tripId": "trip_other"}},
        ],
    )

    assert answer.is_error
    assert answer.text == (
        "Not planned, nothing was sent. Fix these changes: "
        "changes.0.arguments.startDate: not a real date, expected YYYY-MM-DD; "
        "changes.1.tool: get_day only reads; name a tool that writes, such as update_leg; "
        "changes.2.tool: unknown tool; name a tool that writes, such as update_leg; "
        "changes.3.arguments.legId: @tokyo is created only by changes.4; put that one first; "
        "changes.5.as: changes.4 has this name already; "
        "changes.6.arguments.legId: no change has as: nara; "
        f"changes.7.arguments.tripId: this plan is about {trip_id}; leave it out, or make another plan."
    )


async def test_what_the_service_would_refuse_is_told_before_anything_is_sent(
    call: Call, trip_id: str, kyoto: str
) -> None:
    answer = await call(
        "plan_changes",
        tripId=trip_id,
        changes=[
            {"tool": "update_leg", "arguments": {"legId": "leg_nowhere", "title": "Nowhere"}},
            {"tool": "update_leg", "arguments": {"legId": kyoto, "startDate": "2027-11-02"}},
        ],
    )

    assert answer.is_error
    assert "changes.0: The Trips API refused update_leg: There is no such leg in this trip" in answer.text
    assert "changes.1.arguments.endDate: is before startDate" in answer.text


async def test_a_commitment_s_change_is_tried_out_and_a_shift_is_refused(do: Do, call: Call, trip_id: str) -> None:
    dinner = await do("create_commitment", tripId=trip_id, **DINNER)
    update = {"tool": "update_commitment", "arguments": {"commitmentId": dinner["_id"], "startDate": "2026-11-03"}}
    shift = {"tool": "update_commitment", "arguments": {"commitmentId": dinner["_id"], "shiftDays": 1}}

    preview = await do("plan_changes", tripId=trip_id, changes=[update])
    refused = await call("plan_changes", tripId=trip_id, changes=[shift])

    assert [item["after"] for item in preview["changed"]] == [{"startDate": "2026-11-03"}]
    assert refused.is_error
    assert "changes.0: a plan takes no shift; set startDate, startTime and endTime, or use plan_move" in refused.text
