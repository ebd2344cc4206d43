"""Housekeeping of deleted accounts, and the number of users."""

from latchkey.features.accounts.settings import AccountSettings
from latchkey.housekeeping.chore import DUE_BEFORE, Chore
from latchkey.housekeeping.tally import Tally

TALLIES = (
    Tally(
        "users",
        "SELECT (SELECT count(*) FROM users WHERE NOT is_deleted)"
        " - (SELECT coalesce(sum(live), 0)::bigint FROM user_counts)",
        "UPDATE user_counts SET live = live + $1 WHERE part = 0",
    ),
)

ERASE = (
    "UPDATE audit_logs SET actor_id = NULL WHERE actor_id = ANY($1)",
    "DELETE FROM users WHERE id = ANY($1)",
)
"""The statements that erase the users with the ids $1. The database removes what belongs to them."""


def chores(settings: AccountSettings) -> tuple[Chore, ...]:
    """Returns the chore that erases deleted accounts, or none if PURGE_DELETED_AFTER_DAYS is unset."""
    if settings.purge_deleted_after_days is None:
        return ()
    return (
        Chore(
            "deleted accounts",
            settings.purge_deleted_after_days,
            f"SELECT id FROM users WHERE is_deleted AND deleted_at < {DUE_BEFORE} ORDER BY id LIMIT $2",
            ERASE,
            # The lock keeps a restore from running between the SELECT and the DELETE.
            lock=" FOR UPDATE SKIP LOCKED",
        ),
    )
