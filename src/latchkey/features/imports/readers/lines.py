"""Reads lines, JSON lines and CSV, each line with its number and a bounded length."""

import csv
import json
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, BinaryIO

from latchkey.features.imports.record import FileRefused, Record

LINE_MAX_BYTES = 1024 * 1024
TOO_LONG = f"is longer than {LINE_MAX_BYTES} bytes"
NO_OBJECT = "is not a JSON object"
BOM = b"\xef\xbb\xbf"


def read_lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yields each line with its number, from 1; None for one that is too long."""
    for number in count(1):
        line = file.readline(LINE_MAX_BYTES + 1)
        if not line:
            return
        if number == 1:
            line = line.removeprefix(BOM)
        if len(line) <= LINE_MAX_BYTES:
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(LINE_MAX_BYTES)
        yield number, None


def read_json_lines(file: BinaryIO) -> Iterator[tuple[int, dict[str, Any] | None, str]]:
    """Yields number and object of each line that is not blank. Without an object, the text says why."""
    for number, line in read_lines(file):
        if line is None:
            yield number, None, TOO_LONG
        elif line.strip():
            value = parse_json(line)
            yield (number, value, "") if isinstance(value, dict) else (number, None, NO_OBJECT)


def parse_json(text: bytes | str) -> Any:
    """Returns the value of a JSON text, or None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def read_csv(file: BinaryIO, *, needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str | None] | None, str]]:
    """Yields the number of the first line of each row, and its cells by the names in the header; None for an empty one.

    Without cells, the text says why. Raises FileRefused if a needed column is missing.
    """
    numbers = [0, 0]

    def decoded() -> Iterator[str]:
        for number, line in read_lines(file):
            numbers[1] = number
            # One cell: the row has too few, and is refused.
            yield f"{TOO_LONG}\n" if line is None else line.decode("utf-8", "surrogateescape")

    rows = csv.reader(decoded(), strict=True)
    try:
        header = next(rows, [])
    except csv.Error as error:
        raise FileRefused(f"the header of the CSV cannot be read: {error}") from None
    missing = [column for column in needed if column not in header]
    if missing or len(set(header)) < len(header):
        raise FileRefused(
            f"the first line of the CSV must name each column once, and {', '.join(needed)} among them"
            f"{': ' + ', '.join(missing) + ' is missing' if missing else ''}"
        )
    while True:
        numbers[0] = numbers[1] + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield numbers[0], None, f"is not CSV: {error}"
            continue
        if not cells:
            continue
        if len(cells) != len(header):
            yield numbers[0], None, f"has {len(cells)} columns, and the header has {len(header)}"
        else:
            yield numbers[0], {name: cell or None for name, cell in zip(header, cells, strict=True)}, ""


def bad(line: int, why: str) -> Record:
    """Returns the record of a line that cannot be read."""
    return Record(line, {}, unreadable=why)


def first_character(file: BinaryIO) -> bytes:
    """Returns the first character of the file that is not white space, and goes back to its start."""
    start = file.read(4096).removeprefix(BOM).lstrip()[:1]
    file.seek(0)
    return start


def is_true(cells: Mapping[str, Any], column: str, *, otherwise: bool = False) -> bool:
    """Tells whether a cell says true, as PostgreSQL, Python, JSON or SQLite write it. `otherwise`: it is absent."""
    value = cells.get(column)
    return otherwise if value is None else str(value).lower() in {"t", "true", "1", "yes", "on"}
