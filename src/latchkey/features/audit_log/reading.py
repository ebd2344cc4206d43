"""Reads audit rows: pages of a search, and a whole search in batches."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from latchkey.audit.queries import AuditRow
from latchkey.database.pool import Connection, Database
from latchkey.database.queries import plan_each, prefer_bitmaps
from latchkey.features.audit_log import queries
from latchkey.features.audit_log.search import AuditSearch

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class AuditReader:
    """Reads the audit log."""

    database: Database

    async def rows(self, search: AuditSearch, *, limit: int, below: int | None = None) -> list[AuditRow]:
        """Returns at most `limit` rows, newest id first, with ids below `below` (None: all)."""

        async def read(connection: Connection) -> list[AuditRow]:
            await plan_each(connection)
            if search.given():
                found = await queries.find_among_newest(connection, search, limit=limit, below=below)
                if len(found) == limit:
                    return found
                await prefer_bitmaps(connection)
            return await queries.find_page(connection, search, limit=limit, below=below)

        return await self.database.transact(read)

    async def newest_id(self) -> int:
        """Returns the largest id of all rows; 0 without any."""
        return await queries.newest_id(self.database)

    async def batches(self, search: AuditSearch, *, below: int) -> AsyncIterator[list[AuditRow]]:
        """Yields all rows of a search with ids below `below`, newest first. Holds no connection between batches."""
        while batch := await self.rows(search, limit=BATCH, below=below):
            yield batch
            below = batch[-1].id
