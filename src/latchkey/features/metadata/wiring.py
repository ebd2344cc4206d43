"""Assembles metadata."""

from latchkey.feature import Contribution, Platform
from latchkey.features.metadata.endpoints import metadata_endpoints
from latchkey.features.metadata.service import OwnMetadata


def wire_metadata(platform: Platform) -> Contribution:
    """Returns the endpoints /auth/me/metadata."""
    return Contribution(
        endpoints=metadata_endpoints(OwnMetadata(platform.database, platform.audit), platform.guards.signed_in)
    )
