"""The audit log at the operator's command line."""

import asyncio
import json
import re
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from latchkey.audit.queries import AuditRow
from latchkey.audit.record import Change
from latchkey.clock import stopwatch
from latchkey.feature import PlatformSettings
from latchkey.features.audit_log import queries
from latchkey.features.audit_log.actions import AuditLogAction
from latchkey.features.audit_log.export import lines_of
from latchkey.features.audit_log.reading import AuditReader
from latchkey.features.audit_log.search import AuditSearch
from latchkey.http.times import Time
from latchkey.terminal.accounts import find_account
from latchkey.terminal.failing import explained, fail
from latchkey.terminal.files import private_file
from latchkey.terminal.operation import OPERATOR, AnyOperation, Operation, operate
from latchkey.terminal.output import GAP, print_json, print_line, print_table, shown, utc
from latchkey.users.user import USER_ID_MAX

COLUMNS = ("id", "created_at", "action", "actor_id", "entity_id", "metadata")
FOLLOW_EVERY_SECONDS = 1.0
LATE_SECONDS = 10.0
"""How long a row may take to be committed after one with a larger id, and still be printed by --follow."""


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of a command, as they were typed, and the known actions.

    `user` is an id or an address. An id need not be that of a user: rows outlive a user who was erased.
    """

    user: str | None
    action: str | None
    ip: str | None
    since: str | None
    until: str | None
    actor: int | None
    entity: int | None
    api_key: str | None
    actions: tuple[str, ...]

    def check(self) -> None:
        """Fails for an unknown action, for what is no time, and for a key without a time."""
        if self.action is not None and self.action.upper() not in self.actions:
            fail(f"unknown action {self.action!r}; actions are {', '.join(self.actions)}")
        if self.api_key is not None and self.since is None:
            fail("--api-key needs --from: else it would read all rows")
        for option, text in (("--from", self.since), ("--to", self.until)):
            try:
                _time(text)
            except ValidationError as error:
                fail(f"{option} {error.errors(include_input=False)[0]['msg']}")

    async def search(self, operation: AnyOperation) -> AuditSearch:
        """Returns the search. Fails if no user has the address."""
        return AuditSearch(
            user_id=None if self.user is None else await _user_id(self.user, operation),
            action=self.action.upper() if self.action else None,
            ip=self.ip,
            actor_id=self.actor,
            entity_id=self.entity,
            api_key_id=self.api_key,
            since=_time(self.since),
            until=_time(self.until),
        )


def list_rows(filters: Filters, *, limit: int, follow: bool, as_json: bool) -> None:
    """Prints the newest rows first; with `follow`, oldest first, and then new ones as they come."""
    filters.check()

    async def read(operation: Operation[PlatformSettings]) -> list[AuditRow]:
        search = await filters.search(operation)
        if follow:
            await _follow(operation, search, limit, as_json=as_json)
        return await AuditReader(operation.database).rows(search, limit=limit)

    try:
        rows = operate(PlatformSettings, read)
    except KeyboardInterrupt:
        # The usual end of --follow.
        return
    if as_json:
        print_json([asdict(row) for row in rows])
    else:
        print_table(COLUMNS, [_cells(row) for row in rows])


def export(filters: Filters, file: Path, form: str) -> None:
    """Writes the rows to a file, and prints how many bytes."""
    filters.check()

    async def write(operation: Operation[PlatformSettings]) -> int:
        search = await filters.search(operation)
        reader = AuditReader(operation.database)
        newest = await reader.newest_id()

        async def record(change: Change) -> None:
            details = {"format": form, "filters": json.loads(search.about)}
            await change.record(
                OPERATOR.event(AuditLogAction.EXPORT_AUDIT, None, details=details, entity_type="audit_logs")
            )

        await operation.audit.change(record)
        with private_file(file) as output:
            async for piece in lines_of(reader.batches(search, below=newest + 1), form):
                output.write(piece)
            return output.tell()

    with explained(OSError):
        written = operate(PlatformSettings, write)
    print_line(f"{written} bytes written to {file}")


async def _follow(operation: AnyOperation, search: AuditSearch, limit: int, *, as_json: bool) -> None:
    """Prints the newest rows, and then others as they come.

    A row is found if it is committed within LATE_SECONDS after one with a larger id.
    """
    database = operation.database
    above, known = await queries.ids_of_last(database, LATE_SECONDS)
    for row in reversed(await AuditReader(database).rows(search, limit=limit)):
        _print_row(row, as_json=as_json)
        known.append(row.id)
    seen = deque([(stopwatch(), await queries.newest_id(database))])
    while True:
        await asyncio.sleep(FOLLOW_EVERY_SECONDS)
        seen.append((stopwatch(), await queries.newest_id(database)))
        while seen[0][0] < stopwatch() - LATE_SECONDS:
            above = max(above, seen.popleft()[1])
        known = [row_id for row_id in known if row_id > above]
        for row in await queries.find_newer(database, search, above=above, known=known):
            _print_row(row, as_json=as_json)
            known.append(row.id)


def _print_row(row: AuditRow, *, as_json: bool) -> None:
    if as_json:
        print_line(json.dumps(asdict(row), default=utc), flush=True)
    else:
        print_line(GAP.join(map(shown, _cells(row))), flush=True)


def _cells(row: AuditRow) -> list[Any]:
    words = " ".join(f"{name}={_quoted(value)}" for name, value in row.metadata.items())
    return [*(getattr(row, name) for name in COLUMNS[:-1]), words]


def _quoted(value: Any) -> str:
    # A client chooses its user agent: unquoted, it could look like other fields.
    text = str(value)
    return text if re.fullmatch(r"[^\s=\"]+", text) else json.dumps(text, ensure_ascii=False)


def _time(text: str | None) -> Any:
    return None if text is None else TypeAdapter(Time).validate_python(text)


async def _user_id(who: str, operation: AnyOperation) -> int:
    if re.fullmatch(r"[0-9]{1,10}", who, re.ASCII) and int(who) <= USER_ID_MAX:
        return int(who)
    return (await find_account(who, operation)).id
