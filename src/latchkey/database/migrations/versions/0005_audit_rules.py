"""audit_logs: every actor is a user, and indexes for reading by user."""

from alembic import op

from latchkey.database.adoption.adoption import Adoption

revision = "0005"
down_revision = "0004"

LOCK = "LOCK TABLE audit_logs IN SHARE ROW EXCLUSIVE MODE"

ORPHANS = """
UPDATE audit_logs SET actor_id = NULL
WHERE actor_id IS NOT NULL AND NOT EXISTS (SELECT FROM users WHERE users.id = audit_logs.actor_id)
RETURNING id
"""

# node-api-postgres's own foreign key, where a database lacks it or has not validated it. Last, because it also locks
# users.
FOREIGN_KEY = """
DO $$
DECLARE
    key pg_constraint := (
        SELECT c FROM pg_constraint AS c
        JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attname = 'actor_id' AND c.conkey = ARRAY[a.attnum]
        WHERE c.conrelid = 'audit_logs'::regclass AND c.confrelid = 'users'::regclass AND c.contype = 'f'
        LIMIT 1
    );
BEGIN
    IF key.conname IS NULL THEN
        ALTER TABLE audit_logs ADD CONSTRAINT audit_logs_actor_id_fkey
            FOREIGN KEY (actor_id) REFERENCES users(id) ON DELETE SET NULL;
    ELSIF NOT key.convalidated THEN
        EXECUTE format('ALTER TABLE audit_logs VALIDATE CONSTRAINT %I', key.conname);
    END IF;
END $$
"""

INDEXES = (
    "CREATE INDEX audit_logs_by_entity ON audit_logs (entity_id, id)",
    "CREATE INDEX audit_logs_by_actor ON audit_logs (actor_id, id)",
)


def upgrade() -> None:
    connection = op.get_bind()
    adoption = Adoption.of(op.get_context())
    op.execute(LOCK)
    for index in INDEXES:
        op.execute(index)
    if adoption.resolutions.orphan_audits:
        for row in connection.exec_driver_sql(ORPHANS):
            adoption.resolved.append(f"audit_logs {row.id}: actor_id cleared, it was no user's")
    op.execute(FOREIGN_KEY)
