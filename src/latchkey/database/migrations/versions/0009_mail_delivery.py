"""Delivery of mails: attempts, when to try next, and how it ended. A row stays once its mail is sent.

The nonce is what the token of a mail with a link is derived from, with a key that is not in the database (ADR 7).
"""

from alembic import op

revision = "0009"
down_revision = "0008"

# gen_random_uuid() has 122 bits from the strong random generator and, unlike gen_random_bytes(), needs no extension.
NONCE = "decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')"

COLUMNS = f"""
ALTER TABLE mail_outbox
    ADD COLUMN user_id integer REFERENCES users(id) ON DELETE CASCADE,
    ADD COLUMN nonce bytea NOT NULL DEFAULT {NONCE} CHECK (octet_length(nonce) = 32),
    ADD COLUMN token_made_at timestamptz,
    ADD COLUMN attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN next_attempt_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN sent_at timestamptz,
    ADD COLUMN failed_at timestamptz,
    ADD COLUMN last_error text
"""

INDEXES = (
    "CREATE INDEX mail_outbox_due ON mail_outbox (next_attempt_at, id) WHERE sent_at IS NULL AND failed_at IS NULL",
    # For the limit on links an hour, and for removing a user's rows with the user.
    "CREATE INDEX mail_outbox_by_user ON mail_outbox (user_id, token_made_at) WHERE user_id IS NOT NULL",
)


def upgrade() -> None:
    op.execute(COLUMNS)
    for index in INDEXES:
        op.execute(index)
