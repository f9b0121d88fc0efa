"""The split of a batch of any size into requests that an API accepts.

Each request stays within the operation's number of items and below 1 MiB.
"""

import json
import unicodedata
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Generic

from pydantic_core import MISSING

from trips_mcp.contract.batches import limits
from trips_mcp.contract.models import Item, Params
from trips_mcp.contract.operation import P
from trips_mcp.json_values import is_list, is_object

LARGEST: Final = 2**20 - 1024
"""Bytes of items in a request. The rest of the MiB is for the JSON around them."""


@dataclass(frozen=True, slots=True)
class BatchPart(Generic[P]):
    params: P
    places: Mapping[str, list[int]]
    """For each list, the items' indexes in the whole list."""
    end: int
    """Number of items up to the end of this part."""

    def items(self, name: str) -> list[tuple[int, Item]]:
        """Each item of the list with its index in the whole list."""
        return list(zip(self.places[name], getattr(self.params, name), strict=True))


def parts_of(params: P) -> list[BatchPart[P]]:
    """The parts in order. Every item gets a clientRef unless `params` switches that off."""
    most = limits(type(params))
    waiting = {
        name: deque(enumerate(_with_client_refs(params, name))) for name in most if getattr(params, name) is not MISSING
    }
    parts: list[BatchPart[P]] = []
    end = 0
    while not parts or any(waiting.values()):
        taken = _next(waiting, most)
        end += sum(map(len, taken.values()))
        lists = {name: [item for _, item in items] for name, items in taken.items()}
        part = params.model_copy(update={**lists, "auto_client_ref": MISSING})
        parts.append(BatchPart(part, {name: [place for place, _ in items] for name, items in taken.items()}, end))
    return parts


def client_ref(item: Item) -> str | None:
    ref = getattr(item, "client_ref", None)
    return ref if isinstance(ref, str) else None


def _next(waiting: dict[str, deque[tuple[int, Item]]], most: dict[str, int]) -> dict[str, list[tuple[int, Item]]]:
    """The items for one request, removed from the queues."""
    taken: dict[str, list[tuple[int, Item]]] = {name: [] for name in waiting}
    room = LARGEST
    for name, queue in waiting.items():
        while queue and len(taken[name]) < most[name]:
            room -= len(queue[0][1].model_dump_json().encode()) + 1
            # an item that is too large by itself goes alone; the API refuses it
            if room < 0 and any(taken.values()):
                return taken
            taken[name].append(queue.popleft())
    return taken


def _with_client_refs(params: Params, name: str) -> Iterator[Item]:
    items: list[Item] = getattr(params, name)
    derives = getattr(params, "auto_client_ref", True) is not False
    twins = Counter[str]()
    for item in items:
        yield _with_client_ref(item, twins) if derives and client_ref(item) is None else item


def _with_client_ref(item: Item, twins: Counter[str]) -> Item:
    """Adds a clientRef that any process derives from the same content. Identical items are numbered.

    Texts that are equivalent in Unicode count as equal: clients on a Mac write ü as two characters, others as one.
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
