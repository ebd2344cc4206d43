"""SQL of sessions.

A transaction that ends all sessions of a user locks the user's row first, then the sessions: one order, no deadlock.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import asyncpg

from latchkey.database.pool import Connection, Database, Queryable
from latchkey.origin import Origin
from latchkey.sessions.claims import AccessClaims
from latchkey.sessions.refresh_token import RefreshToken
from latchkey.sessions.standing import app_claims


class EndedBy(StrEnum):
    """Why a session ended."""

    LOGOUT = "logout"
    LOGIN = "login"
    PASSWORD_CHANGE = "password-change"  # noqa: S105 a reason
    PASSWORD_RESET = "password-reset"  # noqa: S105 a reason
    DELETION = "deletion"
    REUSE = "reuse"
    REVOKED = "revoked"
    LIMIT = "limit"
    ROLE_CHANGE = "role-change"
    SUSPENSION = "suspension"
    IMPERSONATION = "impersonation"


@dataclass(frozen=True, slots=True)
class Session:
    """A session as a refresh reads it. All times are by the database's clock.

    `is_live`: neither ended nor past its absolute cap. `parent_hash` is the hash of the refresh token that the current
    one replaced `rotated_ago` seconds ago, or None before the first rotation; then `rotated_ago` counts from the
    session's start. `token_issued_at` and `token_expires_at` are the current token's. In a session that version 0.1
    opened, they are None before the first rotation, too. `access` is what the next access token says.
    """

    id: UUID
    user_id: int
    token_hash: bytes
    expires_at: datetime
    is_live: bool
    parent_hash: bytes | None
    token_issued_at: datetime | None
    token_expires_at: datetime | None
    rotated_ago: float
    access: AccessClaims


ENDED_CHANNEL = "latchkey_session_ended"
"""The channel that every ending notifies with the session's id, in its own transaction."""

IS_LIVE = "ended_at IS NULL AND expires_at > now()"
"""SQL, true for a session that has neither ended nor passed its cap."""
IS_IN_USE = (
    # Version 0.1 stored no expiry when it opened a session. Its tokens lived a day.
    f"{IS_LIVE} AND (coalesce(token_expires_at, last_used_at + interval '24 hours') > now()"
    " OR original_token_hash IS NOT NULL)"
)
"""SQL, true for a live session whose refresh token has not expired. A token of node-api-postgres may outlive ours."""

AUTHENTICATED_AT = "coalesce(sessions.authenticated_at, sessions.created_at)"
"""SQL, when the user last signed in or confirmed that it is them."""
# Rounded down: a verifier must not see a time that lies ahead.
AUTH_TIME = f"floor(extract(epoch FROM {AUTHENTICATED_AT}))::int8 AS auth_time"
"""SQL, the same in seconds since the epoch, as the claim of that name."""
_ACCESS = f"role, token_claims, amr, actor_id, {AUTH_TIME}"
"""SQL, the columns of the claims of an access token, of sessions and users."""
_SESSION = (
    f"SELECT sessions.id, user_id, token_hash, expires_at, {IS_LIVE} AS is_live,"  # noqa: S608 constants
    " parent_hash, token_issued_at, token_expires_at,"
    f" extract(epoch FROM clock_timestamp() - last_used_at)::float8 AS rotated_ago, {_ACCESS}"
    " FROM sessions JOIN users ON users.id = sessions.user_id"
)


def _session(row: asyncpg.Record) -> Session:
    return Session(
        id=row["id"],
        user_id=row["user_id"],
        token_hash=row["token_hash"],
        expires_at=row["expires_at"],
        is_live=row["is_live"],
        parent_hash=row["parent_hash"],
        token_issued_at=row["token_issued_at"],
        token_expires_at=row["token_expires_at"],
        rotated_ago=row["rotated_ago"],
        access=_access(row),
    )


def _access(row: asyncpg.Record) -> AccessClaims:
    return AccessClaims(row["role"], tuple(row["amr"]), row["auth_time"], row["actor_id"], app_claims(row))


