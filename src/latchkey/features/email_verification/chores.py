"""Housekeeping of e-mail tokens."""

from latchkey.housekeeping.chore import DUE_BEFORE, Chore

TOKEN_DAYS = 1.0

CHORES = (
    Chore(
        "e-mail tokens",
        TOKEN_DAYS,
        # Selects by ctid: a requested change whose mail was never composed has no token hash.
        f"SELECT ctid FROM email_tokens WHERE expires_at < {DUE_BEFORE} LIMIT $2",
        ("DELETE FROM email_tokens WHERE ctid = ANY($1) AND expires_at < now()",),
    ),
)
