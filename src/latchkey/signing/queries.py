"""SQL of signing keys. The database's clock decides all times."""

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from latchkey.database.pool import Queryable


class Purpose(StrEnum):
    """What a key signs."""

    ACCESS = "access"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A row. Times are seconds since the epoch. `private_sealed` is None once it was erased.

    A key verifies and is listed until `leaves_at`; None: no end is set.
    """

    kid: str
    purpose: str
    alg: str
    public_jwk: dict[str, Any]
    private_sealed: bytes | None = field(repr=False)
    signs_from: float
    leaves_at: float | None
    created_at: float

    def has_left(self, now: float) -> bool:
        """Tells whether the key no longer verifies at that time."""
        return self.leaves_at is not None and self.leaves_at <= now


@dataclass(frozen=True, slots=True)
class StoredKeys:
    """All keys, in the order in which they sign, and the database's time when they were read."""

    now: float
    keys: tuple[StoredKey, ...]


async def read(database: Queryable) -> StoredKeys:
    """Returns all keys, also those that have left."""
    rows = await database.fetch(
        "SELECT extract(epoch FROM now())::float8 AS now, kid, purpose, alg, public_jwk, private_sealed,"
        " extract(epoch FROM signs_from)::float8 AS signs_from, extract(epoch FROM leaves_at)::float8 AS leaves_at,"
        " extract(epoch FROM created_at)::float8 AS created_at"
        # One row without a key, so that the time comes even without keys.
        " FROM (SELECT) AS always LEFT JOIN signing_keys ON true ORDER BY signing_keys.signs_from, created_at, kid"
    )
    return StoredKeys(
        rows[0]["now"],
        tuple(
            StoredKey(
                kid=row["kid"],
                purpose=row["purpose"],
                alg=row["alg"],
                public_jwk=json.loads(row["public_jwk"]),
                private_sealed=row["private_sealed"],
                signs_from=row["signs_from"],
                leaves_at=row["leaves_at"],
                created_at=row["created_at"],
            )
            for row in rows
            if row["kid"] is not None
        ),
    )
