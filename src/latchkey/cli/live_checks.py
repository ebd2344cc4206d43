"""Checks that ask the database and the rate limit's store. They write to neither."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import asyncpg

from latchkey.cli.data_checks import check_data
from latchkey.cli.mail_checks import check_dead_letters
from latchkey.clock import Clock, system_clock
from latchkey.counts import open_counts
from latchkey.database.adoption.original_schema import UnfitSchema, require_adoptable
from latchkey.database.connection_options import tls_mode
from latchkey.database.migrate import is_current, schema_revision
from latchkey.database.pool import DatabaseUnavailable, connect
from latchkey.database.pooler import UnfitPooler, is_lent_by_transaction
from latchkey.database.pooler_queries import is_direct
from latchkey.database.queries import ServerState, server_state, server_time
from latchkey.database.schema import schema_difference
from latchkey.database_url import DatabaseUrl, parse_database_url
from latchkey.database_url_advice import CHANNEL_BINDING
from latchkey.housekeeping.chore import Chore
from latchkey.housekeeping.queries import count_due
from latchkey.housekeeping.tally import Tally
from latchkey.terminal.finding import Finding, ok, problem, warning

OLDEST_SERVER = 13
SKEW_WARNING_SECONDS = 2.0
SKEW_PROBLEM_SECONDS = 30.0
STORE_SECONDS = 5.0
BACKLOG = 10_000


OfFeatures = Callable[[asyncpg.Connection], Awaitable[list[Finding]]]


async def check_database(
    url: str,
    due: list[Chore],
    of_features: OfFeatures,
    *,
    tallies: Sequence[Tally] = (),
    production: bool,
    clock: Clock,
) -> list[Finding]:
    """Checks that the database is reachable, writable, new enough, migrated, encrypted and in time.

    Also checks how many rows the chores `due` have not removed yet, the `tallies`, the sequences, and what features
    check in the database.
    """
    findings = [_tls(parse_database_url(url), production=production)]
    try:
        connection = await connect(url, production=production)
    except DatabaseUnavailable as error:
        if isinstance(error.__cause__, UnfitPooler):
            return [*findings, problem("database", f"cannot be used: {error}", "see the pooler's settings")]
        return [*findings, problem("database", f"cannot be reached: {error}", "check that it runs, and DATABASE_URL")]
    try:
        state = await server_state(connection)
        revision = await schema_revision(connection)
        return [
            *findings,
            ok("database", "is reachable"),
            await _pooler(connection, url, production=production),
            _writes(state),
            _version(state),
            await _schema(connection, revision),
            *([await check_dead_letters(connection)] if is_current(revision) else []),
            await _skew(connection, clock),
            *([await _housekeeping(connection, due)] if is_current(revision) else []),
            *(await check_data(connection, tallies) if is_current(revision) else []),
            *(await of_features(connection) if is_current(revision) else []),
        ]
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, DatabaseUnavailable) as error:
        return [*findings, problem("database", f"failed: {type(error).__name__}: {error}", "read the database's log")]
    finally:
        await connection.close()


async def _pooler(connection: asyncpg.Connection, url: str, *, production: bool) -> Finding:
    """Checks for a pooler that changes the server connection between transactions."""
    name = "pooler"
    if await is_direct(connection):
        return ok(name, "none found: connections go straight to PostgreSQL")
    other = await connect(url, production=production)
    try:
        by_transaction = await is_lent_by_transaction(connection, other)
    finally:
        await other.close()
    if not by_transaction:
        return ok(name, "seems to lend each client a connection for its whole session")
    return warning(
        name,
        "lends connections by the transaction (PgBouncer: pool_mode = transaction). This works, but statements are not"
        " prepared, and each request asks the database whether its session has ended",
        "for speed, point DATABASE_URL at PostgreSQL itself, or at a pooler with pool_mode = session",
    )


async def check_store(url: str) -> Finding:
    """Checks that the rate limit's store answers. Reveals nothing of its URL, which may hold a password."""
    name = "rate limit store"
    if url.startswith("memory://"):
        return ok(name, "is this process' memory")
    advice = "check that it runs, and RATE_LIMIT_STORAGE. Until then logins are refused, and no rate is limited"
    try:
        async with asyncio.timeout(STORE_SECONDS):
            answers = await open_counts(url, system_clock).check()
    except Exception as error:  # noqa: BLE001 - the clients of the stores have no common base class
        return problem(name, f"cannot be used: {type(error).__name__}", advice)
    return ok(name, "answers") if answers else problem(name, "does not answer, or refuses the user or password", advice)


def _tls(url: DatabaseUrl, *, production: bool) -> Finding:
    name = "database TLS"
    mode = tls_mode(url, production=production)
    if url.binds_channel:
        return warning(name, CHANNEL_BINDING, "write sslmode=verify-full instead")
    if url.is_local:
        return ok(name, "not needed: the database is on this machine")
    if mode.startswith("verify-"):
        return ok(name, f"encrypted, and the server is verified (sslmode {mode})")
    risk = "anyone on the network path can pose as the database" if mode == "require" else "may not be encrypted"
    return warning(name, f"sslmode is {mode}: {risk}", "give DATABASE_URL sslmode=verify-full")


def _writes(state: ServerState) -> Finding:
    name = "database writes"
    if state.takes_writes:
        return ok(name, "are taken")
    return problem(
        name,
        "are refused: this server is a standby, or default_transaction_read_only is on",
        "name the primary in DATABASE_URL, or all hosts, separated by commas: the one that takes writes is chosen",
    )


def _version(state: ServerState) -> Finding:
    name = "database version"
    if state.version >= OLDEST_SERVER:
        return ok(name, f"PostgreSQL {state.version}")
    return problem(name, f"PostgreSQL {state.version} is too old", f"upgrade it to {OLDEST_SERVER} or newer")


async def _schema(connection: asyncpg.Connection, revision: str | None) -> Finding:
    if is_current(revision):
        return ok("schema", f"is at revision {revision}")
    if revision is None:
        try:
            await require_adoptable(connection)
        except UnfitSchema as error:
            return problem(
                "schema",
                f"this database cannot be migrated: {' '.join(error.problems)}",
                "correct that, or name another database or search_path in DATABASE_URL",
            )
    return problem("schema", schema_difference(revision), "run: latchkey migrate")


async def _housekeeping(connection: asyncpg.Connection, due: list[Chore]) -> Finding:
    """Checks how many rows wait for removal.

    A server removes them every ten minutes, so many rows mean that none does.
    """
    counts = {chore.name: await count_due(connection, chore, BACKLOG) for chore in due}
    waiting = [f"{'more than ' * (count >= BACKLOG)}{count} {name}" for name, count in counts.items() if count]
    message = f"{', '.join(waiting)} are due to be removed" if waiting else "no rows are due to be removed"
    if any(count >= BACKLOG for count in counts.values()):
        return warning("housekeeping", message, "read the server's log for the cause, or run: latchkey purge")
    return ok("housekeeping", message)


async def _skew(connection: asyncpg.Connection, clock: Clock) -> Finding:
    """Compares the clocks: tokens expire by this machine's clock, sessions and reset links by the database's."""
    before = clock()
    theirs = await server_time(connection)
    skew = theirs - (before + clock()) / 2
    message = f"the database's clock is {abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} this machine's"
    advice = "set both clocks by NTP"
    if abs(skew) > SKEW_PROBLEM_SECONDS:
        return problem("clock", message, advice)
    return warning("clock", message, advice) if abs(skew) > SKEW_WARNING_SECONDS else ok("clock", message)
