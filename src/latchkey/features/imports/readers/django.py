"""Django's users: `dumpdata auth.user` in JSON or JSON lines, or auth_user as CSV."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from latchkey.features.imports.readers.fields import DISABLED, NO_ADDRESS, joined, name_or_local_part, number_or_text
from latchkey.features.imports.readers.json_array import read_json_array
from latchkey.features.imports.readers.lines import bad, first_character, is_true, read_csv, read_json_lines
from latchkey.features.imports.record import FileRefused, Record

NEEDED = ("id", "password", "email")
# BCryptPasswordHasher puts its name before a whole bcrypt hash.
BCRYPT = "bcrypt$"


def read_django(file: BinaryIO, _: Path) -> Iterator[Record]:
    """Yields the accounts of a file that is either. Raises FileRefused if it is none."""
    start = first_character(file)
    if start not in b"[{":
        for line, cells, why in read_csv(file, needed=NEEDED):
            yield bad(line, why) if cells is None else _record(line, cells["id"], cells)
        return
    users = 0
    for line, entry, why in read_json_array(file) if start == b"[" else read_json_lines(file):
        if entry is None:
            yield bad(line, why)
            continue
        fields = entry.get("fields")
        # Any model of users, since many projects have their own. Other models of the dump are passed over.
        if isinstance(fields, dict) and {"password", "email"} <= fields.keys():
            users += 1
            yield _record(line, entry.get("pk"), fields)
    if not users:
        raise FileRefused("the file has no users with password and email: make it by `manage.py dumpdata auth.user`")


def _record(line: int, key: Any, user: Mapping[str, Any]) -> Record:
    email = user.get("email")
    source_id = number_or_text(key)
    if not is_true(user, "is_active", otherwise=True):
        return Record(line, {}, source_id, skipped=DISABLED)
    if not email:
        return Record(line, {}, source_id, skipped=NO_ADDRESS)
    stored = user.get("password")
    if isinstance(stored, str):
        # Django marks an unusable password by "!" and random characters.
        stored = None if not stored or stored.startswith("!") else stored.removeprefix(BCRYPT)
    name = joined(user.get("first_name"), user.get("last_name"))
    return Record(
        line,
        {
            "id": source_id if isinstance(source_id, int) else None,
            "email": email,
            "name": name_or_local_part(email, name, user.get("name"), user.get("username")),
            "password_hash": stored,
            "created_at": user.get("date_joined"),
        },
        source_id,
    )
