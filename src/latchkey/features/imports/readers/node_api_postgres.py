"""node-api-postgres: its table users, in a dump of pg_dump or as CSV."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from latchkey.features.imports.readers.dump import read_dump
from latchkey.features.imports.readers.fields import DELETED, number_or_text
from latchkey.features.imports.readers.lines import bad, is_true, read_csv
from latchkey.features.imports.record import Record

NEEDED = ("id", "name", "email", "password", "is_deleted")
SAMPLE_BYTES = 4096


def read_node_api_postgres(file: BinaryIO, _: Path) -> Iterator[Record]:
    """Yields the accounts of a file that is either."""
    is_csv = file.readline(SAMPLE_BYTES).strip().removeprefix(b"\xef\xbb\xbf").startswith(b"id,")
    file.seek(0)
    rows = read_csv(file, needed=NEEDED) if is_csv else read_dump(file, "public.users", "users")
    for line, row, why in rows:
        yield bad(line, why) if row is None else _record(line, row)


def _record(line: int, row: Mapping[str, str | None]) -> Record:
    source_id = number_or_text(row.get("id"))
    if is_true(row, "is_deleted"):
        return Record(line, {}, source_id, skipped=DELETED)
    return Record(
        line,
        {
            "id": source_id,
            "email": row.get("email"),
            "name": row.get("name"),
            "password_hash": row.get("password"),
            "created_at": row.get("created_at"),
        },
        source_id,
        # It compared 72 bytes of a longer password, and its owner knows no shorter one.
        truncated=True,
    )
