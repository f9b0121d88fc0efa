"""Several messages at once, as revision 2025-03-26 has them: their answers go out together, in one array."""

from collections.abc import Sequence

from trips_mcp.delivery import Delivery
from trips_mcp.server.stdio.jsonrpc import Batch


class OpenBatch:
    """A batch some of whose requests are not yet settled."""

    def __init__(self, batch: Batch) -> None:
        self._answers = [refused.reply().strip() for refused in batch.refused]
        self._left = sum("id" in message for message in batch.messages)
        self.deliveries: list[Delivery] = []
        """Of the answers that are in it."""

    def settle(self, answer: bytes | None, delivery: Delivery | None = None) -> None:
        """One of its requests; None for one that was cancelled, which is not answered."""
        self._left -= 1
        if answer is not None:
            self._answers.append(answer.strip())
        if delivery is not None:
            self.deliveries.append(delivery)

    @property
    def line(self) -> bytes | None:
        """The line to write; None as long as a request is under way, and where there is nothing to answer."""
        return None if self._left or not self._answers else array_of(self._answers) + b"\n"


def array_of(answers: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(answers) + b"]"
