"""Assembles impersonation."""

from latchkey.feature import Contribution, Platform
from latchkey.features.admin_access.access import AdminAccess
from latchkey.features.impersonation.endpoints import impersonate_endpoint
from latchkey.features.impersonation.service import Impersonation
from latchkey.features.impersonation.settings import ImpersonationSettings
from latchkey.features.sign_in.door import Door


def wire_impersonation(
    platform: Platform, settings: ImpersonationSettings, access: AdminAccess, door: Door
) -> Contribution:
    """Returns the endpoint, if IMPERSONATION is on: else the path does not exist."""
    if not settings.impersonation:
        return Contribution()
    impersonation = Impersonation(platform.audit, door)
    return Contribution(
        endpoints=(impersonate_endpoint(impersonation, platform.presented_sessions, platform.cookies, access),)
    )
