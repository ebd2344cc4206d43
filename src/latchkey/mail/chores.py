"""Housekeeping of the outbox."""

from latchkey.housekeeping.chore import DUE_BEFORE, Chore

SENT_MAIL_DAYS = 7.0
DEAD_MAIL_DAYS = 30.0

CHORES = (
    Chore(
        "sent mails",
        SENT_MAIL_DAYS,
        f"SELECT id FROM mail_outbox WHERE sent_at < {DUE_BEFORE} LIMIT $2",
        ("DELETE FROM mail_outbox WHERE id = ANY($1)",),
    ),
    Chore(
        "dead letters",
        DEAD_MAIL_DAYS,
        # The DELETE checks again: a retry may have revived the mail since.
        f"SELECT id FROM mail_outbox WHERE failed_at < {DUE_BEFORE} LIMIT $2",
        ("DELETE FROM mail_outbox WHERE id = ANY($1) AND failed_at IS NOT NULL",),
    ),
)
