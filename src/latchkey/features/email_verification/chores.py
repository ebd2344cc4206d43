"""What housekeeping removes for e-mail verification."""

from latchkey.housekeeping.chore import DUE_BEFORE, Chore

TOKEN_DAYS = 1.0

CHORES = (
    Chore(
        "e-mail tokens",
        TOKEN_DAYS,
        # Not by the hash, which a requested change whose mail was never made does not have.
        f"SELECT ctid FROM email_tokens WHERE expires_at < {DUE_BEFORE} LIMIT $2",
        ("DELETE FROM email_tokens WHERE ctid = ANY($1) AND expires_at < now()",),
    ),
)
