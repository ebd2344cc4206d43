"""SQL that reads signing keys. All times are by the database's clock."""

import json

from latchkey.database.pool import Queryable
from latchkey.signing.stored import StoredKey, StoredKeys

CHANGED = "signing_keys"
"""The payload that notifies of a change of keys."""


async def read(database: Queryable) -> StoredKeys:
    """Returns all keys, also those that have left."""
    rows = await database.fetch(
        # Not now(), which is when a transaction began: what it waited for may have happened later.
        "SELECT extract(epoch FROM clock_timestamp())::float8 AS time, kid, purpose, alg, public_jwk, private_sealed,"
        " extract(epoch FROM signs_from)::float8 AS signs_from, extract(epoch FROM leaves_at)::float8 AS leaves_at,"
        " extract(epoch FROM created_at)::float8 AS created_at"
        # One row without a key, so that the time comes even without keys.
        " FROM (SELECT) AS always LEFT JOIN signing_keys ON true ORDER BY signing_keys.signs_from, kid"
    )
    return StoredKeys(
        rows[0]["time"],
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
