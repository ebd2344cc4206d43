"""sessions: what a refresh needs to answer its direct parent again: the replaced token and the time of the rotation.

No token is stored: REFRESH_LEEWAY_SECONDS re-creates the successor from these columns.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

COLUMNS = """
ALTER TABLE sessions
    ADD COLUMN parent_hash bytea CHECK (octet_length(parent_hash) = 32),
    ADD COLUMN token_issued_at timestamptz,
    ADD COLUMN token_expires_at timestamptz
"""


def upgrade() -> None:
    op.execute(COLUMNS)
