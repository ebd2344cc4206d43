"""users: unique addresses among live users in any case, a flag that is never NULL, and unique reset tokens.

The operator's decisions about rows that break these rules run in the same transaction. So a run that is interrupted, or
overtaken by a write, asks again for rows that are still open.
"""

from alembic import op
from sqlalchemy import Connection

from latchkey.database.adoption.adoption import ADDRESS_KEY, HAS_NON_ASCII, Adoption

revision = "0003"
down_revision = "0002"

# Blocks writers from the first look to the commit. Readers continue until the last, short, statements.
LOCK = "LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE"

NULL_FLAGS = """
UPDATE users SET is_deleted = $1, deleted_at = CASE WHEN $1 THEN now() END
WHERE is_deleted IS NULL RETURNING id
"""

DUPLICATE_EMAILS = f"""
WITH live AS (
    SELECT id, {ADDRESS_KEY} AS key FROM users WHERE NOT is_deleted
), losers AS (
    SELECT live.id, kept.id AS kept
    FROM live JOIN (
        SELECT key, CASE WHEN $1 THEN max(id) ELSE min(id) END AS id FROM live GROUP BY key HAVING count(*) > 1
    ) AS kept ON kept.key = live.key AND kept.id <> live.id
)
UPDATE users SET is_deleted = true, deleted_at = now()
FROM losers WHERE users.id = losers.id RETURNING users.id, losers.kept
"""

DUPLICATE_RESET_TOKENS = """
UPDATE users SET reset_token = NULL, reset_token_expires = NULL
WHERE reset_token IN (SELECT reset_token FROM users GROUP BY reset_token HAVING count(*) > 1) RETURNING id
"""

# Deletion of a user ends the reset token. node-api-postgres did not do that.
RESET_TOKENS_OF_DELETED = """
UPDATE users SET reset_token = NULL, reset_token_expires = NULL WHERE is_deleted AND reset_token IS NOT NULL
"""

# node-api-postgres wrote the expiry in its own zone, not the database's. Read in the wrong zone, a 15-minute link could
# live for hours. Too early an expiry costs the user one more mail.
RESET_EXPIRIES = """
UPDATE users SET reset_token_expires = now() + interval '15 minutes'
WHERE reset_token IS NOT NULL AND reset_token_expires > now() + interval '15 minutes'
"""

# Built beside the old index, which may have the name of the new one.
INDEXES = (
    "CREATE UNIQUE INDEX users_email_unique_active_new ON users (lower(email)) WHERE NOT is_deleted",
    "CREATE UNIQUE INDEX users_reset_token ON users (reset_token) WHERE reset_token IS NOT NULL",
)

# Every unique rule on the address alone, under any name: it would keep a deleted user's address taken.
OLD_INDEXES = """
DO $$
DECLARE
    old record;
BEGIN
    FOR old IN
        SELECT i.indexrelid::regclass AS name, c.conname AS constraint
        FROM pg_index AS i
        LEFT JOIN pg_constraint AS c ON c.conindid = i.indexrelid AND c.conrelid = i.indrelid
        WHERE i.indrelid = 'users'::regclass AND i.indisunique AND i.indnkeyatts = 1
          AND i.indexrelid <> 'users_email_unique_active_new'::regclass
          AND pg_get_indexdef(i.indexrelid, 1, true) IN ('email', 'lower(email::text)')
    LOOP
        IF old.constraint IS NULL THEN
            EXECUTE format('DROP INDEX %s', old.name);
        ELSE
            EXECUTE format('ALTER TABLE users DROP CONSTRAINT %I', old.constraint);
        END IF;
    END LOOP;
    ALTER INDEX users_email_unique_active_new RENAME TO users_email_unique_active;
END $$
"""

# Found while readers continue. Changed when the old index is gone, which may conflict with a deleted user of that
# address.
MIXED_CASE = f'SELECT id FROM users WHERE email <> lower(email COLLATE "C") AND NOT ({HAS_NON_ASCII})'
LOWER_CASE = 'UPDATE users SET email = lower(email COLLATE "C") WHERE id = ANY($1)'

FLAG = "ALTER TABLE users ALTER COLUMN is_deleted SET DEFAULT false, ALTER COLUMN is_deleted SET NOT NULL"

UNTYPABLE = rf"SELECT id FROM users WHERE NOT is_deleted AND ({HAS_NON_ASCII} OR email !~ '^[^@]*@[^@]*$') ORDER BY id"


def upgrade() -> None:
    connection = op.get_bind()
    adoption = Adoption.of(op.get_context())
    op.execute(LOCK)
    _resolve(connection, adoption)
    connection.exec_driver_sql(RESET_TOKENS_OF_DELETED)
    connection.exec_driver_sql(RESET_EXPIRIES)
    for index in INDEXES:
        op.execute(index)
    untypable = [str(row.id) for row in connection.exec_driver_sql(UNTYPABLE)]
    if untypable:
        adoption.warnings.append(
            "these users cannot sign in until their address is changed, since it has characters other than ASCII "
            f"or not one '@': {', '.join(untypable)}"
        )
    mixed_case = [row.id for row in connection.exec_driver_sql(MIXED_CASE)]
    # Readers wait from here on.
    op.execute(OLD_INDEXES)
    connection.exec_driver_sql(LOWER_CASE, (mixed_case,))
    op.execute(FLAG)


def _resolve(connection: Connection, adoption: Adoption) -> None:
    resolve = adoption.resolutions
    if resolve.null_flags:
        for row in connection.exec_driver_sql(NULL_FLAGS, (resolve.null_flags == "deleted",)):
            adoption.resolved.append(f"users {row.id}: NULL flag, now {resolve.null_flags}")
    if resolve.duplicate_emails:
        for row in connection.exec_driver_sql(DUPLICATE_EMAILS, (resolve.duplicate_emails == "keep-newest",)):
            adoption.resolved.append(f"users {row.id}: deleted, its address is that of user {row.kept}")
    if resolve.duplicate_reset_tokens:
        for row in connection.exec_driver_sql(DUPLICATE_RESET_TOKENS):
            adoption.resolved.append(f"users {row.id}: reset token cleared, another user had the same")