async def insert(
    connection: Connection,
    refresh: RefreshToken,
    token_hash: bytes,
    amr: tuple[str, ...],
    expires_at: datetime,
    origin: Origin,
    device: str | None,
) -> int:
    """Opens a session with its first refresh token, and returns its `auth_time`: now, by the database.

    `expires_at` is the absolute cap, `device` the user agent's name.
    """
    auth_time: int = await connection.fetchval(
        "INSERT INTO sessions (id, user_id, token_hash, token_issued_at, token_expires_at, transport, amr, expires_at,"  # noqa: S608 constant
        " ip, user_agent, device) VALUES ($1, $2, $3, to_timestamp($4), to_timestamp($5), $6, $7, $8, $9, $10, $11)"
        f" RETURNING {AUTH_TIME}",
        refresh.session_id,
        refresh.user_id,
        token_hash,
        refresh.issued_at,
        refresh.expires_at,
        refresh.transport,
        list(amr),
        expires_at,
        origin.ip,
        origin.user_agent,
        # Empty means that the user agent was looked up and is unknown.
        device or "",
    )
    return auth_time


async def set_actor(connection: Connection, session_id: UUID, actor_id: int) -> None:
    """Stores that an administrator acts for the user in a new session."""
    await connection.execute("UPDATE sessions SET actor_id = $2 WHERE id = $1", session_id, actor_id)


async def is_live(database: Queryable, session_id: UUID, user_id: int) -> bool:
    """Tells whether a session may still be used."""
    return bool(
        await database.fetchval(
            f"SELECT 1 FROM sessions WHERE id = $1 AND user_id = $2 AND {IS_LIVE}",  # noqa: S608 constant
            session_id,
            user_id,
        )
    )


async def find(database: Queryable, session_id: UUID, user_id: int) -> Session | None:
    """Returns a session of that user, live or not."""
    row = await database.fetchrow(f"{_SESSION} WHERE sessions.id = $1 AND user_id = $2", session_id, user_id)
    return _session(row) if row else None


async def still_has(connection: Connection, session_id: UUID, token_hash: bytes) -> bool:
    """Tells whether a session is live with that current refresh token, and locks the row until the transaction ends."""
    return bool(
        await connection.fetchval(
            f"SELECT 1 FROM sessions WHERE id = $1 AND token_hash = $2 AND {IS_LIVE} FOR SHARE",  # noqa: S608 constant
            session_id,
            token_hash,
        )
    )


async def find_original(database: Queryable, user_id: int, token_hash: bytes) -> Session | None:
    """Returns the live session of a refresh token of node-api-postgres that was not used yet."""
    row = await database.fetchrow(
        f"{_SESSION} WHERE original_token_hash = $2 AND user_id = $1 AND {IS_LIVE}",
        user_id,
        token_hash,
    )
    return _session(row) if row else None


async def rotate(database: Database, refresh: RefreshToken, old_hash: bytes, new_hash: bytes) -> AccessClaims | None:
    """Replaces the current refresh token in one atomic statement: of N parallel uses of one token, one succeeds.

    Returns what the next access token says. None if the session has another token or has ended, also if it would end
    before the new token.
    """
    row = await database.write_row(
        "UPDATE sessions SET token_hash = $4, parent_hash = $3, token_issued_at = to_timestamp($5),"  # noqa: S608 constants
        " token_expires_at = to_timestamp($6), original_token_hash = NULL, last_used_at = now() FROM users"
        " WHERE users.id = sessions.user_id AND sessions.id = $1 AND user_id = $2 AND token_hash = $3"
        f" AND {IS_LIVE} AND expires_at >= to_timestamp($6) RETURNING {_ACCESS}",
        refresh.session_id,
        refresh.user_id,
        old_hash,
        new_hash,
        refresh.issued_at,
        refresh.expires_at,
    )
    return _access(row) if row else None


