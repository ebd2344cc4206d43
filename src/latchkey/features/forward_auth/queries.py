"""SQL of forward auth."""

from dataclasses import dataclass
from uuid import UUID

from latchkey.database.pool import Queryable
from latchkey.sessions.queries import AUTH_TIME, AUTHENTICATED_AT


@dataclass(frozen=True, slots=True)
class SignedInAs:
    """What the database says of a session, where its access token says it for a copy only.

    `authenticated_at` is in seconds since the epoch, `age` the seconds since then by the database's clock.
    """

    role: str
    amr: tuple[str, ...]
    authenticated_at: int
    age: float


@dataclass(frozen=True, slots=True)
class Profile:
    """A user's name, and their address if it is verified."""

    name: str
    email: str | None


async def find_sessions(database: Queryable, session_ids: list[UUID]) -> dict[UUID, SignedInAs]:
    """Returns what those of the sessions say whose users are not deleted."""
    rows = await database.fetch(
        f"SELECT sessions.id, role, amr, {AUTH_TIME},"  # noqa: S608 constants
        f" extract(epoch FROM clock_timestamp() - {AUTHENTICATED_AT})::float8 AS age"
        " FROM sessions JOIN users ON users.id = user_id"
        " WHERE sessions.id = ANY($1) AND NOT is_deleted",
        session_ids,
    )
    return {row["id"]: SignedInAs(row["role"], tuple(row["amr"]), row["auth_time"], row["age"]) for row in rows}


async def find_profiles(database: Queryable, user_ids: list[int]) -> dict[int, Profile]:
    """Returns the profiles of those of the users that exist and are not deleted."""
    rows = await database.fetch(
        "SELECT id, name, CASE WHEN email_verified_at IS NOT NULL THEN email END AS verified_email"
        " FROM users WHERE id = ANY($1) AND NOT is_deleted",
        user_ids,
    )
    return {row["id"]: Profile(row["name"], row["verified_email"]) for row in rows}
