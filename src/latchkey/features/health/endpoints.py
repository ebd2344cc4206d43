"""Endpoints that report whether the process is alive and the database takes writes."""

import asyncio
from typing import Any

from latchkey.database.pool import Database
from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.refusal import ServiceUnavailable

READY_SECONDS = 1.0
TAG = "Health"


def health_endpoints(database: Database) -> list[Endpoint[Any]]:
    """Returns /healthz, which touches no database, and /readyz.

    The rate limit counts neither. A request in HTTP/1.0 needs no Host.
    """

    async def alive(_: Call[None]) -> Reply:
        return Reply()

    async def ready(_: Call[None]) -> Reply:
        try:
            async with asyncio.timeout(READY_SECONDS):
                # A standby answers SELECT 1 but takes no writes.
                read_only = await database.fetchval("SELECT current_setting('transaction_read_only')")
        except TimeoutError:
            raise ServiceUnavailable from None
        if read_only != "off":
            raise ServiceUnavailable
        return Reply()

    return [
        Endpoint(
            method="GET",
            path="/healthz",
            handler=alive,
            tag=TAG,
            summary="Is the process alive",
            success=(Success(message="OK"),),
            counted=False,
            for_probes=True,
            touches_database=False,
        ),
        Endpoint(
            method="GET",
            path="/readyz",
            handler=ready,
            tag=TAG,
            summary="Does the database take writes",
            success=(Success(message="Ready"),),
            counted=False,
            for_probes=True,
        ),
    ]
