"""Since when an account has its address, and the index for bounds on mails to one recipient.

Accounts that exist have theirs since now: what happened to their address before is not known. As the default of the new
column that rewrites nothing; NULL, for accounts to come, is since they were made.
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
