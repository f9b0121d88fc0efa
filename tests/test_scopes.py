import pytest

from trips_mcp.scopes import BASE_SCOPES, Scope, allows


@pytest.mark.parametrize("text", [*BASE_SCOPES, "trips:write:jx7abc", "messages:read:a:b"])
def test_a_scope_reads_back_as_it_was_written(text: str) -> None:
    assert str(Scope.parse(text)) == text


@pytest.mark.parametrize("text", ["", "trips", "trips:delete", "trips:read:", ":", "TRIPS:READ", "trips :read"])
def test_what_is_no_scope_is_refused_with_the_accepted_ones(text: str) -> None:
    with pytest.raises(ValueError, match="expected trips:read, trips:write, messages:read, messages:write"):
        Scope.parse(text)


def test_writing_does_not_imply_reading() -> None:
    assert not allows([Scope.parse("trips:write")], "trips:read", "jx7")


def test_a_scope_without_a_trip_covers_every_trip() -> None:
    assert allows([Scope.parse("trips:read")], "trips:read", "jx7")
    assert allows([Scope.parse("trips:read")], "trips:read", None)


def test_a_scope_of_one_trip_covers_that_trip_alone() -> None:
    limited = [Scope.parse("trips:write:jx7")]

    assert allows(limited, "trips:write", "jx7")
    assert not allows(limited, "trips:write", "jx8")
    assert not allows(limited, "trips:write", None)
