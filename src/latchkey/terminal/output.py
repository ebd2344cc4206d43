"""What commands print on standard output: plain aligned text for people, JSON for programs."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

GAP = "  "


def log_to_stderr() -> None:
    """Sends log lines to standard error, for standard output is what the command answers."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))


def utc(time: datetime) -> str:
    """A time in ISO 8601, UTC with Z, to the millisecond."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def print_json(value: Any) -> None:
    """Prints JSON, ASCII only, so that no terminal or locale changes it; times as `utc` writes them."""
    print_line(json.dumps(value, indent=2, default=utc))


def print_fields(fields: Mapping[str, Any]) -> None:
    """Prints one `name  value` line a field."""
    width = max(map(len, fields))
    for name, value in fields.items():
        print_line(f"{name:{width}}{GAP}{shown(value)}")


def print_table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Prints rows under their headings, columns aligned, numbers to the right."""
    lines = [list(headings), *([shown(value) for value in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    numeric = [bool(rows) and all(isinstance(row[column], int) for row in rows) for column in range(len(headings))]
    for line in lines:
        cells = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        ]
        print_line(GAP.join(cells).rstrip())


def print_line(text: str) -> None:
    """Prints one line."""
    sys.stdout.write(f"{text}\n")


def shown(value: Any) -> str:
    """A value for people, on one line."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return utc(value)
    # A name taken over from node-api-postgres may hold control characters, which a terminal would act on.
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(value))
