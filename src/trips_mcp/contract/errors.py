"""Error codes, their statuses, and faults in a request (docs/contract.md#errors)."""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

ErrorCode = Literal[
    "VALIDATION_ERROR",
    "UNAUTHORIZED",
    "FORBIDDEN",
    "NOT_FOUND",
    "METHOD_NOT_ALLOWED",
    "IDEMPOTENCY_CONFLICT",
    "PAYLOAD_TOO_LARGE",
    "RATE_LIMITED",
    "INTERNAL_ERROR",
]

STATUS_OF: Final[dict[ErrorCode, int]] = {
    "VALIDATION_ERROR": 400,
    "UNAUTHORIZED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "IDEMPOTENCY_CONFLICT": 409,
    "PAYLOAD_TOO_LARGE": 413,
    "RATE_LIMITED": 429,
    "INTERNAL_ERROR": 500,
}


class Fault(BaseModel):
    """One invalid field of a request: its path, and what is accepted there."""

    model_config = ConfigDict(frozen=True)

    path: str
    reason: str
