"""What housekeeping removes of accounts, and counts."""

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


def chores(settings: AccountSettings) -> tuple[Chore, ...]:
    """Deleted accounts, only when PURGE_DELETED_AFTER_DAYS says so."""
    if settings.purge_deleted_after_days is None:
        return ()
    return (
        Chore(
            "deleted accounts",
            settings.purge_deleted_after_days,
            f"SELECT id FROM users WHERE is_deleted AND deleted_at < {DUE_BEFORE} ORDER BY id LIMIT $2",
            (
                "UPDATE audit_logs SET actor_id = NULL WHERE actor_id = ANY($1)",
                "DELETE FROM users WHERE id = ANY($1)",
            ),
            # None of them may be restored meanwhile.
            lock=" FOR UPDATE SKIP LOCKED",
        ),
    )
