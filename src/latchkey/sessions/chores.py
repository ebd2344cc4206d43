"""What housekeeping removes of sessions."""

from latchkey.housekeeping.chore import DUE_BEFORE, Chore

# An ended session's row tells a replayed token from a stolen one while the token lives.
SESSION_DAYS = 2.0

CHORES = (
    Chore(
        "ended sessions",
        SESSION_DAYS,
        f"SELECT id FROM sessions WHERE ended_at < {DUE_BEFORE} LIMIT $2",
        ("DELETE FROM sessions WHERE id = ANY($1)",),
    ),
    Chore(
        "expired sessions",
        SESSION_DAYS,
        f"SELECT id FROM sessions WHERE ended_at IS NULL AND expires_at < {DUE_BEFORE} LIMIT $2",
        ("DELETE FROM sessions WHERE id = ANY($1)",),
    ),
)
