"""The export of accounts, for an operator at the command line."""

import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from latchkey.database.pool import Database
from latchkey.feature import PlatformSettings
from latchkey.features.imports import queries
from latchkey.features.imports.queries import Exported
from latchkey.hashing.schemes import parse_hash
from latchkey.hashing.stored_hash import HashRefused
from latchkey.terminal.failing import explained
from latchkey.terminal.operation import Operation, operate
from latchkey.terminal.output import print_json, print_line, utc

PAGE = 2_000


def run_export(path: Path, *, hashes: bool, as_json: bool) -> None:
    """Writes all live accounts to a file of mode 0600, and prints their number.

    The file appears under its name when it is whole. Otherwise what was there before stays.
    """

    async def export(operation: Operation[PlatformSettings]) -> tuple[int, int]:
        # Beside the file, so that it can be renamed; with a name of its own, so that two exports do not mix.
        draft = path.with_name(f".{path.name}.{uuid4().hex}")
        try:
            counted = await _write(draft, operation.database, hashes=hashes)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        _sync_directory(path.parent)
        return counted

    with explained(OSError):
        exported, suspended = operate(PlatformSettings, export)
    if as_json:
        print_json({"exported": exported, "suspended": suspended})
    else:
        print_line(f"{exported} accounts exported")
    if suspended:
        sys.stderr.write(f"{suspended} of them are suspended. The file does not say so: an import lets them sign in.\n")


async def _write(draft: Path, database: Database, *, hashes: bool) -> tuple[int, int]:
    exported = suspended = 0
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        async for account in _read(database):
            file.write(json.dumps(_fields(account, hashes=hashes), ensure_ascii=False) + "\n")
            exported += 1
            suspended += account.is_suspended
        file.flush()
        os.fsync(file.fileno())
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


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
