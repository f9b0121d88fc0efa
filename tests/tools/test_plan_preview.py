"""What a plan shows before anything is written."""

from typing import Any

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


async def test_what_a_plan_cannot_contain_is_told_in_one_sentence_each(call: Call, trip_id: str) -> None:
    def commitment(name: str, leg: str) -> dict[str, Any]:
        return {"tool": "create_commitment", "arguments": {**DINNER, "legId": f"@{leg}"}, "as": name}

    answer = await call(
        "plan_changes",
        tripId=trip_id,
        changes=[
            {"tool": "apply_plan", "arguments": {"planId": "plan_x"}},
            {"tool": "plan_changes", "arguments": {"changes": []}},
            {"tool": "check_trip"},
            commitment("a", "b"),
            commitment("b", "c"),
            commitment("c", "a"),
            commitment("d", "d"),
        ],
    )

    assert answer.is_error
    assert answer.text == (
        "Not planned, nothing was sent. Fix these changes: "
        "changes.0.tool: a plan cannot contain apply_plan; list its changes instead; "
        "changes.1.tool: a plan cannot contain plan_changes; list its changes instead; "
        "changes.2.tool: check_trip only reads; name a tool that writes, such as update_leg; "
        "changes.3.arguments.legId: @b itself needs @a; create one of them without the other, and link them by an "
        "update; "
        "changes.4.arguments.legId: @c itself needs @b; create one of them without the other, and link them by an "
        "update; "
        "changes.6.arguments.legId: @d is what this change creates; it has no id before."
    )


async def test_two_changes_of_one_item_are_made_in_their_order(do: Do, trip_id: str, kyoto: str) -> None:
    first = {"legId": kyoto, "title": "Nara", "destination": "Nara"}
    second = {"legId": kyoto, "title": "Uji"}
    plan = await do(
        "plan_changes",
        tripId=trip_id,
        changes=[{"tool": "update_leg", "arguments": arguments} for arguments in (first, second)],
    )
    await do("apply_plan", planId=plan["planId"])
    export = await do("export_trip", tripId=trip_id)

    assert [one["after"] for one in plan["changed"]] == [{"title": "Uji", "destination": "Nara"}]
    assert (export["legs"][0]["title"], export["legs"][0]["destination"]) == ("Uji", "Nara")


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


async def test_a_moved_leg_takes_its_findings_with_it_and_another_gap_is_a_new_one(do: Do, trip_id: str) -> None:
    inn = {"name": "Inn", "checkIn": "2026-11-01T15:00", "checkOut": "2026-11-03T10:00"}
    dates = {"startDate": "2026-11-01", "endDate": "2026-11-04"}
    kyoto = await do("create_leg", tripId=trip_id, **{**TOKYO, **dates}, accommodation=inn)
    tokyo = await do("create_leg", tripId=trip_id, **{**TOKYO, "startDate": "2026-11-04", "endDate": "2026-11-09"})
    later = {"legId": tokyo["_id"], "startDate": "2026-11-05", "endDate": "2026-11-10"}
    longer = {"legId": kyoto["_id"], "endDate": "2026-11-05"}
    inn_later = {"checkIn": "2026-11-02T15:00", "checkOut": "2026-11-04T10:00"}
    traded = {"legId": kyoto["_id"], "accommodation": inn_later}

    moved = await do(
        "plan_changes",
        tripId=trip_id,
        changes=[{"tool": "update_leg", "arguments": change} for change in (later, longer)],
    )
    other_night = await do("plan_changes", tripId=trip_id, changes=[{"tool": "update_leg", "arguments": traded}])

    def nights(findings: list[dict[str, Any]]) -> list[tuple[str, str]]:
        return [(one["date"], one["about"][0]["legId"]) for one in findings if one["kind"] == "no_bed"]

    assert nights(moved.get("caused", [])) == nights(moved.get("fixed", [])) == []
    assert nights(other_night["caused"]) == [("2026-11-01", kyoto["_id"])]
    assert nights(other_night["fixed"]) == [("2026-11-03", kyoto["_id"])]
    report = await do("apply_plan", planId=moved["planId"])
    assert "caused" not in report, "the same comparison as in the preview"


async def test_findings_are_compared_whole_and_shown_as_far_as_there_is_room(do: Do, call: Call, trip_id: str) -> None:
    first = {**DINNER, "startTime": "18:00", "endTime": "20:00", "timezone": "Asia/Tokyo"}
    plans = [await do("create_commitment", tripId=trip_id, **{**first, "title": f"Dinner {n}"}) for n in range(18)]
    before = await do("check_trip", tripId=trip_id)
    later = {"commitmentId": plans[0]["_id"], "startTime": "20:00", "endTime": "21:00"}

    preview = await call("plan_changes", tripId=trip_id, changes=[{"tool": "update_commitment", "arguments": later}])
    found = preview.structured or {}

    assert before["notShown"] > 0
    assert found["fixed"]
    assert all(plans[0]["_id"] in str(one["about"]) for one in found["fixed"]), "others were only not shown before"
    assert not [one for one in found.get("caused", []) if plans[0]["_id"] not in str(one["about"])]


async def test_a_finding_that_lists_items_is_caused_by_those_that_a_plan_adds(do: Do, trip_id: str) -> None:
    dinner = {**DINNER, "startTime": "18:00", "timezone": "Asia/Tokyo"}  # without an end
    first = await do("create_commitment", tripId=trip_id, **dinner)
    other = {**dinner, "startDate": "2026-11-04"}
    end = {"commitmentId": first["_id"], "endTime": "20:00"}

    more = await do("plan_changes", tripId=trip_id, changes=[{"tool": "create_commitment", "arguments": other}])
    fewer = await do("plan_changes", tripId=trip_id, changes=[{"tool": "update_commitment", "arguments": end}])
    renamed = {"commitmentId": first["_id"], "title": "Supper"}
    same = await do("plan_changes", tripId=trip_id, changes=[{"tool": "update_commitment", "arguments": renamed}])

    def lists(preview: dict[str, Any]) -> dict[str, int]:
        found = {name: [one["kind"] for one in preview.get(name, [])] for name in ("caused", "fixed")}
        return {name: kinds.count("no_end") for name, kinds in found.items()}

    assert lists(more) == {"caused": 1, "fixed": 0}
    assert lists(fewer) == {"caused": 0, "fixed": 1}
    assert lists(same) == {"caused": 0, "fixed": 0}
