"""SQL of introspection."""

from uuid import UUID

from latchkey.database.pool import Queryable
from latchkey.sessions.queries import IS_LIVE
from latchkey.sessions.standing import IS_SUSPENDED


async def owners_of_live(database: Queryable, session_ids: list[UUID]) -> dict[UUID, int]:
    """Returns the users of those of the sessions that are live. A deleted or suspended user's session is not."""
    rows = await database.fetch(
        "SELECT sessions.id, user_id FROM sessions JOIN users ON users.id = user_id"  # noqa: S608 constants
        f" WHERE sessions.id = ANY($1) AND {IS_LIVE} AND NOT is_deleted AND NOT {IS_SUSPENDED}",
        session_ids,
    )
    return {row["id"]: row["user_id"] for row in rows}
