"""The origin of a request."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """Client address, user agent and request id, for the audit log. None where unknown, as on the command line."""

    ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
