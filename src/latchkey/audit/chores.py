"""Housekeeping of the audit log."""

from latchkey.audit.settings import AuditSettings
from latchkey.housekeeping.chore import DUE_BEFORE, Chore

# Ids grow with time, so the oldest rows are found without an index on the time. `created_at` may be NULL in migrated
# rows.
_OLDEST = "SELECT id, coalesce(created_at, '-infinity') AS made_at FROM audit_logs ORDER BY id LIMIT $2"


def chores(settings: AuditSettings) -> tuple[Chore, ...]:
    """Returns the chore that removes old audit rows, or none if AUDIT_KEEP_DAYS is unset."""
    if settings.audit_keep_days is None:
        return ()
    return (
        Chore(
            "audit rows",
            settings.audit_keep_days,
            f"SELECT id FROM ({_OLDEST}) AS oldest WHERE made_at < {DUE_BEFORE}",
            ("DELETE FROM audit_logs WHERE id = ANY($1)",),
        ),
    )
