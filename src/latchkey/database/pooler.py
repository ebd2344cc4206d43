"""Connections that may pass a pooler, such as PgBouncer.

A pooler lends PostgreSQL's server processes to its clients: for a session, or for a transaction. In the second case the
next transaction may find another session's state: prepared statements, settings, session-level locks, LISTEN.
"""

import asyncio
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

import asyncpg

from latchkey.database.pooler_queries import ignored_settings, is_direct, learn_arrays, server_process

LOOKS = 20
DECISIVE = {"search_path", "role"}
"""Settings that decide which database, tables and rights a connection has."""


class UnfitPooler(Exception):
    """Latchkey cannot work with this pooler. The text says what to change."""


class _Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """Gives its prepared statements names that no other process uses.

    If a pooler starts to lend by the transaction, a prepared statement is then missing, and never another process'
    statement.
    """

    def _get_unique_id(self, prefix: str) -> str:
        return f"__asyncpg_{prefix}_{token_hex(8)}__"


@dataclass(slots=True)
class Opener:
    """Opens connections with asyncpg's `options`.

    They prepare statements only where these persist: on a direct connection, or through a pooler that lends connections
    for whole sessions, as `by_session` says.
    """

    options: dict[str, Any] = field(repr=False)
    by_session: bool = False
    behind_pooler: bool = False
    """What the newest connection has found."""

    async def open(self, **more: Any) -> asyncpg.Connection:
        """Opens a connection. Raises UnfitPooler, asyncpg's errors, and TimeoutError after the options' `timeout`."""
        try:
            async with asyncio.timeout(self.options["timeout"]):
                return await self._open(more)
        except asyncpg.PostgresError as error:
            if unfit := _unfit_pooler(error):
                raise unfit from error
            raise

    async def _open(self, more: dict[str, Any]) -> asyncpg.Connection:
        prepares = self._may_prepare()
        while True:
            size = {} if prepares else {"statement_cache_size": 0}
            connection = await asyncpg.connect(**self.options, **{**more, "connection_class": _Connection}, **size)
            try:
                self.behind_pooler = not await is_direct(connection)
                if prepares == self._may_prepare():
                    if not prepares:
                        await _prepare_for_lending(connection, self.options.get("server_settings", {}))
                    return connection
                prepares = not prepares
                await connection.close()
            except BaseException:
                connection.terminate()
                raise

    def _may_prepare(self) -> bool:
        return self.by_session or not self.behind_pooler


async def _prepare_for_lending(connection: asyncpg.Connection, settings: dict[str, str]) -> None:
    """Does all set-up that a session needs, so that no later statement changes the session.

    Raises UnfitPooler if the pooler ignored a setting that decides tables or rights.
    """
    transaction = connection.transaction()
    await transaction.start()
    await learn_arrays(connection)
    wanted = {name: value for name, value in settings.items() if name in DECISIVE}
    ignored = await ignored_settings(connection, wanted)
    await transaction.rollback()
    if ignored:
        raise UnfitPooler(f"a pooler on the way ignores the setting {ignored[0]} {_elsewhere(ignored[0])}")


def lends_by_statement(error: Exception) -> bool:
    """Tells whether the error is PgBouncer's refusal to begin a transaction with `pool_mode = statement`."""
    return "statement pooling mode" in str(error)


def _unfit_pooler(error: Exception) -> UnfitPooler | None:
    """Explains PgBouncer's error to its operator; None for any other error."""
    if lends_by_statement(error):
        return UnfitPooler(
            "a pooler on the way lends connections by the statement, so that no transaction can run: "
            "set its pool_mode to transaction or session"
        )
    _, refused, setting = str(error).partition("unsupported startup parameter: ")
    if refused:
        return UnfitPooler(f"a pooler on the way refuses the setting {setting} {_elsewhere(setting)}")
    return None


def _elsewhere(setting: str) -> str:
    return f"of DATABASE_URL: leave it out there, and set it in PostgreSQL (ALTER ROLE … SET {setting} = …)"


async def is_lent_by_transaction(connection: asyncpg.Connection, other: asyncpg.Connection) -> bool:
    """Tells whether two idle connections get each other's server process, or another than before.

    A pooler that lends connections for whole sessions never does that. On a busy one that lends them by the transaction,
    each look may see nothing by chance, so there are many.
    """
    processes, processes_of_other = {await server_process(connection)}, set[int]()
    for _ in range(LOOKS):
        async with other.transaction():
            processes_of_other.add(await server_process(other))
            processes.add(await server_process(connection))
        if len(processes) > 1 or len(processes_of_other) > 1 or processes & processes_of_other:
            return True
    return False
