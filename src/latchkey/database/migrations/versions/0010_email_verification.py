"""Verified addresses: when each was verified, and the hashes of the tokens that verify one."""

from alembic import op

revision = "0010"
down_revision = "0009"

# reset_token_mailed: false for a link that an operator handed over, which verifies no address.
COLUMNS = """
ALTER TABLE users
    ADD COLUMN email_verified_at timestamptz,
    ADD COLUMN reset_token_mailed boolean NOT NULL DEFAULT false
"""

# token_hash is NULL until the mail is composed.
TABLE = """
CREATE TABLE email_tokens (
    user_id integer NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('verify', 'change')),
    email varchar(150) NOT NULL,
    token_hash bytea CHECK (octet_length(token_hash) = 32),
    expires_at timestamptz,
    PRIMARY KEY (user_id, purpose)
)
"""

INDEX = "CREATE UNIQUE INDEX email_tokens_hash ON email_tokens (token_hash) WHERE token_hash IS NOT NULL"


def upgrade() -> None:
    for statement in (COLUMNS, TABLE, INDEX):
        op.execute(statement)
