"""What a refresh needs to answer its direct parent again: which token it replaced, and when the successor was made.

Nothing raw: the successor is minted anew from these (REFRESH_LEEWAY_SECONDS).
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
