"""JSON-RPC batches of revision 2025-03-26, whose responses are sent together in one array."""

from collections.abc import Sequence

from trips_mcp.delivery import Delivery
from trips_mcp.server.stdio.jsonrpc import Batch


class OpenBatch:
    """A batch with requests that are still running."""

    def __init__(self, batch: Batch) -> None:
        self._answers = [refused.reply().strip() for refused in batch.refused]
        self._left = sum("id" in message for message in batch.messages)
        self.deliveries: list[Delivery] = []
        """The deliveries of the responses in the array."""

    def settle(self, answer: bytes | None, delivery: Delivery | None = None) -> None:
        """Records one response; None for a cancelled request, which gets none."""
        self._left -= 1
        if answer is not None:
            self._answers.append(answer.strip())
        if delivery is not None:
            self.deliveries.append(delivery)

    @property
    def line(self) -> bytes | None:
        """The line to write; None while a request is running, or if there is nothing to send."""
        return None if self._left or not self._answers else array_of(self._answers) + b"\n"


def array_of(answers: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(answers) + b"]"
