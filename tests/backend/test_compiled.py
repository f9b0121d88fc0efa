"""Statements as SQL for the driver: many lengths of lists, each compiled once, no text whose columns are unknown."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import Any, ClassVar

import httpx
import pytest
from sqlalchemy import Column, Dialect, Executable, Integer, MetaData, String, Table, bindparam, select, text
from sqlalchemy.dialects import sqlite

from trips_mcp.backend.store.connection import CompiledStatement, CompiledStatements

MOST = 64
ROWS = Table("rows", MetaData(), Column("id", Integer, primary_key=True), Column("name", String))
NAMED = select(ROWS.c.name).where(ROWS.c.id.in_(bindparam("ids", expanding=True))).order_by(ROWS.c.id)


def test_every_length_of_a_list_finds_its_rows_also_past_the_variants_that_are_kept() -> None:
    statements = CompiledStatements(sqlite.dialect())
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, name TEXT)")
        db.executemany("INSERT INTO rows VALUES (?, ?)", [(n, f"row {n}") for n in range(100)])
        for length in [*range(2 * MOST), 1, 0, MOST, MOST + 1]:
            parameters = {"ids": list(range(length))}
            compiled = statements.of(NAMED, parameters)
            found = db.execute(compiled.sql, compiled.arguments(parameters)).fetchall()

            names = compiled.rows(found, len(found)).scalars()
            assert names == [f"row {n}" for n in range(min(length, 100))]


def test_no_more_than_so_many_variants_of_a_statement_are_kept() -> None:
    statements = CompiledStatements(sqlite.dialect())
    first = statements.of(NAMED, {"ids": [0]})
    for length in range(2, MOST + 1):
        statements.of(NAMED, {"ids": [0] * length})
    assert statements.of(NAMED, {"ids": [7]}) is first

    statements.of(NAMED, {"ids": [0] * (MOST + 1)})

    assert statements.of(NAMED, {"ids": [7]}) is not first


def test_text_is_refused_as_it_does_not_name_its_columns() -> None:
    with pytest.raises(AssertionError):
        CompiledStatement(text("SELECT 1"), sqlite.dialect(), {})


class CountedStatement(CompiledStatement):
    """Notes the SQL of each statement that is compiled."""

    made: ClassVar[list[str]] = []

    def __init__(
        self, statement: Executable, dialect: Dialect, parameters: Mapping[str, Any], *, many: bool = False
    ) -> None:
        super().__init__(statement, dialect, parameters, many=many)
        self.made.append(self.sql)


async def test_no_request_compiles_a_statement_that_an_earlier_one_compiled(
    api: httpx.AsyncClient,
    events: httpx.AsyncClient,
    trip: str,
    leg: dict[str, Any],
    pin: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("trips_mcp.backend.store.connection.CompiledStatement", CountedStatement)
    monkeypatch.setattr(CountedStatement, "made", [])
    details = (await api.get(trip)).json()
    me = (await api.get("/me")).json()
    channel = f"{trip}/channels/{(await api.get(f'{trip}/channels')).json()['items'][0]['_id']}"

    async def write(ref: str) -> None:
        new = {name: details[name] for name in ("groupId", "title", "startDate", "endDate")}
        assert (await api.post("/trips", json=new)).status_code == 201
        assert (await api.post(f"{trip}/legs", json=leg | {"clientRef": ref})).status_code == 201
        assert (await api.post(f"{trip}/map-pins", json=pin | {"clientRef": ref})).status_code == 201
        item = {"text": "Buy a rail pass", "urgency": "now", "owner": me["user"]["_id"], "clientRef": ref}
        item_id = (await api.post(f"{trip}/action-items", json=item)).json()["_id"]
        await api.patch(f"{trip}/action-items/{item_id}", json={"completed": True})
        await api.delete(f"{trip}/action-items/{item_id}")
        commitment = {"title": "Dinner", "startDate": "2027-04-02", "category": "dinner"}
        assert (await api.post(f"{trip}/commitments", json=commitment)).status_code == 201
        assert (await api.post(f"{channel}/messages", json={"content": "Hello"})).status_code == 201
        assert (await api.post(f"{trip}/share-token")).is_success
        assert (await api.delete(f"{trip}/share-token")).is_success
        attached = {"type": "activity", "title": ref, "date": "2027-04-02", "attach": {"trip_ids": [details["number"]]}}
        event = f"/v1/events/{(await events.post('/v1/events', json=attached)).json()['event_id']}"
        assert (await events.patch(event, json={"title": "Walk", "attach": {"trip_ids": []}})).is_success
        assert (await events.delete(event)).is_success

    async def read() -> None:
        for path in ("", "/legs", "/map-pins", "/action-items", "/commitments", "/members", "/channels", "/export"):
            assert (await api.get(trip + path)).status_code == 200
        assert (await api.get("/trips")).status_code == 200
        assert (await api.get("/me")).status_code == 200

    await write("first")
    await read()
    CountedStatement.made.clear()

    await write("second")
    await read()

    assert CountedStatement.made == []
