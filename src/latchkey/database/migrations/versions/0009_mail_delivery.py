"""mail_outbox: attempts, the next attempt and the result. A row stays after its mail is sent.

A mail's link token is derived from the nonce, with a key that is not in the database (ADR 7).
"""

from alembic import op

revision = "0009"
down_revision = "0008"

# gen_random_uuid() has 122 bits from the strong generator and, unlike gen_random_bytes(), needs no extension.
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
    # For the limit of links an hour, and for deleting a user's rows with the user.
    "CREATE INDEX mail_outbox_by_user ON mail_outbox (user_id, token_made_at) WHERE user_id IS NOT NULL",
)


def upgrade() -> None:
    op.execute(COLUMNS)
    for index in INDEXES:
        op.execute(index)
