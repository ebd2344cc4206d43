"""SQL of sessions.

Whoever ends sessions updates the user's row first, then the sessions: one order, no deadlock.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import asyncpg

from latchkey.database.pool import Connection, Database, Queryable
from latchkey.http.exchange import Origin


class EndedBy(StrEnum):
    """Why a session ended."""

    LOGOUT = "logout"
    LOGIN = "login"
    PASSWORD_CHANGE = "password-change"  # noqa: S105 a reason
    PASSWORD_RESET = "password-reset"  # noqa: S105 a reason
    DELETION = "deletion"
    REUSE = "reuse"


@dataclass(frozen=True, slots=True)
class Session:
    """A session as stored. `is_live`: neither ended nor past its absolute cap, by the database's clock."""

    id: UUID
    user_id: int
    token_hash: bytes
    expires_at: datetime
    is_live: bool


_COLUMNS = "id, user_id, token_hash, expires_at, ended_at IS NULL AND expires_at > now() AS is_live"


def _session(row: asyncpg.Record) -> Session:
    return Session(row["id"], row["user_id"], row["token_hash"], row["expires_at"], row["is_live"])


async def insert(
    connection: Connection,
    session_id: UUID,
    user_id: int,
    token_hash: bytes,
    expires_at: datetime,
    origin: Origin,
) -> None:
    """Opens a session."""
    await connection.execute(
        "INSERT INTO sessions (id, user_id, token_hash, expires_at, ip, user_agent) VALUES ($1, $2, $3, $4, $5, $6)",
        session_id,
        user_id,
        token_hash,
        expires_at,
        origin.ip,
        origin.user_agent,
    )


async def is_live(database: Queryable, session_id: UUID, user_id: int) -> bool:
    """Whether a session may still be used."""
    return bool(
        await database.fetchval(
            "SELECT 1 FROM sessions WHERE id = $1 AND user_id = $2 AND ended_at IS NULL AND expires_at > now()",
            session_id,
            user_id,
        )
    )


async def find(database: Queryable, session_id: UUID) -> Session | None:
    """A session, live or not."""
    row = await database.fetchrow(f"SELECT {_COLUMNS} FROM sessions WHERE id = $1", session_id)  # noqa: S608 constant
    return _session(row) if row else None


async def find_original(database: Queryable, user_id: int, token_hash: bytes) -> Session | None:
    """The live session that stands for a refresh token of the original which has not been honoured yet."""
    row = await database.fetchrow(
        f"SELECT {_COLUMNS} FROM sessions"  # noqa: S608 constant
        " WHERE original_token_hash = $2 AND user_id = $1 AND ended_at IS NULL AND expires_at > now()",
        user_id,
        token_hash,
    )
    return _session(row) if row else None


async def rotate(
    database: Database,
    session_id: UUID,
    user_id: int,
    old_hash: bytes,
    new_hash: bytes,
    new_expires_at: datetime,
) -> bool:
    """Replaces the current refresh token, in one atomic statement: of N parallel uses of one token one is True.

    False also when the session has ended or would end before the new token does.
    """
    return bool(
        await database.write(
            "UPDATE sessions SET token_hash = $4, original_token_hash = NULL, last_used_at = now()"
            " WHERE id = $1 AND user_id = $2 AND token_hash = $3 AND ended_at IS NULL"
            " AND expires_at > now() AND expires_at >= $5 RETURNING 1",
            session_id,
            user_id,
            old_hash,
            new_hash,
            new_expires_at,
        )
    )


async def end(connection: Connection, session_ids: list[UUID], reason: EndedBy) -> list[tuple[UUID, int]]:
    """Ends those of the sessions that are live; returns their ids and users."""
    rows = await connection.fetch(
        "UPDATE sessions SET ended_at = now(), ended_by = $2"
        " WHERE id = ANY($1) AND ended_at IS NULL AND expires_at > now() RETURNING id, user_id",
        session_ids,
        reason,
    )
    return [(row["id"], row["user_id"]) for row in rows]


async def end_all(connection: Connection, user_id: int, reason: EndedBy) -> int:
    """Ends all live sessions of a user whose row this transaction has locked; returns how many there were."""
    rows = await connection.fetch(
        "UPDATE sessions SET ended_at = now(), ended_by = $2"
        " WHERE user_id = $1 AND ended_at IS NULL AND expires_at > now() RETURNING id",
        user_id,
        reason,
    )
    return len(rows)


async def lock_user(connection: Connection, user_id: int) -> bool:
    """Locks the row of a user who is not deleted; False when there is none."""
    return bool(await connection.fetchval("SELECT 1 FROM users WHERE id = $1 AND NOT is_deleted FOR UPDATE", user_id))


async def was_deleting_session(database: Queryable, session_id: UUID, user_id: int) -> bool:
    """Whether this session is the recorded one that deleted its user, who is still deleted."""
    return bool(
        await database.fetchval(
            "SELECT 1 FROM users WHERE id = $2 AND is_deleted AND deleted_by_session = $1", session_id, user_id
        )
    )
