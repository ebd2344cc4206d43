"""Assembles the health feature."""

from latchkey.feature import Contribution, Platform
from latchkey.features.health.endpoints import health_endpoints


def wire_health(platform: Platform) -> Contribution:
    """Returns the endpoints /healthz and /readyz."""
    return Contribution(endpoints=tuple(health_endpoints(platform.database)))
