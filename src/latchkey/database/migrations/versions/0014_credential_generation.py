"""users: the number of password changes and resets, so that a new password ends known devices.

A constant default rewrites nothing. The previous release does not update the column, so a password that it changes
during a rolling upgrade ends no known devices.
"""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("ALTER TABLE users ADD COLUMN credential_generation integer NOT NULL DEFAULT 0")
