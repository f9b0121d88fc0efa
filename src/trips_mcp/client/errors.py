"""The errors of a call.

TripsError
├── CannotConnectError       the API cannot be used at all: database, base URL, settings
├── NotConfiguredError       no endpoint for this API, such as the Events API with only a trips key
├── MissingScopeError        the key is known to lack the scope; nothing was sent
├── UnavailableError         no answer: refused, reset, timed out
├── OutcomeUnknownError      a write that may have been carried out, and no answer says so
├── BadAnswerError           an answer that breaks the contract
└── ApiError                 the API refused the request
    ├── InvalidError         400, 413, 422
    ├── UnauthorizedError    401
    ├── ForbiddenError       403
    ├── NotFoundError        404
    ├── ConflictError        409
    ├── GoneError            410
    ├── RateLimitedError     429
    └── ServerFaultError     5xx

The text of each is one sentence of ours, so a model may read it. It repeats the API's message only if the API
refused the request (4xx), and then cleaned (`error_responses.py`). Does not import httpx.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from trips_mcp.contract.errors import Fault
from trips_mcp.contract.operation import Api, Operation

API_NAMES: Final[dict[Api, str]] = {"trips": "the Trips API", "events": "the Events API"}
_KEYS: Final[dict[Api, str]] = {"trips": "OSOTO_API_KEY", "events": "TRAVELMODE_TOKEN"}


class TripsError(Exception):
    """Base class of every failure of a call."""


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
        """Seconds to wait before another call, if known."""


class OutcomeUnknownError(TripsError):
    """`__cause__` is the last failure. The next identical call completes this one (`docs/reliability.md`)."""

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
        """Whether an identical call can find out, itself or from the service, if this one was carried out."""
        self.retry_after = retry_after
        """Seconds to wait before another call, if known."""


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
        """The beginning of the body. Only for logs: it is untrusted text."""


class ApiError(TripsError):
    did: ClassVar[str] = "refused"
    means: ClassVar[str] = "it gave no reason that could be read"
    """The reason in our words, for a message that is missing or must not be repeated."""

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
        reason = message if message and status < 500 else self.means
        super().__init__(f"{_subject(operation)} {self.did} {operation.name}: {reason.rstrip('.')}.")
        self.operation = operation
        self.status = status
        self.code = code
        self.message = message
        """The API's message, cleaned; may be empty."""
        self.request_id = request_id
        self.details = list(details)
        self.retry_after = retry_after
        """Seconds to wait before another attempt, if the API named them."""
        self.by_service = by_service
        """Whether the API itself answered, rather than a proxy or gateway on the way to it."""


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
