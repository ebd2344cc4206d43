"""What housekeeping needs to find what is due without reading whole tables.

expires_at is a session's cap: no refresh changes it, so that refreshes still touch no index.
"""

from alembic import op

revision = "0011"
down_revision = "0010"

INDEXES = (
    "CREATE INDEX sessions_expiring ON sessions (expires_at) WHERE ended_at IS NULL",
    "CREATE INDEX mail_outbox_sent ON mail_outbox (sent_at) WHERE sent_at IS NOT NULL",
    "CREATE INDEX users_deleted ON users (deleted_at) WHERE is_deleted",
)


def upgrade() -> None:
    for index in INDEXES:
        op.execute(index)
