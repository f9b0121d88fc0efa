"""A batch of any size as the requests an API takes: so many items, and less than 1 MiB, in each."""

import json
import unicodedata
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Final, Generic

from pydantic_core import MISSING

from trips_mcp.client.shapes import is_list
from trips_mcp.contract.batches import AtOnce
from trips_mcp.contract.models import Item, Params, is_object
from trips_mcp.contract.operation import Operation, P

LARGEST: Final = 2**20 - 1024
"""Bytes of items in a request; the rest of the MiB is for what stands around them."""


@dataclass(frozen=True, slots=True)
class BatchPart(Generic[P]):
    asked: P
    places: Mapping[str, list[int]]
    """For each list of items, where they stand in the whole list."""
    end: int
    """How many items there are up to and in this part."""

    def items(self, name: str) -> list[tuple[int, Item]]:
        return list(zip(self.places[name], getattr(self.asked, name), strict=True))


def is_batch(operation: Operation[Any, Any]) -> bool:
    return bool(limits(operation.params))


def parts_of(asked: P) -> list[BatchPart[P]]:
    """In order. Every item has a clientRef, if `asked` does not say that it shall go without."""
    most = limits(type(asked))
    waiting = {name: deque(enumerate(_recognisable(asked, name))) for name in most if _is_given(asked, name)}
    parts: list[BatchPart[P]] = []
    end = 0
    while not parts or any(waiting.values()):
        taken = _next(waiting, most)
        end += sum(map(len, taken.values()))
        lists = {name: [item for _, item in items] for name, items in taken.items()}
        part = asked.model_copy(update={**lists, "auto_client_ref": MISSING})
        parts.append(BatchPart(part, {name: [place for place, _ in items] for name, items in taken.items()}, end))
    return parts


def client_ref(item: Item) -> str | None:
    ref = getattr(item, "client_ref", None)
    return ref if isinstance(ref, str) else None


def _next(waiting: dict[str, deque[tuple[int, Item]]], most: dict[str, int]) -> dict[str, list[tuple[int, Item]]]:
    """What fits into one request, taken off the queues."""
    taken: dict[str, list[tuple[int, Item]]] = {name: [] for name in waiting}
    room = LARGEST
    for name, queue in waiting.items():
        while queue and len(taken[name]) < most[name]:
            room -= len(queue[0][1].model_dump_json().encode()) + 1
            # an item that is too large by itself goes alone: to refuse it is for the API
            if room < 0 and any(taken.values()):
                return taken
            taken[name].append(queue.popleft())
    return taken


@cache
def limits(model: type[Params]) -> dict[str, int]:
    """How many items of each list a request takes."""
    return {
        name: mark.items
        for name, described in model.model_fields.items()
        for mark in described.metadata
        if isinstance(mark, AtOnce)
    }


def _is_given(asked: Params, name: str) -> bool:
    return getattr(asked, name) is not MISSING


def _recognisable(asked: Params, name: str) -> Iterator[Item]:
    items: list[Item] = getattr(asked, name)
    derives = getattr(asked, "auto_client_ref", True) is not False
    twins = Counter[str]()
    for item in items:
        yield _with_client_ref(item, twins) if derives and client_ref(item) is None else item


def _with_client_ref(item: Item, twins: Counter[str]) -> Item:
    """One that any process derives from the same content; of twins, each has its own.

    Texts that Unicode calls equivalent are the same: clients on a Mac write ü as two characters, others as one.
    """
    content = json.dumps(_composed(item.model_dump(mode="json")), sort_keys=True, separators=(",", ":"))
    digest = sha256(content.encode()).hexdigest()[:32]
    twins[digest] += 1
    return item.model_copy(update={"client_ref": f"auto-{digest}-{twins[digest]}"})


def _composed(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if is_list(value):
        return [_composed(part) for part in value]
    if is_object(value):
        return {key: _composed(part) for key, part in value.items()}
    return value
