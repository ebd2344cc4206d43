"""mail_outbox: mails to send, queued in the transaction of the change that they report."""

from alembic import op

revision = "0007"
down_revision = "0006"

TABLE = """
CREATE TABLE mail_outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    recipient text NOT NULL,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
)
"""


def upgrade() -> None:
    op.execute(TABLE)
