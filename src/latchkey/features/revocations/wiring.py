"""Assembles revocations."""

from latchkey.clock import stopwatch
from latchkey.feature import Contribution, Platform
from latchkey.features.api_keys.guards import KeyGuards
from latchkey.features.revocations.endpoints import revocations_endpoint
from latchkey.features.revocations.passes import Passes
from latchkey.features.revocations.scopes import RevocationsScope
from latchkey.features.revocations.waiting import Waiting


def wire_revocations(platform: Platform, keys: KeyGuards) -> Contribution:
    """Returns the endpoint GET /revocations."""
    passes = Passes(platform.database)
    waiting = Waiting(platform.feed, platform.stopping, stopwatch)
    return Contribution(endpoints=(revocations_endpoint(passes, waiting, keys.scope(RevocationsScope.READ)),))
