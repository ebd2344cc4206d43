"""What commands print on standard output: aligned plain text for people, JSON for programs."""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

GAP = "  "
NARROWEST = 8


def utc(time: datetime) -> str:
    """Formats a time in ISO 8601, UTC with Z, to the millisecond."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def print_json(value: Any) -> None:
    """Prints JSON in ASCII, which every terminal and locale shows alike. Times have the format of `utc`."""
    print_line(json.dumps(value, indent=2, default=utc))


def print_fields(fields: Mapping[str, Any]) -> None:
    """Prints one line `name  value` for each field."""
    width = max(map(len, fields))
    for name, value in fields.items():
        print_line(f"{name:{width}}{GAP}{shown(value)}")


def print_table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Prints rows under their headings, with aligned columns and numbers to the right.

    On a terminal, the longest cells are cut so that each row fits a line. Into a pipe, everything is printed.
    """
    lines = [list(headings), *([shown(value) for value in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    if sys.stdout.isatty():
        widths = fitting(widths, shutil.get_terminal_size().columns - len(GAP) * (len(widths) - 1))
        lines = [[_cut(text, width) for text, width in zip(line, widths, strict=True)] for line in lines]
    numeric = [bool(rows) and all(isinstance(row[column], int) for row in rows) for column in range(len(headings))]
    for line in lines:
        cells = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        ]
        print_line(GAP.join(cells).rstrip())


def fitting(widths: list[int], room: int) -> list[int]:
    """Returns widths of columns that need no more room than there is: the widest ones give way, down to 8 characters."""
    fitted = list(widths)
    while sum(fitted) > room and max(fitted) > NARROWEST:
        fitted[fitted.index(max(fitted))] -= 1
    return fitted


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def print_line(text: str, *, flush: bool = False) -> None:
    """Prints a line. `flush`: at once, also into a pipe."""
    sys.stdout.write(f"{text}\n")
    if flush:
        sys.stdout.flush()


def shown(value: Any) -> str:
    """Formats a value for people, on one line."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return utc(value)
    # A name migrated from node-api-postgres may hold control characters, which would control the terminal.
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(value))
