"""References between changes: where "@name" stands for an id, and where it is text."""

from trips_mcp.planning.change import Change


def test_a_reference_stands_only_in_a_field_that_holds_ids():
    change = Change(
        "create_commitment", {"tripId": "t", "title": "@work", "legId": "@kyoto", "people": [{"userIds": ["@a", "b"]}]}
    )

    assert list(change.references()) == [("legId", "kyoto"), ("people.0.userIds.0", "a")]
    assert change.with_ids(lambda name, _: {"kyoto": "l1", "a": "u1"}[name]) == {
        "tripId": "t",
        "title": "@work",
        "legId": "l1",
        "people": [{"userIds": ["u1", "b"]}],
    }


def test_a_change_survives_json():
    for change in (Change("delete_leg", {"tripId": "t", "legId": "l"}), Change("create_leg", {"tripId": "t"}, "kyoto")):
        assert Change.of_json(change.as_json()) == change
