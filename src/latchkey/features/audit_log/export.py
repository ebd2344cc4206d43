"""Audit rows as text: NDJSON, or CSV that no spreadsheet takes for a program."""

import csv
import io
import json
from collections.abc import AsyncIterator, Iterable

from latchkey.audit.queries import AuditRow
from latchkey.features.audit_log.views import AuditView, view_of

MEDIA_TYPES = {"ndjson": "application/x-ndjson", "csv": "text/csv"}
COLUMNS = ("id", "actorId", "action", "entityType", "entityId", "metadata", "createdAt")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def lines_of(batches: AsyncIterator[list[AuditRow]], kind: str) -> AsyncIterator[bytes]:
    """Yields the rows as pieces of text in UTF-8. `kind` is `ndjson` or `csv`."""
    if kind == "csv":
        yield _csv([COLUMNS])
    async for batch in batches:
        views = [view_of(row) for row in batch]
        if kind == "csv":
            yield _csv([_cells(view) for view in views])
        else:
            yield b"".join(view.model_dump_json(by_alias=True).encode() + b"\n" for view in views)


def _cells(view: AuditView) -> list[str]:
    values = view.model_dump(mode="json", by_alias=True)
    values["metadata"] = json.dumps(values["metadata"], ensure_ascii=False)
    return [_harmless("" if values[column] is None else str(values[column])) for column in COLUMNS]


def _harmless(cell: str) -> str:
    # A spreadsheet runs a cell that begins so (CWE-1236).
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _csv(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
