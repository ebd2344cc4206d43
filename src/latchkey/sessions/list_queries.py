"""SQL of the list of a user's sessions."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from latchkey.database.pool import Queryable
from latchkey.sessions.queries import IS_IN_USE


@dataclass(frozen=True, slots=True)
class ListedSession:
    """A live session as its user sees it. Times are UTC. `last_used_at` is the time of its last refresh.

    `device` is empty for an unknown user agent, and None if an older version opened the session. `impersonated`: an
    administrator acts for the user in it.
    """

    id: UUID
    created_at: datetime
    last_used_at: datetime
    ip: str | None
    user_agent: str | None
    device: str | None
    transport: str
    impersonated: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the list of a user's sessions: the place of a session with these values, even if it no longer
    exists."""

    last_used_at: datetime
    session_id: UUID


async def live_of_user(database: Queryable, user_id: int, limit: int, after: Place | None) -> list[ListedSession]:
    """Returns at most `limit` live sessions of a user, newest use first, from `after` on (None: from the first)."""
    rows = await database.fetch(
        "SELECT id, created_at, last_used_at, ip, user_agent, device, transport,"  # noqa: S608 constants
        " actor_id IS NOT NULL AS impersonated FROM sessions"
        f" WHERE user_id = $1 AND {IS_IN_USE}"
        " AND ($3::timestamptz IS NULL OR (last_used_at, id) < ($3, $4::uuid))"
        " ORDER BY last_used_at DESC, id DESC LIMIT $2",
        user_id,
        limit,
        after.last_used_at if after else None,
        after.session_id if after else None,
    )
    return [ListedSession(**dict(row)) for row in rows]
