"""Connections that may lead through a pooler, such as PgBouncer.

A pooler lends PostgreSQL's server processes to its clients: for a session each, or for a transaction. In the second case
all that belongs to a session may be gone, or somebody else's, at the next transaction: prepared statements, settings,
session-level locks, LISTEN.
"""

import asyncio
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

import asyncpg

from latchkey.database.pooler_queries import ignored_settings, is_direct, learn_arrays, server_process

LOOKS = 5
DECISIVE = {"search_path", "role"}
"""Settings without which this would be another database, or somebody else's."""


class UnfitPooler(Exception):
    """A pooler that this program cannot work with; the text says what to change."""


class _Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """Names its prepared statements as no other process does. When a pooler is told to lend by the transaction while
    statements are prepared, the one that is asked for must be missing, and never be somebody else's."""

    def _get_unique_id(self, prefix: str) -> str:
        return f"__asyncpg_{prefix}_{token_hex(8)}__"


@dataclass(slots=True)
class Opener:
    """Opens connections with asyncpg's `options`. They prepare statements only where these stay: straight to PostgreSQL,
    or through a pooler of which `by_session` says that it lends for a session each."""

    options: dict[str, Any] = field(repr=False)
    by_session: bool = False
    behind_pooler: bool = False
    """What the newest connection has found."""

    async def open(self, **more: Any) -> asyncpg.Connection:
        """One connection. Raises UnfitPooler, and what asyncpg raises; TimeoutError after the options' `timeout`."""
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
    """What is done once and for all, so that no later statement changes anything of the session.

    Raises UnfitPooler when the pooler has ignored one of the settings by which tables and rights are found.
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
    """Whether that is how PgBouncer refuses to begin a transaction with `pool_mode = statement`."""
    return "statement pooling mode" in str(error)


def _unfit_pooler(error: Exception) -> UnfitPooler | None:
    """What PgBouncer says by that error, so that its operator sees what to do; None when it is another error."""
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
    """Whether a pooler was seen to give the two connections, which do nothing else, each other's server process, or
    one of them another one than before. It may go unseen on a busy pooler."""
    process = await server_process(connection)
    for _ in range(LOOKS):
        async with other.transaction():
            if await server_process(other) == process or await server_process(connection) != process:
                return True
    return False
