"""The audit log for admins and operators: the endpoints /admin/audit, and the commands that read it."""

from latchkey.feature import Feature
from latchkey.features.audit_log.actions import AuditLogAction
from latchkey.features.audit_log.scopes import AuditScope

AUDIT_LOG = Feature(
    name="audit_log",
    actions=AuditLogAction,
    scopes=AuditScope,
    commands="latchkey.features.audit_log.commands",
)
