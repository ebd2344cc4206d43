"""Records a change in the transaction that makes it."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg

from latchkey.audit import queries
from latchkey.audit.event import Event
from latchkey.database.pool import AGAIN, Connection, Database, DatabaseUnavailable
from latchkey.logs import Logger

log = Logger()
T = TypeVar("T")


class Change:
    """A transaction in progress: `connection` runs its statements, `record` writes its audit row."""

    def __init__(self, connection: Connection, *, writes_row: bool) -> None:
        self.connection = connection
        self.unwritten: list[Event] = []
        self._writes_row = writes_row
        self._on_commit: list[Callable[[], None]] = []

    def on_commit(self, note: Callable[[], None]) -> None:
        """Calls `note` when the transaction has committed, before the caller gets an answer."""
        self._on_commit.append(note)

    def committed(self) -> None:
        """Runs the callbacks of `on_commit`."""
        for note in self._on_commit:
            note()

    async def record(self, event: Event) -> None:
        """Writes the audit row of this change. Call it once, as the last statement."""
        if not self._writes_row:
            self.unwritten.append(event)
            return
        try:
            await queries.insert(self.connection, event)
        except AGAIN:
            raise
        except asyncpg.PostgresError as error:
            if _connection_is_lost(error):
                raise
            raise _RowRefused from error


class _RowRefused(Exception):
    """PostgreSQL reported an error of the audit row's INSERT, so the transaction cannot commit."""


class AuditLog:
    """Makes changes together with their audit rows. `required`: a change without its row fails."""

    def __init__(self, database: Database, *, required: bool) -> None:
        self._database = database
        self._required = required

    async def change(self, work: Callable[[Change], Awaitable[T]]) -> T:
        """Runs `work` in one transaction with its audit row, and returns its result after the commit.

        If PostgreSQL refuses the row, `work` runs again without it, and one ERROR line logs the record. With
        `required`, raises DatabaseUnavailable instead, and nothing has changed. A lost connection is never retried
        here: its COMMIT may have happened.
        """
        try:
            return (await self._run(work, writes_row=True))[0]
        except _RowRefused as refused:
            if self._required:
                raise DatabaseUnavailable("the database refused the audit row, and AUDIT_REQUIRED is on") from refused
            cause = type(refused.__cause__).__name__
        result, change = await self._run(work, writes_row=False)
        for event in change.unwritten:
            log.error("audit row refused by the database; this line is the record", cause=cause, **_fields(event))
        return result

    async def _run(self, work: Callable[[Change], Awaitable[T]], *, writes_row: bool) -> tuple[T, Change]:
        async def attempt(connection: Connection) -> tuple[T, Change]:
            # Each attempt starts with an empty change: what a rolled-back attempt noted did not happen.
            change = Change(connection, writes_row=writes_row)
            return await work(change), change

        result, change = await self._database.transact(attempt)
        change.committed()
        return result, change


def _fields(event: Event) -> dict[str, Any]:
    return {
        "action": event.action.value,
        "actor_id": event.actor_id,
        "entity_type": event.entity_type,
        "entity_id": event.entity_id,
        "metadata": event.metadata(),
    }


def _connection_is_lost(error: asyncpg.PostgresError) -> bool:
    # Errors of class 57 end the connection, except a cancelled statement (57014).
    if isinstance(error, asyncpg.QueryCanceledError):
        return False
    return isinstance(error, asyncpg.OperatorInterventionError | asyncpg.PostgresConnectionError)
