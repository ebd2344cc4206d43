"""SQL of metadata."""

import json
from dataclasses import dataclass, field

from latchkey.database.pool import Connection, Queryable
from latchkey.features.metadata.rules import JsonObject, stored_text


@dataclass(frozen=True, slots=True)
class Metadata:
    """The metadata of a user. A part that was never set is an empty object."""

    owner: JsonObject = field(default_factory=dict)
    public: JsonObject = field(default_factory=dict)
    private: JsonObject = field(default_factory=dict)


async def find(database: Queryable, user_id: int) -> Metadata:
    """Returns the metadata of a user."""
    row = await database.fetchrow("SELECT owner, public, private FROM user_metadata WHERE user_id = $1", user_id)
    return Metadata(*(json.loads(part) for part in row)) if row else Metadata()


async def store(connection: Connection, user_id: int, metadata: Metadata) -> None:
    """Stores the metadata of a user whose row the transaction has locked."""
    await connection.execute(
        "INSERT INTO user_metadata (user_id, owner, public, private) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (user_id) DO UPDATE SET owner = $2, public = $3, private = $4",
        user_id,
        stored_text(metadata.owner),
        stored_text(metadata.public),
        stored_text(metadata.private),
    )
