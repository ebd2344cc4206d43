"""The outbox: mails to be sent, in a table, so that they survive a restart and nobody waits for them."""

import asyncio
import json
from dataclasses import dataclass

from latchkey.audit.record import Change
from latchkey.database.pool import Connection, Database
from latchkey.http.exchange import Origin
from latchkey.mail import queries


@dataclass(frozen=True, slots=True)
class Entry:
    """A mail to be: what kind, to which address as it was typed, and the request that asked for it."""

    kind: str
    recipient: str
    origin: Origin


class Outbox:
    """Takes mails in. `waiting` wakes this process' worker; others find the row when they look."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.waiting = asyncio.Event()

    async def put(self, kind: str, recipient: str, origin: Origin) -> None:
        """Stores a mail to be, committed when this returns."""
        await self._database.write(*queries.insertion(kind, recipient, _metadata(origin)))
        self.waiting.set()

    async def add(self, change: Change, kind: str, recipient: str, origin: Origin) -> None:
        """Stores a mail to be in the transaction of `change`: it is sent if that commits."""
        await change.connection.execute(*queries.insertion(kind, recipient, _metadata(origin)))
        change.on_commit(self.waiting.set)

    async def take(self, connection: Connection) -> Entry | None:
        """Removes the oldest mail that no other worker is at, in the transaction of `connection`; None: no more."""
        row = await queries.take_oldest(connection)
        if row is None:
            return None
        metadata = json.loads(row["metadata"])
        origin = Origin(metadata.get("ip"), metadata.get("userAgent"), metadata.get("requestId"))
        return Entry(row["kind"], row["recipient"], origin)


def _metadata(origin: Origin) -> str:
    return json.dumps({"ip": origin.ip, "userAgent": origin.user_agent, "requestId": origin.request_id})
