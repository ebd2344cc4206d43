"""How health is put together."""

from latchkey.feature import Contribution, Platform
from latchkey.features.health.endpoints import health_endpoints


def wire_health(platform: Platform) -> Contribution:
    """/healthz and /readyz."""
    return Contribution(endpoints=tuple(health_endpoints(platform.database)))
