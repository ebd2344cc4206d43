"""Latchkey's own form: NDJSON as `latchkey users export` writes it, or CSV with the same names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from latchkey.features.imports.account import FIELDS
from latchkey.features.imports.readers.fields import number_or_text
from latchkey.features.imports.readers.lines import bad, first_character, parse_json, read_csv, read_json_lines
from latchkey.features.imports.record import FileRefused, Record

NEEDED = ("email", "name")
BOOLEANS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


def read_plain(file: BinaryIO, _: Path) -> Iterator[Record]:
    """Yields the accounts of a file that is either."""
    if first_character(file) == b"{":
        for line, fields, why in read_json_lines(file):
            yield bad(line, why) if fields is None else Record(line, fields, _source_id(fields))
        return
    for line, cells, why in read_csv(file, needed=NEEDED):
        if cells is None:
            yield bad(line, why)
            continue
        unknown = [column for column in cells if column not in FIELDS]
        if unknown:
            raise FileRefused(f"{unknown[0]!r} is no column of an import: {', '.join(FIELDS)}")
        fields = _typed(cells)
        yield Record(line, fields, _source_id(fields))


def _source_id(fields: dict[str, Any]) -> str | int | None:
    value = fields.get("id")
    return value if isinstance(value, str | int) else None


def _typed(cells: dict[str, str | None]) -> dict[str, Any]:
    """Gives cells the types of JSON. What has no such type stays text, and is refused by its field's rule."""
    fields: dict[str, Any] = dict(cells)
    verified = cells.get("verified")
    if verified is not None:
        fields["verified"] = BOOLEANS.get(verified.lower(), verified)
    if "id" in cells:
        fields["id"] = number_or_text(cells["id"])
    for column in ("owner", "public", "private"):
        if (text := cells.get(column)) is not None:
            fields[column] = parse_json(text) or ({} if text.strip() == "{}" else text)
    return fields
