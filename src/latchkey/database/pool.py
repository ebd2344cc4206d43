"""The connection pool: reads, and transactions that happen completely or not at all."""

import ssl
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import asyncpg

from latchkey.database.connection_options import UnusableUrl, connection_options
from latchkey.database.pooler import Opener, UnfitPooler, lends_by_statement

POOL_MAX = 10
ACQUIRE_SECONDS = 2.0
STATEMENT_SECONDS = 5.0
CANCEL_SECONDS = 1.0
"""How long PostgreSQL may take to cancel a statement after its deadline, before the connection is dropped."""
ATTEMPTS = 3

T = TypeVar("T")


class DatabaseUnavailable(Exception):
    """PostgreSQL cannot serve now: gone, starting, read-only, full, too busy or too slow. Try again later."""


class Queryable(Protocol):
    """Runs queries: the pool for a single read, or a connection inside a transaction."""

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]: ...
    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record | None: ...
    async def fetchval(self, query: str, *args: Any) -> Any: ...


class Connection(Queryable, Protocol):
    """A connection inside a transaction. `execute` is for statements without a result; `timeout` for slow ones."""

    async def fetchval(self, query: str, *args: Any, timeout: float | None = None) -> Any: ...  # noqa: ASYNC109 asyncpg's

    async def execute(self, query: str, *args: Any) -> str: ...


# The connection is lost or was never opened. Before COMMIT this means that nothing happened.
LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # asyncpg's error for a connection that PostgreSQL has ended but not closed yet.
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
)
# The server answers but cannot serve now: read-only after a failover, out of disk or memory, locked or too slow.
REFUSED = (
    TimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.PostgresSystemError,
    asyncpg.InternalServerError,
)
# Safe to repeat, because nothing of this transaction happened.
AGAIN = (
    # Another transaction won.
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    # A column has another type than when the statement was prepared. Outside of transactions asyncpg repeats it.
    asyncpg.InvalidCachedStatementError,
    # A pooler has lent this connection another server process, which does not know the statement.
    asyncpg.InvalidSQLStatementNameError,
)


