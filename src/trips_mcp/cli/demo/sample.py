"""The sample trip that the demo imports, from kyoto.json in this folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

KYOTO = Path(__file__).with_name("kyoto.json")

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    trip: Fields
    """The arguments of `create_trip`, without the group."""
    sync: dict[str, list[Fields]]
    """The arguments of `sync_trip`: legs, mapPins, actionItems, each with its clientRef."""
    commitments: list[Fields]
    """The arguments of `create_commitment`; ids replace the clientRefs in `leg` and `mapPin`."""
    event: Fields
    """The arguments of `create_event`, without the trip's number."""

    @classmethod
    def load(cls, file: Path = KYOTO) -> Self:
        return cls(**json.loads(file.read_text(encoding="utf-8")))

    def count(self, category: str) -> int:
        return len(self.sync[category])
