"""A new refresh token, before it is stored and sent."""

from dataclasses import dataclass
from uuid import UUID

from latchkey.http.request_kind import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """A new refresh token, and the id of the access token that it will be sent with.

    `issued_at` and `expires_at` are in seconds since the epoch.
    """

    token: str
    user_id: int
    session_id: UUID
    access_id: str
    issued_at: int
    expires_at: int
    transport: Transport
    remember: bool
