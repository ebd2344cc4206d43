"""The connection pool: reads, and transactions that either happened or did not."""

import ssl
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import asyncpg
import structlog

from latchkey.database.connection_options import UnusableUrl, connection_options
from latchkey.database.pooler import Opener, UnfitPooler, lends_by_statement

POOL_MAX = 10
ACQUIRE_SECONDS = 2.0
STATEMENT_SECONDS = 5.0
CANCEL_SECONDS = 1.0
"""How long PostgreSQL may take to cancel a statement that took too long, before its connection is dropped."""
ATTEMPTS = 3

log = structlog.get_logger(__name__)
T = TypeVar("T")


class DatabaseUnavailable(Exception):
    """PostgreSQL cannot do it now: gone, starting, read-only, full, too busy, or too slow. Try again later."""


class Queryable(Protocol):
    """What a query runs on: the pool for a single read, a connection inside a transaction."""

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]: ...
    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record | None: ...
    async def fetchval(self, query: str, *args: Any) -> Any: ...


class Connection(Queryable, Protocol):
    """A connection inside a transaction; `execute` is for statements whose result nobody needs, `timeout` for one that
    may take longer than others."""

    async def fetchval(self, query: str, *args: Any, timeout: float | None = None) -> Any: ...  # noqa: ASYNC109 asyncpg's

    async def execute(self, query: str, *args: Any) -> str: ...


# The connection was lost or never was: before COMMIT this means that nothing happened.
LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # How asyncpg refuses a connection that PostgreSQL has said goodbye on, but not yet hung up.
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
)
# The server answers, but cannot do it now: read-only after a failover, out of disk or memory, locked or too slow.
REFUSED = (
    TimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.PostgresSystemError,
    asyncpg.InternalServerError,
)
# Doing the same again is right, since nothing of this transaction happened.
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
    """The pool of one process. Opened by `open_database`; every method raises DatabaseUnavailable when PostgreSQL
    cannot serve, after at most about 2 s for a connection and 5 s for a statement."""

    def __init__(self, pool: asyncpg.Pool, opener: Opener) -> None:
        self._pool = pool
        self._opener = opener

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        """All rows of a read."""
        return await self._run(lambda connection: connection.fetch(query, *args), again_if_lost=lambda: True)

    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record | None:
        """The first row of a read, or None."""
        return await self._run(lambda connection: connection.fetchrow(query, *args), again_if_lost=lambda: True)

    async def fetchval(self, query: str, *args: Any) -> Any:
        """The first value of the first row of a read, or None."""
        return await self._run(lambda connection: connection.fetchval(query, *args), again_if_lost=lambda: True)

    async def write(self, query: str, *args: Any) -> Any:
        """Runs one writing statement, a transaction of its own; returns the first value that it returns, or None.

        After a lost connection it is not run again: it may have happened.
        """
        return await self._run(lambda connection: connection.fetchval(query, *args), again_if_lost=lambda: False)

    async def transact(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Runs `work` in one transaction and returns what it returns, committed.

        Whatever `work` raises rolls everything back and is raised on. After a deadlock, a serialization failure or a
        change of the schema `work` runs again, up to three times in all: it must do nothing but database work.
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
                # Found by asyncpg when it read the answer; by now the transaction is rolled back.
                began = False
                raise

        # A pooled connection that died while idle is found out by BEGIN, when nothing has happened yet.
        return await self._run(in_transaction, again_if_lost=lambda: not began)

    async def pooler_lends_sessions(self, known: bool) -> None:
        """Notes whether a pooler on the way is known to lend connections for a session each: only then statements are
        prepared through it."""
        if known != self._opener.by_session:
            self._opener.by_session = known
            if self._opener.behind_pooler:
                await self._pool.expire_connections()

    async def close(self) -> None:
        """Waits for connections in use, then closes all."""
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
        raise AssertionError("unreachable")

    async def _attempt(self, query: Callable[[asyncpg.pool.PoolConnectionProxy], Awaitable[T]]) -> T:
        """Runs `query` on a connection of the pool; the driver's errors come out as ours."""
        try:
            connection = await self._pool.acquire(timeout=ACQUIRE_SECONDS)
        except UnfitPooler as error:
            raise DatabaseUnavailable(f"no connection: {error}") from error
        except (*LOST, *REFUSED, asyncpg.PostgresError) as error:
            # A server that lets nobody in (password, database name, TLS) is as good as gone, and no bug of a request.
            raise DatabaseUnavailable(f"no connection: {type(error).__name__}") from error
        try:
            try:
                return await query(connection)
            finally:
                await self._pool.release(connection, timeout=CANCEL_SECONDS)
        except LOST as error:
            if isinstance(error, ValueError):
                # asyncpg counts an argument that does not fit its column as an InterfaceError; it is a bug of ours.
                raise
            if lends_by_statement(error):
                # No connection will do: reads, and whether this instance is ready, must find that out too.
                await self._pool.expire_connections()
            raise DatabaseUnavailable(type(error).__name__) from error
        except REFUSED as error:
            if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                # The node we know has become a standby; new connections will look for the primary.
                await self._pool.expire_connections()
            raise DatabaseUnavailable(type(error).__name__) from error
        except asyncpg.PostgresError as error:
            # It quotes rows, with addresses and hashes in them, and a traceback in the log would show it.
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
        # We set nothing on a connection, so there is nothing to reset, and no statement to pay for it.
        reset=_keep_as_is,
    )
    return Database(pool, opener)


async def connect(url: str, *, production: bool) -> asyncpg.Connection:
    """One connection outside the pool, for migrations and checks. Raises DatabaseUnavailable when there is none."""
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
