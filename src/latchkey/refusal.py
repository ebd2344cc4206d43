"""What the service refuses, whatever brought the request: the cases of every feature are subclasses of Refusal.

Each class is one case. Its status, code and public message are class attributes, so that an endpoint declares the cases
it can give and the OpenAPI document lists them. Production keeps the cause for the log; `latchkey dev` may add it to the
answer.
"""

from dataclasses import dataclass
from typing import ClassVar

RETRY_AFTER_SECONDS = 2
"""What a 503 asks a client to wait: databases come back in seconds, and a longer pause would outlast the fault."""


class Refusal(Exception):
    """An answer that refuses; raised anywhere below the edge, turned into the envelope there.

    Raising it means that nothing happened, or that what had to be written is committed already.
    """

    status: ClassVar[int]
    code: ClassVar[str]
    message: ClassVar[str]
    closes_connection: ClassVar[bool] = False

    def __init__(self, *, headers: tuple[tuple[str, str], ...] = (), cause: str = "") -> None:
        super().__init__(self.message)
        self.headers = headers
        self.cause = cause


@dataclass(frozen=True, slots=True)
class FieldError:
    """One bad field: its JSON name and what is wrong with it."""

    field: str
    message: str


class ValidationFailed(Refusal):
    """A field, query or path value is bad; one entry for every bad field."""

    status, code, message = 400, "VALIDATION_ERROR", "Validation failed"

    def __init__(self, *fields: FieldError) -> None:
        super().__init__()
        self.fields = fields


class ServiceUnavailable(Refusal):
    """The database, the hashing queue or the store of counts cannot answer now."""

    status, code, message = 503, "SERVICE_UNAVAILABLE", "Service temporarily unavailable"

    def __init__(self) -> None:
        super().__init__(headers=(("Retry-After", str(RETRY_AFTER_SECONDS)),))
