"""The user whom an access token names."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class User:
    """Who is signed in, as an access token says it. Role and methods are at most as old as the token.

    `id` never changes and belongs to one account for ever: store it, not an e-mail address. `session_id` is a UUID.
    `amr` has the methods of the sign-in (RFC 8176). `auth_time` is its time in seconds since the epoch. `actor_id` is
    the administrator who acts as the user, or None. `claims` has all claims of the token, and is this call's own copy.
    """

    id: int
    session_id: str
    role: str | None
    amr: frozenset[str]
    auth_time: int | None
    actor_id: int | None
    claims: dict[str, Any]
