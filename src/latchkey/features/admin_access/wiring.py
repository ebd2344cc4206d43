"""Assembles admin access."""

from latchkey.feature import Platform
from latchkey.features.admin_access.access import AdminAccess
from latchkey.features.admin_access.settings import AdminAccessSettings
from latchkey.features.api_keys.guards import KeyGuards
from latchkey.http.edge.rate_limit import RateLimit


def wire_admin_access(platform: Platform, settings: AdminAccessSettings, keys: KeyGuards) -> AdminAccess:
    """Returns what makes the guards of /admin."""
    return AdminAccess(
        database=platform.database,
        signed_in=platform.guards.signed_in,
        keys=keys,
        limit=RateLimit(settings.admin_rate_limit, platform.counts, platform.clock, of="admin").count,
        networks=settings.admin_networks,
        recent_seconds=settings.reauthentication_minutes * 60,
    )
