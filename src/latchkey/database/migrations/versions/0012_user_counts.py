"""Counts of users, updated with every change: counting a million rows for each page of a list is too slow.

Triggers update them, so that rows changed by hand count, too. 16 parts, one for each server process modulo 16, so that
parallel changes seldom wait for each other.
"""

from alembic import op

revision = "0012"
down_revision = "0011"

LOCK = "LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE"
TABLE = "CREATE TABLE user_counts (part integer PRIMARY KEY, live bigint NOT NULL) WITH (fillfactor = 50)"
FILL = """
INSERT INTO user_counts
SELECT part, CASE part WHEN 0 THEN (SELECT count(*) FROM users WHERE NOT is_deleted) ELSE 0 END
FROM generate_series(0, 15) AS part
"""

FUNCTIONS = (
    """
    CREATE FUNCTION latchkey_add_users(more bigint) RETURNS void LANGUAGE sql SET search_path FROM CURRENT AS $$
        UPDATE user_counts SET live = live + more WHERE part = pg_backend_pid() % 16 AND more <> 0
    $$
    """,
    """
    CREATE FUNCTION latchkey_count_users() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    BEGIN
        CASE TG_OP
            WHEN 'INSERT' THEN PERFORM latchkey_add_users((SELECT count(*) FROM changed WHERE NOT is_deleted));
            WHEN 'DELETE' THEN PERFORM latchkey_add_users((SELECT -count(*) FROM changed WHERE NOT is_deleted));
            WHEN 'UPDATE' THEN PERFORM latchkey_add_users(CASE WHEN NEW.is_deleted THEN -1 ELSE 1 END);
            WHEN 'TRUNCATE' THEN UPDATE user_counts SET live = 0;
        END CASE;
        RETURN NULL;
    END $$
    """,
)

TRIGGERS = (
    """
    CREATE TRIGGER users_counted_in AFTER INSERT ON users REFERENCING NEW TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION latchkey_count_users()
    """,
    """
    CREATE TRIGGER users_counted_out AFTER DELETE ON users REFERENCING OLD TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION latchkey_count_users()
    """,
    """
    CREATE TRIGGER users_counted_over AFTER UPDATE OF is_deleted ON users
        FOR EACH ROW WHEN (OLD.is_deleted <> NEW.is_deleted) EXECUTE FUNCTION latchkey_count_users()
    """,
    "CREATE TRIGGER users_counted_off AFTER TRUNCATE ON users EXECUTE FUNCTION latchkey_count_users()",
)


def upgrade() -> None:
    op.execute(LOCK)
    for statement in (TABLE, FILL, *FUNCTIONS, *TRIGGERS):
        op.execute(statement)
