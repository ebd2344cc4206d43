"""users: since when the account has its address; mail_outbox: the index for the limit of mails to one recipient.

Existing accounts have their address since now, because its earlier changes are unknown. As a new column's default that
rewrites nothing. NULL, for later accounts, means since their creation.
"""

from alembic import op

revision = "0015"
down_revision = "0014"

STATEMENTS = (
    "ALTER TABLE users ADD COLUMN email_since timestamptz DEFAULT now()",
    "ALTER TABLE users ALTER COLUMN email_since DROP DEFAULT",
    "CREATE INDEX mail_outbox_by_recipient ON mail_outbox (lower(recipient), kind, created_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
