"""Housekeeping of reset tokens."""

from latchkey.housekeeping.chore import DUE_BEFORE, Chore

TOKEN_DAYS = 1.0
_END_TOKENS = (
    "UPDATE users SET reset_token = NULL, reset_token_expires = NULL WHERE id = ANY($1) AND reset_token_expires < now()"
)

CHORES = (
    Chore(
        "reset tokens",
        TOKEN_DAYS,
        f"SELECT id FROM users WHERE reset_token IS NOT NULL AND reset_token_expires < {DUE_BEFORE} LIMIT $2",
        (_END_TOKENS,),
    ),
)
