"""The export of accounts, for an operator at the command line."""

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

from latchkey.database.pool import Database
from latchkey.feature import PlatformSettings
from latchkey.features.imports import queries
from latchkey.features.imports.queries import Exported
from latchkey.hashing.schemes import parse_hash
from latchkey.hashing.stored_hash import HashRefused
from latchkey.terminal.failing import explained
from latchkey.terminal.files import private_file
from latchkey.terminal.operation import Operation, operate
from latchkey.terminal.output import print_json, print_line, utc

PAGE = 2_000


def run_export(path: Path, *, hashes: bool, as_json: bool) -> None:
    """Writes all live accounts to a file of mode 0600, and prints their number.

    The file appears under its name when it is whole. Otherwise what was there before stays.
    """

    async def export(operation: Operation[PlatformSettings]) -> tuple[int, int]:
        with private_file(path) as file:
            return await _write(file, operation.database, hashes=hashes)

    with explained(OSError):
        exported, suspended = operate(PlatformSettings, export)
    if as_json:
        print_json({"exported": exported, "suspended": suspended})
    else:
        print_line(f"{exported} accounts exported")
    if suspended:
        sys.stderr.write(f"Suspended among them: {suspended}. The file does not say so: an import lets them sign in.\n")


async def _write(file: BinaryIO, database: Database, *, hashes: bool) -> tuple[int, int]:
    exported = suspended = 0
    async for account in _read(database):
        file.write(json.dumps(_fields(account, hashes=hashes), ensure_ascii=False).encode() + b"\n")
        exported += 1
        suspended += account.is_suspended
    return exported, suspended


async def _read(database: Database) -> AsyncIterator[Exported]:
    """Yields live accounts by id, page by page, so that no transaction stays open."""
    after = 0
    while accounts := await queries.page(database, after=after, limit=PAGE):
        for account in accounts:
            yield account
        after = accounts[-1].id


def _fields(account: Exported, *, hashes: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": account.id,
        "email": account.email,
        "name": account.name,
        "verified": account.verified,
    }
    if account.created_at is not None:
        fields["created_at"] = utc(account.created_at)
    if hashes and account.password is not None and _is_usable(account.password):
        fields["password_hash"] = account.password
    metadata = {"owner": account.owner, "public": account.public, "private": account.private}
    return fields | {name: json.loads(text) for name, text in metadata.items() if text is not None}


def _is_usable(stored: str) -> bool:
    try:
        parse_hash(stored)
    except HashRefused:
        return False
    return True
