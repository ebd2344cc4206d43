"""`latchkey doctor`'s check of API keys."""

import asyncpg

from latchkey.feature import PlatformSettings
from latchkey.features.api_keys import queries
from latchkey.terminal.finding import Finding, ok, warning
from latchkey.terminal.output import utc

NAME = "API keys"
WARN_DAYS = 14


async def check(_: PlatformSettings, connection: asyncpg.Connection) -> tuple[Finding, ...]:
    """Checks whether keys expire soon: their servers are refused from then on."""
    expiring = await queries.expiring(connection, within_days=WARN_DAYS)
    if not expiring:
        return (ok(NAME, f"none expires within {WARN_DAYS} days"),)
    named = ", ".join(f"{key_id} at {utc(expires_at)}" for key_id, expires_at in expiring.items())
    return (
        warning(
            NAME,
            f"expire within {WARN_DAYS} days: {named}",
            "make another key (latchkey api-keys create), give it to that server, and revoke the old one",
        ),
    )
