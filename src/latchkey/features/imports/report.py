"""The report of an import: for each line the new id, or what is wrong with it."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self

from latchkey.features.imports.readers.lines import parse_json

Entry = dict[str, Any]

SHOWN_PROBLEMS = 10


class Report:
    """Writes the entries of each batch. A batch that is written again replaces what was written of it."""

    def __init__(self, file: BinaryIO | None) -> None:
        self._file = file
        self._batch_begins = file.tell() if file else 0
        self._batch_problems: list[Entry] = []
        self.first_problems: list[Entry] = []
        """The first entries of lines that were not imported."""

    @classmethod
    def open(cls, path: Path | None, *, next_line: int) -> Self:
        """Opens the report. An import that goes on at `next_line` keeps the entries of the lines before it.

        Raises OSError.
        """
        if path is None:
            return cls(None)
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        _cut(file, next_line)
        return cls(file)

    def put(self, entries: Sequence[Entry]) -> None:
        """Writes the entries of the batch, in place of earlier ones of the same batch."""
        self._batch_problems = [entry for entry in entries if "message" in entry]
        if self._file is None:
            return
        self._file.seek(self._batch_begins)
        self._file.truncate()
        self._file.writelines(f"{json.dumps(entry, default=str)}\n".encode() for entry in entries)
        self._file.flush()

    def keep(self) -> None:
        """Ends the batch: its entries stay."""
        self.first_problems += self._batch_problems[: SHOWN_PROBLEMS - len(self.first_problems)]
        if self._file is not None:
            self._batch_begins = self._file.tell()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _cut(file: BinaryIO, next_line: int) -> None:
    """Removes the entries of lines from `next_line` on, whose transaction was not committed."""
    end = 0
    while line := file.readline():
        entry = parse_json(line)
        if not isinstance(entry, dict) or not isinstance(entry.get("line"), int) or entry["line"] >= next_line:
            break
        end = file.tell()
    file.seek(end)
    file.truncate()