class Database:
    """The pool of one process, opened by `open_database`.

    Every method raises DatabaseUnavailable when PostgreSQL cannot serve, after at most about 2 s for a connection and 5
    s for a statement.
    """

    def __init__(self, pool: asyncpg.Pool, opener: Opener) -> None:
        self._pool = pool
        self._opener = opener

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        """Returns all rows of a read."""
        return await self._run(lambda connection: connection.fetch(query, *args), again_if_lost=lambda: True)

    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record | None:
        """Returns the first row of a read, or None."""
        return await self._run(lambda connection: connection.fetchrow(query, *args), again_if_lost=lambda: True)

    async def fetchval(self, query: str, *args: Any) -> Any:
        """Returns the first value of the first row of a read, or None."""
        return await self._run(lambda connection: connection.fetchval(query, *args), again_if_lost=lambda: True)

    async def write(self, query: str, *args: Any) -> Any:
        """Runs a writing statement in its own transaction, and returns its first value, or None.

        After a lost connection it is not repeated, because it may have happened.
        """
        return await self._run(lambda connection: connection.fetchval(query, *args), again_if_lost=lambda: False)

    async def write_row(self, query: str, *args: Any) -> asyncpg.Record | None:
        """Does as `write`, and returns the first row, or None."""
        return await self._run(lambda connection: connection.fetchrow(query, *args), again_if_lost=lambda: False)

    async def transact(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Runs `work` in one transaction, and returns its result after the commit.

        An exception of `work` rolls everything back. After a deadlock, a serialization failure or a change of the
        schema, `work` runs again, at most three times in all: it must do database work only.
        """
        began = False

        async def in_transaction(connection: asyncpg.pool.PoolConnectionProxy) -> T:
            nonlocal began
            began = False
            try:
                async with connection.transaction():
                    began = True
                    return await work(connection)
            except asyncpg.OutdatedSchemaCacheError:
                # asyncpg found it in the answer. The transaction is rolled back by now.
                began = False
                raise

        # BEGIN detects a pooled connection that died while idle. Nothing has happened yet.
        return await self._run(in_transaction, again_if_lost=lambda: not began)

    async def pooler_lends_sessions(self, known: bool) -> None:
        """Turns prepared statements through a pooler on or off. `known`: the pooler is known to lend connections for
        whole sessions, so that they persist."""
        if known != self._opener.by_session:
            self._opener.by_session = known
            if self._opener.behind_pooler:
                await self._pool.expire_connections()

    async def close(self) -> None:
        """Waits for connections in use, then closes all connections."""
        await self._pool.close()

    async def _run(
        self,
        query: Callable[[asyncpg.pool.PoolConnectionProxy], Awaitable[T]],
        *,
        again_if_lost: Callable[[], bool],
    ) -> T:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._attempt(query)
            except AGAIN as error:
                if attempt == ATTEMPTS:
                    raise DatabaseUnavailable(f"{ATTEMPTS} times {type(error).__name__}") from error
                if isinstance(error, asyncpg.InvalidSQLStatementNameError):
                    await self.pooler_lends_sessions(False)
            except DatabaseUnavailable as error:
                if attempt == ATTEMPTS or not again_if_lost() or not _was_stale(error):
                    raise
                # What cut this one has probably cut the other idle ones, too.
                await self._pool.expire_connections()
        raise AssertionError("unreachable")

    async def _attempt(self, query: Callable[[asyncpg.pool.PoolConnectionProxy], Awaitable[T]]) -> T:
        """Runs `query` on a pooled connection. Translates the driver's errors."""
        try:
            connection = await self._pool.acquire(timeout=ACQUIRE_SECONDS)
        except UnfitPooler as error:
            raise DatabaseUnavailable(f"no connection: {error}") from error
        except (*LOST, *REFUSED, asyncpg.PostgresError) as error:
            # A server that refuses the sign-in (password, database name, TLS) is as good as gone. It is not a bug of a
            # request.
            raise DatabaseUnavailable(f"no connection: {type(error).__name__}") from error
        try:
            try:
                return await query(connection)
            finally:
                await self._pool.release(connection, timeout=CANCEL_SECONDS)
        except LOST as error:
            if isinstance(error, ValueError):
                # asyncpg reports an argument that does not fit its column as an InterfaceError. That is a bug of this
                # program.
                raise
            if lends_by_statement(error):
                # All connections are useless now. Reads and readiness must notice that, too.
                await self._pool.expire_connections()
            raise DatabaseUnavailable(type(error).__name__) from error
        except REFUSED as error:
            if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                # The server has become a standby. New connections look for the primary.
                await self._pool.expire_connections()
            raise DatabaseUnavailable(type(error).__name__) from error
        except asyncpg.PostgresError as error:
            # The detail quotes rows, with addresses and hashes. A traceback in the log would show it.
            error.detail = None
            raise


def _was_stale(error: DatabaseUnavailable) -> bool:
    cause = error.__cause__
    if isinstance(cause, asyncpg.CannotConnectNowError | asyncpg.TooManyConnectionsError | ConnectionRefusedError):
        return False
    return isinstance(
        cause,
        asyncpg.PostgresConnectionError
        | asyncpg.OperatorInterventionError
        | asyncpg.InternalClientError
        | ConnectionError,
    )


async def open_database(url: str, *, production: bool, pool_max: int = POOL_MAX) -> Database:
    """Opens a pool. It connects lazily, so this works while PostgreSQL is away. `url`: see `connection_options`."""
    opener = Opener(connection_options(url, production=production))

    async def open_one(_: str | None, **more: Any) -> asyncpg.Connection:
        return await opener.open(**more)

    pool = await asyncpg.create_pool(
        connect=open_one,
        min_size=0,
        max_size=pool_max,
        command_timeout=STATEMENT_SECONDS,
        # No statement sets anything on a connection, so a reset would only cost time.
        reset=_keep_as_is,
    )
    return Database(pool, opener)


async def connect(url: str, *, production: bool) -> asyncpg.Connection:
    """Opens a connection outside the pool, for migrations and checks. Raises DatabaseUnavailable."""
    try:
        return await Opener(connection_options(url, production=production)).open()
    except (UnfitPooler, UnusableUrl) as error:
        raise DatabaseUnavailable(str(error)) from error
    except ssl.SSLCertVerificationError as error:
        raise DatabaseUnavailable(
            f"the server's certificate cannot be verified: {error.verify_message}: name the file of its authority by"
            " sslrootcert=…/ca.pem in DATABASE_URL, and the server as the certificate does"
        ) from error
    except (*LOST, *REFUSED, asyncpg.PostgresError) as error:
        raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error


async def _keep_as_is(connection: asyncpg.Connection) -> None:
    """Replaces asyncpg's reset between two uses of a connection."""
