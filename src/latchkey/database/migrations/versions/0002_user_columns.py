"""users: timestamps with time zone, and the columns that node-api-postgres does not have."""

from alembic import op

from latchkey.database.adoption.adoption import Adoption

revision = "0002"
down_revision = "0001"

# ALTER … TYPE timestamptz reads old values in the transaction's time zone. With UTC, PostgreSQL does not rewrite the
# table. Otherwise one command changes all columns, so the table is rewritten once.
ZONE = "SELECT set_config('TimeZone', $1, true)"

# password_migrated: a user from node-api-postgres has a hash of the first 72 bytes only. As the new column's default,
# true costs no rewrite. Later users get false.
COLUMNS = """
DO $$
DECLARE
    old_timestamps text := (
        SELECT string_agg(format(', ALTER COLUMN %I TYPE timestamptz', attname), '')
        FROM pg_attribute
        WHERE attrelid = 'users'::regclass AND atttypid = 'timestamp'::regtype
          AND attname IN ('created_at', 'reset_token_expires')
    );
BEGIN
    EXECUTE 'ALTER TABLE users
        ADD COLUMN password_migrated boolean NOT NULL DEFAULT true,
        ADD COLUMN deleted_at timestamptz,
        ADD COLUMN deleted_by_session uuid' || coalesce(old_timestamps, '');
    ALTER TABLE users ALTER COLUMN password_migrated SET DEFAULT false;
END $$
"""

# A dump that was restored without its sequences would hand out ids in use.
SEQUENCE = """
DO $$
DECLARE
    sequence text := pg_get_serial_sequence('users', 'id');
    used bigint;
    highest bigint := (SELECT max(id) FROM users);
BEGIN
    EXECUTE format('SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM %s', sequence) INTO used;
    IF highest > used THEN
        PERFORM setval(sequence, highest);
    END IF;
END $$
"""


def upgrade() -> None:
    connection = op.get_bind()
    adoption = Adoption.of(op.get_context())
    connection.exec_driver_sql(ZONE, (adoption.source_timezone,))
    op.execute(COLUMNS)
    op.execute(SEQUENCE)
    adoption.users = connection.exec_driver_sql("SELECT count(*) FROM users").scalar_one()
