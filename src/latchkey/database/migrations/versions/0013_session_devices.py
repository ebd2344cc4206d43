"""The readable name of a session's device, stored when it opens, so that listing sessions names nothing; and an index that
finds a user's live sessions without passing ended ones, since each login may end the oldest.
"""

from alembic import op

revision = "0013"
down_revision = "0012"

# NULL: not named, as in sessions that an older version opened. Empty: nobody knows such a device.
COLUMN = "ALTER TABLE sessions ADD COLUMN device text"
# Of no column that a refresh changes, so that refreshes still touch no index.
INDEX = "CREATE INDEX sessions_live_by_user ON sessions (user_id) WHERE ended_at IS NULL"


def upgrade() -> None:
    op.execute(COLUMN)
    op.execute(INDEX)
