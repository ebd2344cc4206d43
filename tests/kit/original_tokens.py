"""Refresh tokens that node-api-postgres issued, and the sessions that the migration makes of them."""

import time
from typing import Any
from uuid import uuid4

from tests.kit.forging import signed
from tests.kit.server import REFRESH_SECRET
from tests.kit.stored import Sql

DAY = 86_400


def original_token(user_id: int, *, secret: str = REFRESH_SECRET, age: int = 60, **more: Any) -> str:
    """Returns a token as node-api-postgres signed it: `id`, `iat` and `exp` only."""
    issued = int(time.time()) - age
    return signed(
        {"id": user_id, "iat": issued, "exp": issued + DAY} | more, secret, header={"alg": "HS256", "typ": "JWT"}
    )


def adopt(sql: Sql, user_id: int, token: str, *, lasts: str = "30 days") -> None:
    """Makes the session that the migration makes of node-api-postgres's refresh token."""
    sql.execute(
        "INSERT INTO sessions (id, user_id, token_hash, original_token_hash, expires_at)"
        " SELECT %s, %s, hash, hash, now() + %s::interval FROM sha256(%s::bytea) AS hash",
        [uuid4(), user_id, lasts, token.encode()],
    )
