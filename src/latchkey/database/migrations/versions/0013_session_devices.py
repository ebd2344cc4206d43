"""sessions: the readable name of the device, stored when the session opens, so that listing sessions computes no names.

Also an index of a user's live sessions without ended ones, because each login may end the oldest.
"""

from alembic import op

revision = "0013"
down_revision = "0012"

# NULL: not named, as in sessions that an older version opened. Empty: an unknown device.
COLUMN = "ALTER TABLE sessions ADD COLUMN device text"
# No refresh changes these columns, so a refresh still touches no index.
INDEX = "CREATE INDEX sessions_live_by_user ON sessions (user_id) WHERE ended_at IS NULL"


def upgrade() -> None:
    op.execute(COLUMN)
    op.execute(INDEX)
