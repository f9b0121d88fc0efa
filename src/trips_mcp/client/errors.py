"""What can go wrong in a call.

TripsError
├── CannotConnectError       the API could not be opened at all: database, base URL, settings
├── NotConfiguredError       no endpoint for this API, as the event tools with a trips key alone
├── MissingScopeError        the key is known to lack what this call needs; nothing was sent
├── UnavailableError         no answer: refused, reset, timed out
├── OutcomeUnknownError      a write that may have been made, and no answer says so
├── BadAnswerError           an answer that is not of the contract
└── ApiError                 the API said no
    ├── InvalidError         400, 413, 422
    ├── UnauthorizedError    401
    ├── ForbiddenError       403
    ├── NotFoundError        404
    ├── ConflictError        409
    ├── GoneError            410
    ├── RateLimitedError     429
    └── ServerFaultError     5xx

The text of each is one sentence of ours, so a model may read it. It repeats what the API said only where
the API refused the request (4xx), and then cleaned (`refusals.py`). Needs no httpx.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from trips_mcp.contract.errors import Fault
from trips_mcp.contract.operation import Api, Operation

API_NAMES: Final[dict[Api, str]] = {"trips": "the Trips API", "events": "the Events API"}
_KEYS: Final[dict[Api, str]] = {"trips": "OSOTO_API_KEY", "events": "TRAVELMODE_TOKEN"}


class TripsError(Exception):
    """Any failure of a call."""


class CannotConnectError(TripsError):
    pass


class NotConfiguredError(TripsError):
    def __init__(self, operation: Operation[Any, Any]) -> None:
        api = operation.api
        super().__init__(f"{operation.name} needs {API_NAMES[api]}, which is not set up; set {_KEYS[api]}.")
        self.operation = operation


class MissingScopeError(TripsError):
    def __init__(self, operation: Operation[Any, Any], scope: str, *, other_trip: bool = False) -> None:
        lack = "has only for another trip" if other_trip else "does not have"
        super().__init__(
            f"{operation.name} needs the scope {scope}, which this API key {lack}; "
            f"make a key with it in Osoto under Settings → API Keys and set {_KEYS[operation.api]}."
        )
        self.operation = operation
        self.scope = scope


class UnavailableError(TripsError):
    def __init__(
        self, operation: Operation[Any, Any], why: str, *, sent: bool, retry_after: float | None = None
    ) -> None:
        super().__init__(f"{_subject(operation)} did not answer {operation.name}: {why}.")
        self.operation = operation
        self.sent = sent
        """Whether the request may have reached the API, so that a write may have been carried out."""
        self.retry_after = retry_after
        """Seconds to wait before another call; None where nothing is known of it."""


class OutcomeUnknownError(TripsError):
    """What went wrong last is its `__cause__`. The next identical call finishes this one (`docs/reliability.md`)."""

    def __init__(
        self,
        operation: Operation[Any, Any],
        why: str = "the service did not answer",
        *,
        repeatable: bool = True,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"Whether {operation.name} took effect is unknown: {why}.")
        self.operation = operation
        self.why = why
        self.repeatable = repeatable
        """Whether an identical call can tell that this one was carried out, or has the service tell."""
        self.retry_after = retry_after
        """Seconds to wait before another call; None where nothing is known of it."""


class BadAnswerError(TripsError):
    def __init__(
        self,
        operation: Operation[Any, Any],
        why: str,
        *,
        status: int | None = None,
        excerpt: str = "",
    ) -> None:
        super().__init__(f"{_subject(operation)} answered {operation.name} {why}.")
        self.operation = operation
        self.status = status
        self.excerpt = excerpt
        """How the body begins. For logs at most: it is not ours, and may hold anything."""


class ApiError(TripsError):
    did: ClassVar[str] = "refused"
    means: ClassVar[str] = "it gave no reason that could be read"
    """What to say where the API's own words are missing, or not fit to repeat."""

    def __init__(
        self,
        operation: Operation[Any, Any],
        *,
        status: int,
        code: str,
        message: str = "",
        request_id: str | None = None,
        details: Sequence[Fault] = (),
        retry_after: float | None = None,
        by_service: bool = True,
    ) -> None:
        said = message if message and status < 500 else self.means
        super().__init__(f"{_subject(operation)} {self.did} {operation.name}: {said.rstrip('.')}.")
        self.operation = operation
        self.status = status
        self.code = code
        self.message = message
        """What the API said, cleaned; empty where it said nothing."""
        self.request_id = request_id
        self.details = list(details)
        self.retry_after = retry_after
        """Seconds to wait before another attempt, where the API named them."""
        self.by_service = by_service
        """Whether it is the API's own word: anything on the way to it may answer with an error as well."""


class InvalidError(ApiError):
    means = "the request was not valid"


class UnauthorizedError(ApiError):
    means = "the key is missing, wrong or revoked"


class ForbiddenError(ApiError):
    means = "the key does not allow it"


class NotFoundError(ApiError):
    means = "there is no such thing"


class ConflictError(ApiError):
    means = "it conflicts with an earlier request"


class GoneError(ApiError):
    means = "it was deleted"


class RateLimitedError(ApiError):
    means = "there were too many requests in a short time"


class ServerFaultError(ApiError):
    did = "failed at"
    means = "something broke on its side"


def _subject(operation: Operation[Any, Any]) -> str:
    name = API_NAMES[operation.api]
    return name[0].upper() + name[1:]
