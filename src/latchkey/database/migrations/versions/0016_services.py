"""signing_keys and api_keys; users: role, suspension and claims for apps; sessions: how each was opened, and by whom.

Constant defaults rewrite nothing. The previous release goes on beside this one: it knows neither suspension nor
transport, so both are to be used when all instances are new.
"""

from alembic import op

revision = "0016"
down_revision = "0015"

# sessions.authenticated_at NULL: the user has confirmed nothing since the session began, so created_at holds.
# sessions.actor_id: the administrator who acts for the user in this session.
STATEMENTS = (
    """
    ALTER TABLE users
        ADD COLUMN role text NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin')),
        ADD COLUMN suspended_at timestamptz,
        ADD COLUMN suspended_until timestamptz,
        ADD COLUMN suspended_reason text,
        ADD COLUMN token_claims jsonb
    """,
    """
    ALTER TABLE sessions
        ADD COLUMN transport text NOT NULL DEFAULT 'cookie' CHECK (transport IN ('cookie', 'bearer')),
        ADD COLUMN amr text[] NOT NULL DEFAULT '{pwd}',
        ADD COLUMN authenticated_at timestamptz,
        ADD COLUMN actor_id integer
    """,
    "CREATE INDEX sessions_by_actor ON sessions (actor_id) WHERE actor_id IS NOT NULL AND ended_at IS NULL",
    """
    CREATE TABLE signing_keys (
        kid text PRIMARY KEY,
        purpose text NOT NULL CHECK (purpose IN ('access', 'oidc')),
        alg text NOT NULL,
        public_jwk jsonb NOT NULL,
        private_sealed bytea,
        signs_from timestamptz NOT NULL,
        leaves_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE api_keys (
        id text PRIMARY KEY,
        name text NOT NULL,
        secret_hash bytea NOT NULL,
        scopes text[] NOT NULL,
        created_by integer REFERENCES users (id) ON DELETE SET NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz,
        last_used_at timestamptz,
        revoked_at timestamptz
    )
    """,
    # Erasing an account looks for what refers to it.
    "CREATE INDEX api_keys_by_creator ON api_keys (created_by) WHERE created_by IS NOT NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
