"""Assembles the administration of API keys."""

from latchkey.feature import Contribution, Platform
from latchkey.features.admin_access.access import AdminAccess
from latchkey.features.api_key_administration.endpoints import api_key_endpoints
from latchkey.features.api_keys.management import ApiKeys


def wire_api_key_administration(platform: Platform, access: AdminAccess, scopes: tuple[str, ...]) -> Contribution:
    """Returns the endpoints /admin/api-keys. `scopes` are those that a key may have."""
    return Contribution(endpoints=api_key_endpoints(ApiKeys(platform.database, platform.audit, scopes), access))
