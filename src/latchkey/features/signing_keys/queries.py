"""SQL that changes signing keys. All times are by the database's clock."""

import json
from typing import Any

from latchkey.database.pool import Connection, Queryable
from latchkey.signing.stored import Purpose


async def has_session(database: Queryable) -> bool:
    """Tells whether the installation has ever opened a session that it still stores."""
    return bool(await database.fetchval("SELECT EXISTS (SELECT FROM sessions)"))


async def insert(
    connection: Connection,
    kid: str,
    purpose: Purpose,
    alg: str,
    public_jwk: dict[str, Any],
    private_sealed: bytes,
    *,
    signs_in: float,
) -> None:
    """Inserts a key that signs in so many seconds."""
    await connection.execute(
        "INSERT INTO signing_keys (kid, purpose, alg, public_jwk, private_sealed, signs_from)"
        " VALUES ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(secs => $6))",
        kid,
        purpose,
        alg,
        json.dumps(public_jwk),
        private_sealed,
        signs_in,
    )


async def let_older_leave(connection: Connection, purpose: Purpose, *, after: float) -> None:
    """Sets when keys leave: so many seconds after the next one begins to sign, or earlier if that is set already."""
    await connection.execute(
        "UPDATE signing_keys AS old SET leaves_at = least(old.leaves_at, next.signs_from + make_interval(secs => $2))"
        " FROM signing_keys AS next WHERE old.purpose = $1 AND next.purpose = $1 AND next.signs_from > old.signs_from"
        # Of several newer ones, the first. One that was retired while it waited never signs.
        " AND NOT EXISTS (SELECT FROM signing_keys AS nearer WHERE nearer.purpose = $1"
        "  AND nearer.signs_from > old.signs_from AND nearer.signs_from < next.signs_from"
        "  AND (nearer.leaves_at > nearer.signs_from) IS NOT FALSE)"
        " AND (next.leaves_at > next.signs_from) IS NOT FALSE",
        purpose,
        after,
    )


async def let_stay(connection: Connection, kid: str) -> None:
    """Takes back when a key leaves, because the key that would have followed it is gone."""
    await connection.execute("UPDATE signing_keys SET leaves_at = NULL WHERE kid = $1", kid)


async def let_leave(connection: Connection, kids: list[str]) -> None:
    """Makes keys leave now, and erases their private parts."""
    await connection.execute(
        "UPDATE signing_keys SET leaves_at = clock_timestamp(), private_sealed = NULL WHERE kid = ANY($1)", kids
    )


async def erase_private(connection: Connection, kids: list[str]) -> None:
    """Erases the private parts of keys. The public parts stay."""
    await connection.execute("UPDATE signing_keys SET private_sealed = NULL WHERE kid = ANY($1)", kids)


async def replace_sealed(connection: Connection, kid: str, private_sealed: bytes) -> None:
    """Replaces the sealed form of a private part."""
    await connection.execute("UPDATE signing_keys SET private_sealed = $2 WHERE kid = $1", kid, private_sealed)
