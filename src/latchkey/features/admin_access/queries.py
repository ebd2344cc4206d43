"""SQL of admin access."""

from dataclasses import dataclass
from uuid import UUID

from latchkey.database.pool import Queryable
from latchkey.sessions.queries import AUTHENTICATED_AT, IS_LIVE
from latchkey.sessions.standing import IS_SUSPENDED


@dataclass(frozen=True, slots=True)
class Caller:
    """The user of a live session: whether they are an admin, and for how many seconds they have been signed in."""

    is_admin: bool
    signed_in_seconds: float


async def find_caller(database: Queryable, session_id: UUID, user_id: int) -> Caller | None:
    """Returns the user of a session; None if the session is not live, or the user is deleted or suspended."""
    row = await database.fetchrow(
        "SELECT role = 'admin' AS is_admin,"  # noqa: S608 constants
        f" extract(epoch FROM now() - {AUTHENTICATED_AT})::float8 AS signed_in_seconds"
        " FROM sessions JOIN users ON users.id = user_id"
        f" WHERE sessions.id = $1 AND user_id = $2 AND {IS_LIVE} AND NOT is_deleted AND NOT {IS_SUSPENDED}",
        session_id,
        user_id,
    )
    return Caller(row["is_admin"], row["signed_in_seconds"]) if row else None
