"""PocketBase: the collection users in its SQLite database."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from latchkey.features.imports.readers.fields import NO_ADDRESS, name_or_local_part
from latchkey.features.imports.record import FileRefused, Record

COLUMNS = "SELECT name FROM pragma_table_info('users')"
USERS = "SELECT * FROM users ORDER BY id"


def read_pocketbase(_: BinaryIO, path: Path) -> Iterator[Record]:
    """Yields the accounts of a database that PocketBase has closed. Raises FileRefused if it is none."""
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        raise FileRefused(
            f"{log.name} holds changes that {path.name} lacks: stop PocketBase, or take one of its backups"
        )
    try:
        # Immutable: SQLite writes nothing beside the file.
        with closing(sqlite3.connect(f"file:{quote(str(path.resolve()))}?immutable=1", uri=True)) as database:
            database.row_factory = sqlite3.Row
            columns = {row["name"] for row in database.execute(COLUMNS)}
            if not {"id", "email"} <= columns:
                raise FileRefused("the database has no collection users with the fields id and email")
            for number, row in enumerate(database.execute(USERS), start=1):
                yield _record(number, dict(row))
    except sqlite3.DatabaseError as error:
        raise FileRefused(f"the file is not a whole SQLite database: {error}") from None


def _record(number: int, row: dict[str, Any]) -> Record:
    email = row.get("email")
    if not email:
        return Record(number, {}, row["id"], skipped=NO_ADDRESS)
    return Record(
        number,
        {
            "email": email,
            "name": name_or_local_part(email, row.get("name"), row.get("username")),
            # The name of the column before version 0.23 was another.
            "password_hash": row.get("password") or row.get("passwordHash") or None,
            "verified": bool(row.get("verified")),
            "created_at": row.get("created") or None,
        },
        row["id"],
    )
