"""SQL of imports and exports."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from latchkey.database.pool import Connection, Queryable
from latchkey.database.queries import lock_by_name
from latchkey.features.imports.account import Account
from latchkey.hashing.schemes import NO_PASSWORD
from latchkey.sessions.standing import IS_SUSPENDED

SLOW_SECONDS = 300.0
"""How long one statement with thousands of accounts may take on a busy server."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the import of a file came."""

    file_sha256: bytes
    next_line: int
    is_finished: bool


async def lock_imports(connection: Connection) -> None:
    """Waits for every other transaction of an import."""
    await lock_by_name(connection, "imports", seconds=SLOW_SECONDS)


async def find_imports(database: Queryable, file_sha256: bytes) -> list[Progress]:
    """Returns how far this file's import came, and all unfinished ones."""
    rows = await database.fetch(
        "SELECT file_sha256, next_line, finished_at IS NOT NULL AS is_finished FROM imports"
        " WHERE file_sha256 = $1 OR finished_at IS NULL",
        file_sha256,
    )
    return [Progress(row["file_sha256"], row["next_line"], row["is_finished"]) for row in rows]


async def begin(connection: Connection, file_sha256: bytes) -> None:
    """Notes that the import of a file begins at its first line. Unfinished imports are given up."""
    await connection.execute("DELETE FROM imports WHERE finished_at IS NULL OR file_sha256 = $1", file_sha256)
    await connection.execute("INSERT INTO imports (file_sha256, next_line) VALUES ($1, 1)", file_sha256)


async def advance(connection: Connection, file_sha256: bytes, from_line: int, to_line: int, *, finished: bool) -> bool:
    """Moves the import of a file on. False if it does not stand at `from_line`, or is finished."""
    return bool(
        await connection.fetchval(
            "UPDATE imports SET next_line = $3, finished_at = CASE WHEN $4 THEN now() END"
            " WHERE file_sha256 = $1 AND next_line = $2 AND finished_at IS NULL RETURNING 1",
            file_sha256,
            from_line,
            to_line,
            finished,
        )
    )


async def find_taken(database: Queryable, emails: Sequence[str]) -> set[str]:
    """Returns those of the addresses (lower case) that live users have."""
    rows = await database.fetch(
        "SELECT lower(email) AS email FROM users WHERE lower(email) = ANY($1::text[]) AND NOT is_deleted", emails
    )
    return {row["email"] for row in rows}


async def find_taken_ids(database: Queryable, ids: Sequence[int]) -> set[int]:
    """Returns those of the ids that users have, deleted or not."""
    return {row["id"] for row in await database.fetch("SELECT id FROM users WHERE id = ANY($1::int[])", ids)}


async def insert(connection: Connection, accounts: Sequence[Account], *, keep_ids: bool) -> list[int | None]:
    """Inserts accounts with distinct addresses. Returns the id of each; None if its address, or its kept id, is
    taken."""
    if keep_ids:
        await _lock_ids(connection)
    id_column = "id, " if keep_ids else ""
    ids: list[int | None] = await connection.fetchval(
        "WITH given AS MATERIALIZED ("  # noqa: S608 constants
        "   SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bool[], $5::timestamptz[], $6::int[], $7::bool[])"
        "     WITH ORDINALITY AS given (email, name, password, verified, created_at, id, truncated, place)"
        "   ORDER BY place"
        " ), inserted AS ("
        f"   INSERT INTO users ({id_column}name, email, password, password_migrated, email_verified_at, email_since,"
        "     created_at)"
        f"  SELECT {id_column}name, email, password, truncated, CASE WHEN verified THEN now() END, now(),"
        "     coalesce(created_at, now()) FROM given ORDER BY place"
        "   ON CONFLICT DO NOTHING RETURNING id, email"
        " )"
        " SELECT coalesce(array_agg(inserted.id ORDER BY place), '{}') FROM given LEFT JOIN inserted USING (email)",
        [account.email for account in accounts],
        [account.name for account in accounts],
        [account.password for account in accounts],
        [account.verified for account in accounts],
        [account.created_at for account in accounts],
        [account.id for account in accounts],
        [account.record.truncated for account in accounts],
        timeout=SLOW_SECONDS,
    )
    if keep_ids:
        await _continue_after(connection, max((new_id for new_id in ids if new_id is not None), default=0))
    described = [
        (new_id, account)
        for new_id, account in zip(ids, accounts, strict=True)
        if new_id is not None and (account.owner or account.public or account.private)
    ]
    if described:
        await _insert_metadata(connection, described)
    return ids


async def _insert_metadata(connection: Connection, described: Sequence[tuple[int, Account]]) -> None:
    await connection.fetchval(
        "INSERT INTO user_metadata (user_id, owner, public, private)"
        " SELECT id, coalesce(owner, '{}')::jsonb, coalesce(public, '{}')::jsonb, coalesce(private, '{}')::jsonb"
        " FROM unnest($1::int[], $2::text[], $3::text[], $4::text[]) AS given (id, owner, public, private)",
        [new_id for new_id, _ in described],
        [account.owner for _, account in described],
        [account.public for _, account in described],
        [account.private for _, account in described],
        timeout=SLOW_SECONDS,
    )


async def _lock_ids(connection: Connection) -> None:
    """Has other writers wait until the transaction ends, so that none takes an id that is about to be kept."""
    await connection.execute("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")


async def _continue_after(connection: Connection, highest: int) -> None:
    """Continues the sequence of ids after `highest`, unless it is past it."""
    sequence = await connection.fetchval("SELECT pg_get_serial_sequence('users', 'id')")
    assert sequence, "the column's default is a sequence of its own"
    # PostgreSQL itself has quoted the name.
    await connection.execute(
        f"SELECT setval('{sequence}', $1::bigint) FROM {sequence} WHERE $1 > 0 AND last_value <= $1",  # noqa: S608
        highest,
    )


@dataclass(frozen=True, slots=True)
class Exported:
    """A live account. The metadata are JSON; None: unset. `password` None: there is no password."""

    id: int
    email: str
    name: str
    password: str | None
    verified: bool
    created_at: datetime | None
    owner: str | None
    public: str | None
    private: str | None
    is_suspended: bool


async def page(database: Queryable, *, after: int, limit: int) -> list[Exported]:
    """Returns live accounts with their metadata, by id, after that id."""
    rows = await database.fetch(
        "SELECT id, email, name, nullif(password, $3) AS password, email_verified_at IS NOT NULL AS verified,"  # noqa: S608
        f" created_at, {IS_SUSPENDED} AS is_suspended,"
        " nullif(owner, '{}')::text AS owner, nullif(public, '{}')::text AS public, nullif(private, '{}')::text AS private"
        " FROM users LEFT JOIN user_metadata ON user_id = id WHERE id > $1 AND NOT is_deleted ORDER BY id LIMIT $2",
        after,
        limit,
        NO_PASSWORD,
    )
    return [Exported(**dict(row)) for row in rows]
