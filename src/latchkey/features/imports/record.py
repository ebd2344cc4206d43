"""One account of a file, before it is checked."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Record:
    """An account of a file, in the fields of an import.

    `line` numbers it: the line on which it begins, or its place in a file without lines. It grows from record to
    record. `source_id` is its id there. `unreadable` says why there are no fields, `skipped` why the account is not to
    be imported. `truncated`: its bcrypt hash compares the first 72 bytes of a longer password.
    """

    line: int
    fields: dict[str, Any]
    source_id: str | int | None = None
    unreadable: str | None = None
    skipped: str | None = None
    truncated: bool = False


class FileRefused(Exception):
    """The file as a whole cannot be imported. The text says why, and what to do."""
