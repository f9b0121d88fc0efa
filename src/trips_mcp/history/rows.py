"""Changes and plans as rows: columns to search by, and a body as JSON."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from trips_mcp.history import ItemChange, PlanRecord, RecordedChange
from trips_mcp.json_values import is_unicode

JOINED_WITHIN: Final = 24 * 3600.0
"""Seconds in which a repeated call may complete an earlier one."""
PLAN_KEPT: Final = 24 * 3600.0
"""Seconds after a plan has expired."""

CHANGE_COLUMNS: Final = (
    *("id", "account", "trip", "tool", "made_at", "state", "digest", "plan", "undoes", "undone", "replaces", "numbers"),
)
PLAN_COLUMNS: Final = ("id", "account", "trip", "format", "made_at", "expires", "state")

_BESIDE: Final = 300
"""Bytes of a row's columns, about."""

Row = tuple[Any, ...]


def change_row(change: RecordedChange) -> Row:
    """`CHANGE_COLUMNS` and the body."""
    body = {
        "arguments": change.arguments,
        "items": [_filled_in(item) for item in change.items],
    }
    numbers = "".join(f",{number}" for number in change.numbers) + ","
    return (*(getattr(change, name) for name in CHANGE_COLUMNS[:-1]), numbers, _compact(body))


def change_of(row: Row) -> RecordedChange:
    """Raises: ValueError if the body is not one of ours."""
    *columns, text = row
    try:
        body = json.loads(text)
        items = tuple(map(_item, body["items"]))
        known: dict[str, Any] = dict(zip(CHANGE_COLUMNS, columns, strict=True))
        known["undone"] = bool(known["undone"])
        numbers: str = known["numbers"]
        known["numbers"] = tuple(int(number) for number in numbers.split(",") if number)
        return RecordedChange(**known, arguments=body["arguments"], items=items)
    except (TypeError, KeyError) as error:
        raise ValueError("a change in it cannot be read") from error


def plan_row(plan: PlanRecord) -> Row:
    """`PLAN_COLUMNS` and the body."""
    return (*(getattr(plan, name) for name in PLAN_COLUMNS), _compact(plan.body))


def plan_of(row: Row) -> PlanRecord:
    *columns, text = row
    return PlanRecord(**dict(zip(PLAN_COLUMNS, columns, strict=True)), body=json.loads(text))


def size(row: Row) -> int:
    """Bytes, about."""
    return len(row[-1]) + _BESIDE


def _filled_in(item: ItemChange) -> dict[str, Any]:
    """The fields that differ from their defaults."""
    found = {one.name: getattr(item, one.name) for one in fields(item)}
    return {name: value for name, value in found.items() if value != _ITEM_DEFAULTS.get(name)}


_ITEM_DEFAULTS: Final[Mapping[str, Any]] = {"before": None, "after": None, "before_is_known": True, "fields": ()}


def _item(found: dict[str, Any]) -> ItemChange:
    known: dict[str, Any] = {**found, "fields": tuple(found.get("fields", ()))}
    return ItemChange(**known)


def _compact(body: object) -> str:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return text if is_unicode(text) else json.dumps(body, separators=(",", ":"))