@dataclass(frozen=True, slots=True)
class ProvenSessions:
    """The sessions that a browser has proved, of any user: by a live access token, or by the current refresh token."""

    by_access: UUID | None
    by_refresh: UUID | None
    refresh_hash: bytes | None

    def __bool__(self) -> bool:
        return self.by_access is not None or self.by_refresh is not None


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session that a statement has just ended, and its user."""

    id: UUID
    user_id: int


def _ended(rows: list[asyncpg.Record]) -> list[EndedSession]:
    return [EndedSession(row["id"], row["user_id"]) for row in rows]


_END = "UPDATE sessions SET ended_at = now(), ended_by = $1"
_TELL = f"RETURNING id, user_id, pg_notify('{ENDED_CHANNEL}', id::text)"


async def end(connection: Connection, session_ids: list[UUID], reason: EndedBy) -> list[EndedSession]:
    """Ends those of the sessions that are live."""
    return _ended(await connection.fetch(f"{_END} WHERE id = ANY($2) AND {IS_LIVE} {_TELL}", reason, session_ids))


async def end_proven(connection: Connection, proven: ProvenSessions, reason: EndedBy) -> list[EndedSession]:
    """Ends the proved sessions that are live. A refresh token counts only if its hash is the stored one."""
    return _ended(
        await connection.fetch(
            f"{_END} WHERE (id = $2 OR id = $3 AND $4 IN (token_hash, original_token_hash)) AND {IS_LIVE} {_TELL}",
            reason,
            proven.by_access,
            proven.by_refresh,
            proven.refresh_hash,
        )
    )


async def end_one(connection: Connection, user_id: int, session_id: UUID, reason: EndedBy) -> list[EndedSession]:
    """Ends that session if it is live and the user's."""
    return _ended(
        await connection.fetch(
            f"{_END} WHERE id = $2 AND user_id = $3 AND {IS_LIVE} {_TELL}", reason, session_id, user_id
        )
    )


async def end_all(connection: Connection, user_id: int, reason: EndedBy, keep: UUID | None) -> list[EndedSession]:
    """Ends all live sessions of a user except `keep`, and those in which they act for others.

    The transaction has locked the user's row.
    """
    return _ended(
        await connection.fetch(
            f"{_END} WHERE (user_id = $2 OR actor_id = $2) AND ($3::uuid IS NULL OR id <> $3) AND {IS_LIVE} {_TELL}",
            reason,
            user_id,
            keep,
        )
    )


async def end_oldest(connection: Connection, user_id: int, leaving: int) -> list[EndedSession]:
    """Ends the oldest live sessions of a user until `leaving` are left. The transaction has locked the user's row."""
    return _ended(
        await connection.fetch(
            f"{_END} WHERE id IN (SELECT id FROM sessions"  # noqa: S608 constants
            f" WHERE user_id = $2 AND {IS_IN_USE}"
            # Checked again: a session that a logout ends at this moment keeps its reason.
            f" ORDER BY created_at DESC, id OFFSET $3) AND {IS_LIVE} {_TELL}",
            EndedBy.LIMIT,
            user_id,
            leaving,
        )
    )


async def lock_user(connection: Connection, user_id: int) -> bool:
    """Locks the row of a live user; False if the user is not live."""
    # FOR UPDATE would also block foreign keys to the row. A logout locks its session and writes an audit row about the
    # user. It would wait for this lock, while the holder of this lock waits for that session.
    return bool(
        await connection.fetchval("SELECT 1 FROM users WHERE id = $1 AND NOT is_deleted FOR NO KEY UPDATE", user_id)
    )


async def was_deleting_session(database: Queryable, session_id: UUID, user_id: int) -> bool:
    """Tells whether this session deleted its user, who is still deleted."""
    return bool(
        await database.fetchval(
            "SELECT 1 FROM users WHERE id = $2 AND is_deleted AND deleted_by_session = $1", session_id, user_id
        )
    )


async def notify_ended(connection: Connection, payload: str) -> None:
    """Sends a notification on the channel of endings."""
    await connection.execute("SELECT pg_notify($1, $2)", ENDED_CHANNEL, payload)


async def ended_lately(connection: Queryable) -> list[UUID]:
    """Returns the ids of sessions that ended in the last 70 minutes, which is longer than any access token lives."""
    rows = await connection.fetch("SELECT id FROM sessions WHERE ended_at > now() - interval '70 minutes'")
    return [row["id"] for row in rows]
