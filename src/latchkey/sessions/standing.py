"""What a user's row says about their sessions."""

import json
from dataclasses import dataclass
from typing import Any

import asyncpg

IS_SUSPENDED = "(suspended_at IS NOT NULL AND (suspended_until IS NULL OR suspended_until > now()))"
"""SQL, true for a user who is suspended now."""
STANDING = f"role, token_claims, {IS_SUSPENDED} AS is_suspended"
"""SQL, the columns of a `Standing`."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a live user's row says about a new session: whether there may be one, and what its access tokens say.

    `app` are the claims that servers have set for the app, or None.
    """

    is_suspended: bool
    role: str
    app: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Acting:
    """An administrator who acts for a user, for at most so many seconds."""

    admin_id: int
    seconds: int


def standing_of(row: asyncpg.Record) -> Standing:
    """Makes a standing of a row that has the columns `STANDING`."""
    return Standing(row["is_suspended"], row["role"], app_claims(row))


def app_claims(row: asyncpg.Record) -> dict[str, Any] | None:
    """Returns the object in the column token_claims, which asyncpg gives as text."""
    return json.loads(row["token_claims"]) if row["token_claims"] is not None else None
