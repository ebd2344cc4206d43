"""Indexes that let housekeeping find due rows without reading whole tables.

expires_at is a session's cap. No refresh changes it, so a refresh still touches no index.
"""

from alembic import op

revision = "0011"
down_revision = "0010"

# node-api-postgres did not store when it deleted an account. PURGE_DELETED_AFTER_DAYS counts from here on.
DELETED_BEFORE = "UPDATE users SET deleted_at = now() WHERE is_deleted AND deleted_at IS NULL"

INDEXES = (
    "CREATE INDEX sessions_expiring ON sessions (expires_at) WHERE ended_at IS NULL",
    "CREATE INDEX mail_outbox_sent ON mail_outbox (sent_at) WHERE sent_at IS NOT NULL",
    "CREATE INDEX users_deleted ON users (deleted_at) WHERE is_deleted",
    # Includes ended sessions, which go with the account. Without it, each erased account reads the whole table.
    "CREATE INDEX sessions_by_user ON sessions (user_id)",
    "DROP INDEX sessions_live_by_user",
)


def upgrade() -> None:
    op.execute(DELETED_BEFORE)
    for index in INDEXES:
        op.execute(index)
