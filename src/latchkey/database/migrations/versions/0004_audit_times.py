"""audit_logs: timestamps with time zone, and a sequence beyond the highest id."""

from alembic import op

from latchkey.database.adoption.adoption import Adoption

revision = "0004"
down_revision = "0003"

# As in 0002: old values are read in the transaction's zone, without a rewrite if that is UTC.
ZONE = "SELECT set_config('TimeZone', $1, true)"

CREATED_AT = """
DO $$ BEGIN
    IF EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'audit_logs'::regclass AND attname = 'created_at' AND atttypid = 'timestamp'::regtype
    ) THEN
        ALTER TABLE audit_logs ALTER COLUMN created_at TYPE timestamptz;
    END IF;
END $$
"""

SEQUENCE = """
DO $$
DECLARE
    sequence text := pg_get_serial_sequence('audit_logs', 'id');
    used bigint;
    highest bigint := (SELECT max(id) FROM audit_logs);
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
    op.execute(CREATED_AT)
    op.execute(SEQUENCE)
    adoption.audit_rows = connection.exec_driver_sql("SELECT count(*) FROM audit_logs").scalar_one()
