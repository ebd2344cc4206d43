"""SQL of registration."""

from latchkey.database.pool import Connection
from latchkey.users.queries import user_of
from latchkey.users.user import User


async def insert(connection: Connection, name: str, email: str, password_hash: str) -> User:
    """Inserts a user. Raises asyncpg.UniqueViolationError when a live user has that address."""
    row = await connection.fetchrow(
        "INSERT INTO users (name, email, password) VALUES ($1, $2, $3) RETURNING id, name, email",
        name,
        email,
        password_hash,
    )
    assert row is not None, "INSERT … RETURNING returns its row"
    return user_of(row)
