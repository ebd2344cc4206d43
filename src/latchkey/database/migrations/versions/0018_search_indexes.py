"""Indexes of the operator's lists of users and of audit rows.

They are built while both releases serve. Behind a pooler that lends connections by the transaction, the whole migration
is one transaction, where PostgreSQL cannot build an index concurrently: there, writes wait.
"""

from alembic import op

revision = "0018"
down_revision = "0017"

# A login writes an audit row, so each index of audit_logs is paid by every login.
INDEXES = {
    "users_search": (
        "users USING gin (to_tsvector('simple', translate(lower(name || ' ' || email), '@.+_-/''', '       ')))"
    ),
    "users_by_email": """users ((lower(email) COLLATE "C"), id)""",
    "users_by_domain": "users ((lower(split_part(email, '@', 2))), id)",
    "users_by_verification": "users ((email_verified_at IS NULL), id)",
    "users_by_creation": "users (created_at)",
    "users_admins": "users (id) WHERE role = 'admin'",
    "users_suspended": "users (id) WHERE suspended_at IS NOT NULL",
    "users_deleted_by_id": "users (id) WHERE is_deleted",
    "audit_logs_by_action": "audit_logs (action, id)",
    "audit_logs_by_ip": "audit_logs ((metadata->>'ip'), id)",
    "audit_logs_by_creation": "audit_logs USING brin (created_at)",
}
# What a run left behind that was broken off while it built the index.
IS_INVALID = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('{}') AND NOT indisvalid"


def upgrade() -> None:
    if not op.get_context().opts["by_session"]:
        for name, definition in INDEXES.items():
            op.execute(f"CREATE INDEX {name} ON {definition}")
        return
    with op.get_context().autocommit_block():
        for name, definition in INDEXES.items():
            if op.get_bind().exec_driver_sql(IS_INVALID.format(name)).first():
                op.execute(f"DROP INDEX CONCURRENTLY {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {definition}")
