"""Refusals: the expected errors of all features, which are subclasses of Refusal.

Each class is one case. Its status, code and public message are class attributes, so an endpoint can declare its cases
and the OpenAPI document can list them. Production only logs the cause; `latchkey dev` may add it to the answer.
"""

from dataclasses import dataclass
from typing import ClassVar

RETRY_AFTER_SECONDS = 2
"""Seconds that a 503 asks a client to wait.

A database returns within seconds, and a longer pause would outlast the fault.
"""


class Refusal(Exception):
    """Refuses a request. Any code below the edge may raise it; the edge turns it into the envelope.

    On raise, nothing has changed, or the necessary changes are committed.
    """

    status: ClassVar[int]
    code: ClassVar[str]
    message: ClassVar[str]
    closes_connection: ClassVar[bool] = False
    challenge: str = ""
    """The parameters of `WWW-Authenticate: Bearer` in a 403 (RFC 6750 section 3), with a leading space."""

    def __init__(self, *, headers: tuple[tuple[str, str], ...] = (), cause: str = "") -> None:
        super().__init__(self.message)
        self.headers = headers
        self.cause = cause


@dataclass(frozen=True, slots=True)
class FieldError:
    """A bad field: its JSON name, and what is wrong with it."""

    field: str
    message: str


class ValidationFailed(Refusal):
    """A field, query or path value is bad. The answer has one entry for every bad field."""

    status, code, message = 400, "VALIDATION_ERROR", "Validation failed"

    def __init__(self, *fields: FieldError) -> None:
        super().__init__()
        self.fields = fields


class ServiceUnavailable(Refusal):
    """The database, the hashing queue or the store of counts is unavailable."""

    status, code, message = 503, "SERVICE_UNAVAILABLE", "Service temporarily unavailable"

    def __init__(self) -> None:
        super().__init__(headers=(("Retry-After", str(RETRY_AFTER_SECONDS)),))
