"""Assembles API keys."""

from dataclasses import dataclass

from latchkey.clock import stopwatch
from latchkey.feature import Contribution, Platform
from latchkey.features.api_keys.guards import KeyGuards
from latchkey.features.api_keys.key_limit import KeyLimit
from latchkey.features.api_keys.last_uses import LastUses
from latchkey.features.api_keys.lookup import KeyLookup
from latchkey.features.api_keys.settings import ApiKeySettings
from latchkey.http.edge.rate_limit import RateLimit


@dataclass(frozen=True, slots=True)
class ApiKeyParts:
    """What other features use, and the contribution to the process."""

    guards: KeyGuards
    contribution: Contribution


def wire_api_keys(platform: Platform, settings: ApiKeySettings) -> ApiKeyParts:
    """Wires the guards of API keys, and the task that stores their last uses."""
    lookup = KeyLookup(platform.database, lambda: platform.feed.is_healthy, stopwatch)
    platform.feed.on_changed(lookup.changed)
    counts, clock = platform.counts, platform.clock
    limit = KeyLimit(
        lookup,
        good=RateLimit(settings.api_key_rate_limit, counts, clock, of="api-key"),
        bad=RateLimit(platform.settings.rate_limit, counts, clock, of="bad-key"),
    )
    uses = LastUses(platform.database, stopwatch)
    return ApiKeyParts(KeyGuards(limit, uses), Contribution(tasks=(uses.run,)))
