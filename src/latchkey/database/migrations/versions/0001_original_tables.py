"""Creates node-api-postgres's tables where they do not exist. Its own database is adopted unchanged.

The SQL is node-api-postgres's (its README), so a new database and an adopted one are alike from here on.
"""

from alembic import op

revision = "0001"
down_revision = None

# Looked up along the search path. CREATE TABLE IF NOT EXISTS would look in its first schema only.
USERS = """
DO $$ BEGIN
    IF to_regclass('users') IS NULL THEN
        CREATE TABLE users (
            id SERIAL PRIMARY KEY,
            name VARCHAR(100) NOT NULL,
            email VARCHAR(150) UNIQUE NOT NULL,
            password VARCHAR(255) NOT NULL,
            is_deleted BOOLEAN DEFAULT FALSE,
            reset_token VARCHAR(255),
            reset_token_expires TIMESTAMP,
            refresh_token TEXT,
            created_at TIMESTAMP DEFAULT NOW()
        );
    END IF;
END $$
"""

AUDIT_LOGS = """
DO $$ BEGIN
    IF to_regclass('audit_logs') IS NULL THEN
        CREATE TABLE audit_logs (
            id SERIAL PRIMARY KEY,
            actor_id INTEGER REFERENCES users(id) ON DELETE SET NULL,
            action VARCHAR(64) NOT NULL,
            entity_type VARCHAR(64) NOT NULL,
            entity_id INTEGER,
            metadata JSONB DEFAULT '{}'::jsonb,
            created_at TIMESTAMP DEFAULT NOW()
        );
    END IF;
END $$
"""


def upgrade() -> None:
    op.execute(USERS)
    op.execute(AUDIT_LOGS)
