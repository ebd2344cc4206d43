"""Housekeeping of sessions."""

from latchkey.housekeeping.chore import DUE_BEFORE, Chore
from latchkey.sessions.settings import SessionSettings

SESSION_DAYS = 2.0
# A session's row stays this much longer than its tokens, because clocks differ. A token without its row would count as
# stolen, which ends all sessions of the user.
GRACE_HOURS = 24


def chores(settings: SessionSettings) -> tuple[Chore, ...]:
    """Returns the chores that remove sessions two days after they ended or expired, or later if their token could still
    live."""
    ended_days = max(SESSION_DAYS, (settings.refresh_token_hours + GRACE_HOURS) / 24)
    # The stored expiry decides where REFRESH_TOKEN_HOURS was longer. Otherwise the days alone decide, so the index of
    # ended sessions leads straight to due rows.
    no_token_lives = f"(token_expires_at IS NULL OR token_expires_at < now() - interval '{GRACE_HOURS} hours')"
    return (
        Chore(
            "ended sessions",
            ended_days,
            f"SELECT id FROM sessions WHERE ended_at < {DUE_BEFORE} AND {no_token_lives} LIMIT $2",
            ("DELETE FROM sessions WHERE id = ANY($1)",),
        ),
        # No token outlives the session's cap.
        Chore(
            "expired sessions",
            SESSION_DAYS,
            f"SELECT id FROM sessions WHERE ended_at IS NULL AND expires_at < {DUE_BEFORE} LIMIT $2",
            ("DELETE FROM sessions WHERE id = ANY($1)",),
        ),
    )
