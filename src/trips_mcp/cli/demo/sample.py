"""The trip that the demo imports: kyoto.json, which ships beside this file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

KYOTO = Path(__file__).with_name("kyoto.json")

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    trip: Fields
    """What `create_trip` takes, but for the group."""
    sync: dict[str, list[Fields]]
    """What `sync_trip` takes: legs, mapPins, actionItems, each with its clientRef."""
    commitments: list[Fields]
    """What `create_commitment` takes; `leg` and `mapPin` name clientRefs, to be replaced by ids."""
    event: Fields
    """What `create_event` takes, but for the trip's number."""

    @classmethod
    def load(cls, file: Path = KYOTO) -> Self:
        return cls(**json.loads(file.read_text(encoding="utf-8")))

    def count(self, category: str) -> int:
        return len(self.sync[category])
