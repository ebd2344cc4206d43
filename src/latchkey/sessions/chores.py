"""What housekeeping removes of sessions."""

from latchkey.housekeeping.chore import DUE_BEFORE, Chore
from latchkey.sessions.settings import SessionSettings

SESSION_DAYS = 2.0
# So much longer than any token of the session: clocks differ, and a token that outlived its session's row would be taken
# for stolen, which ends all sessions of the user.
GRACE_HOURS = 24


def chores(settings: SessionSettings) -> tuple[Chore, ...]:
    """Sessions that ended, or are past their cap: after two days, or longer while a token of theirs could live."""
    ended_days = max(SESSION_DAYS, (settings.refresh_token_hours + GRACE_HOURS) / 24)
    # The stored expiry counts where REFRESH_TOKEN_HOURS was longer. The days alone decide where it was not, so that the
    # index of endings leads to what is due without passing much that is not.
    no_token_lives = f"(token_expires_at IS NULL OR token_expires_at < now() - interval '{GRACE_HOURS} hours')"
    return (
        Chore(
            "ended sessions",
            ended_days,
            f"SELECT id FROM sessions WHERE ended_at < {DUE_BEFORE} AND {no_token_lives} LIMIT $2",
            ("DELETE FROM sessions WHERE id = ANY($1)",),
        ),
        # No token outlives the cap.
        Chore(
            "expired sessions",
            SESSION_DAYS,
            f"SELECT id FROM sessions WHERE ended_at IS NULL AND expires_at < {DUE_BEFORE} LIMIT $2",
            ("DELETE FROM sessions WHERE id = ANY($1)",),
        ),
    )
