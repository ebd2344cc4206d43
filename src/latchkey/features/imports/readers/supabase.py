"""Supabase: auth.users in a dump of pg_dump or `supabase db dump`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from latchkey.features.imports.readers.dump import read_dump
from latchkey.features.imports.readers.fields import (
    DELETED,
    DISABLED,
    NO_ADDRESS,
    is_later_than_now,
    name_or_local_part,
    object_or_none,
)
from latchkey.features.imports.readers.lines import bad, parse_json
from latchkey.features.imports.record import Record

OF_SUPABASE = ("provider", "providers")
"""What Supabase itself writes into raw_app_meta_data."""


def read_supabase(file: BinaryIO, _: Path) -> Iterator[Record]:
    """Yields the accounts of a dump."""
    for line, row, why in read_dump(file, "auth.users"):
        yield bad(line, why) if row is None else _record(line, row)


def _record(line: int, row: Mapping[str, str | None]) -> Record:
    source_id, email = row.get("id"), row.get("email")
    banned_until = row.get("banned_until")
    if row.get("deleted_at"):
        return Record(line, {}, source_id, skipped=DELETED)
    if banned_until and is_later_than_now(banned_until):
        return Record(line, {}, source_id, skipped=DISABLED)
    if not email:
        return Record(line, {}, source_id, skipped=NO_ADDRESS)
    owner = object_or_none(parse_json(row.get("raw_user_meta_data") or "null")) or {}
    private = object_or_none(parse_json(row.get("raw_app_meta_data") or "null")) or {}
    return Record(
        line,
        {
            "email": email,
            "name": name_or_local_part(email, owner.get("full_name"), owner.get("name")),
            # Accounts that sign in by other services have none.
            "password_hash": row.get("encrypted_password") or None,
            "verified": bool(row.get("email_confirmed_at")),
            "created_at": row.get("created_at"),
            "owner": owner or None,
            "private": {name: value for name, value in private.items() if name not in OF_SUPABASE} or None,
        },
        source_id,
    )
