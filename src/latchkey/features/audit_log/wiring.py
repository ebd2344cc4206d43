"""Assembles the audit log."""

from latchkey.feature import Contribution, Platform
from latchkey.features.admin_access.access import AdminAccess
from latchkey.features.audit_log.endpoints import export_endpoint, list_endpoint
from latchkey.features.audit_log.reading import AuditReader
from latchkey.http.bound_cursors import BoundCursors
from latchkey.keys import Mac


def wire_audit_log(platform: Platform, access: AdminAccess) -> Contribution:
    """Returns the endpoints /admin/audit."""
    reader = AuditReader(platform.database)
    cursors = BoundCursors(Mac(platform.access_secret, "cursor of the audit log"))
    return Contribution(
        endpoints=(
            list_endpoint(reader, cursors, access),
            export_endpoint(reader, platform.audit, access, platform.stopping),
        )
    )
