"""sessions: one for each sign-in, in place of users.refresh_token.

A signed-in client of node-api-postgres stays signed in: the hash of its refresh token becomes a session.
`original_token_hash` lets a token in node-api-postgres's format be used once.
"""

from alembic import op

from latchkey.database.adoption.adoption import Adoption

revision = "0006"
down_revision = "0005"

LOCK = "LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE"

# Each refresh changes token_hash and last_used_at, so no index has them, and a page keeps room for a row's new version.
# A refresh then touches no index (a HOT update) and leaves no work for vacuum.
TABLE = """
CREATE TABLE sessions (
    id uuid,
    user_id integer NOT NULL,
    token_hash bytea NOT NULL CHECK (octet_length(token_hash) = 32),
    original_token_hash bytea CHECK (octet_length(original_token_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_by text,
    ip text,
    user_agent text
) WITH (fillfactor = 80)
"""

# Length and characters are checked apart: one pattern with {64} takes several times as long.
IS_SHA256 = "length(refresh_token) = 64 AND refresh_token !~ '[^0-9a-fA-F]'"

# node-api-postgres does not store when a session began, so it gets a full cap of 30 days from now.
ADOPT = f"""
INSERT INTO sessions (id, user_id, token_hash, original_token_hash, expires_at)
SELECT gen_random_uuid(), id, decode(refresh_token, 'hex'), decode(refresh_token, 'hex'), now() + interval '30 days'
FROM users WHERE NOT is_deleted AND {IS_SHA256}
"""

# Two users with one hash come from rows copied by hand. A token belongs to one user, and the rows do not tell which.
AMBIGUOUS = """
DELETE FROM sessions WHERE original_token_hash IN (
    SELECT original_token_hash FROM sessions GROUP BY original_token_hash HAVING count(*) > 1
) RETURNING user_id
"""

UNREADABLE = f"SELECT id FROM users WHERE NOT is_deleted AND refresh_token <> '' AND NOT ({IS_SHA256}) ORDER BY id"

# Added after the rows: checking all at once is faster.
RULES = (
    "ALTER TABLE sessions ADD PRIMARY KEY (id)",
    """ALTER TABLE sessions ADD CONSTRAINT sessions_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE""",
    """CREATE UNIQUE INDEX sessions_original_token_hash ON sessions (original_token_hash)
        WHERE original_token_hash IS NOT NULL""",
    "CREATE INDEX sessions_live_by_user ON sessions (user_id) WHERE ended_at IS NULL",
    # For the feed of ended sessions, which reads the last minutes, and for housekeeping.
    "CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL",
    "ALTER TABLE users DROP COLUMN refresh_token",
)


def upgrade() -> None:
    connection = op.get_bind()
    adoption = Adoption.of(op.get_context())
    op.execute(LOCK)
    op.execute(TABLE)
    adopted = connection.exec_driver_sql(ADOPT).rowcount
    lost = [row.user_id for row in connection.exec_driver_sql(AMBIGUOUS)]
    adoption.sessions = adopted - len(lost)
    lost += [row.id for row in connection.exec_driver_sql(UNREADABLE)]
    if lost:
        adoption.warnings.append(
            "these users must sign in again, because their refresh_token is not a SHA-256 or another user has it: "
            + ", ".join(map(str, sorted(lost)))
        )
    for rule in RULES:
        op.execute(rule)
