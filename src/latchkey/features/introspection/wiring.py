"""Assembles introspection."""

from latchkey.feature import Contribution, Platform
from latchkey.features.api_keys.guards import KeyGuards
from latchkey.features.introspection.endpoints import introspection_endpoint
from latchkey.features.introspection.introspection import Introspection
from latchkey.features.introspection.scopes import IntrospectionScope


def wire_introspection(platform: Platform, keys: KeyGuards) -> Contribution:
    """Returns the endpoint POST /oauth/introspect."""
    settings = platform.settings
    introspection = Introspection(
        platform.database, platform.guards, issuer=settings.issuer(), audience=settings.audience()
    )
    return Contribution(endpoints=(introspection_endpoint(introspection, keys.scope(IntrospectionScope.INTROSPECT)),))
