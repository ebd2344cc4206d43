"""users: how often the password was changed or reset, so that a new one ends what devices were known by.

A constant default rewrites nothing. The previous release leaves the column as it is: passwords that it changes during a
rolling upgrade end no known devices.
"""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("ALTER TABLE users ADD COLUMN credential_generation integer NOT NULL DEFAULT 0")
