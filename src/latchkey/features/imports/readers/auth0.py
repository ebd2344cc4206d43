"""Auth0: its export of users or of password hashes, as JSON lines."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from latchkey.features.imports.readers.fields import DISABLED, NO_ADDRESS, joined, name_or_local_part, object_or_none
from latchkey.features.imports.readers.lines import bad, read_json_lines
from latchkey.features.imports.record import Record


def read_auth0(file: BinaryIO, _: Path) -> Iterator[Record]:
    """Yields the accounts of an export."""
    for line, user, why in read_json_lines(file):
        yield bad(line, why) if user is None else _record(line, user)


def _record(line: int, user: dict[str, Any]) -> Record:
    source_id, email = _source_id(user), user.get("email")
    if user.get("blocked") is True:
        return Record(line, {}, source_id, skipped=DISABLED)
    if not email:
        return Record(line, {}, source_id, skipped=NO_ADDRESS)
    return Record(
        line,
        {
            "email": email,
            # Without a name of its own, Auth0 writes the address there.
            "name": name_or_local_part(
                email,
                user.get("name") if user.get("name") != email else None,
                joined(user.get("given_name"), user.get("family_name")),
                user.get("nickname"),
            ),
            "password_hash": _password_hash(user),
            "verified": user.get("email_verified"),
            "created_at": user.get("created_at"),
            "owner": object_or_none(user.get("user_metadata")),
            "private": object_or_none(user.get("app_metadata")),
        },
        source_id,
    )


def _source_id(user: dict[str, Any]) -> str | None:
    if isinstance(user.get("user_id"), str):
        return str(user["user_id"])
    # The export of hashes is one of MongoDB.
    key = user.get("_id")
    return f"auth0|{key['$oid']}" if isinstance(key, dict) and isinstance(key.get("$oid"), str) else None


def _password_hash(user: dict[str, Any]) -> Any:
    for name in ("passwordHash", "password_hash"):
        if user.get(name):
            return user[name]
    custom = user.get("custom_password_hash")
    made = custom.get("hash") if isinstance(custom, dict) else None
    return made.get("value") if isinstance(made, dict) else None
