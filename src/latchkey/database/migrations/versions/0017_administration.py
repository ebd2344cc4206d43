"""user_metadata: what a user and servers store about an account. imports: how far each import of accounts came.

Both are apart from `users`, whose rows every login and every page of a list reads.
"""

from alembic import op

revision = "0017"
down_revision = "0016"

STATEMENTS = (
    """
    CREATE TABLE user_metadata (
        user_id integer PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
        owner jsonb NOT NULL DEFAULT '{}',
        public jsonb NOT NULL DEFAULT '{}',
        private jsonb NOT NULL DEFAULT '{}'
    )
    """,
    """
    CREATE TABLE imports (
        file_sha256 bytea PRIMARY KEY,
        next_line bigint NOT NULL,
        started_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
