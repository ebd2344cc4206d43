"""Imports the records of a file, thousands in a transaction that also notes how far it came."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from latchkey.audit.event import Event
from latchkey.audit.record import AuditLog, Change
from latchkey.database.pool import Connection, Database
from latchkey.database.queries import notify_changed
from latchkey.features.imports import queries
from latchkey.features.imports.account import Account, Problem, Row, check
from latchkey.features.imports.actions import ImportAction
from latchkey.features.imports.record import FileRefused, Record
from latchkey.features.imports.report import Entry, Report
from latchkey.hashing.queries import CHANGED_HASHES
from latchkey.origin import Origin

BATCH = 5_000
TAKEN = "is the address of another account"
TAKEN_BEFORE = "is the address of an account on an earlier line"
ID_TAKEN = "is the id of another account"
CONFLICT = "breaks a unique rule of the database: latchkey doctor says whether the sequence of ids lags behind"


class Overtaken(Exception):
    """Another run has moved this import on. The text says what to do."""


@dataclass(slots=True)
class Counts:
    """What became of the lines."""

    imported: int = 0
    skipped: int = 0
    refused: int = 0

    def add(self, other: "Counts") -> None:
        self.imported += other.imported
        self.skipped += other.skipped
        self.refused += other.refused


@dataclass(slots=True)
class Batch:
    """Records that one transaction imports, and the first line after them."""

    next_line: int
    is_last: bool
    accounts: list[Account] = field(default_factory=list)
    entries: dict[int, Entry] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """The import of one file."""

    database: Database
    audit: AuditLog
    file_sha256: bytes
    model: type[Row]
    keep_ids: bool
    origin: Origin

    async def begin(self, *, restart: bool) -> int | None:
        """Returns the line at which the import begins or goes on; None if it is finished.

        Raises FileRefused while the import of another file is unfinished, unless `restart` gives that up.
        """

        async def begin(connection: Connection) -> int | None:
            await queries.lock_imports(connection)
            found = await queries.find_imports(connection, self.file_sha256)
            own = next((each for each in found if each.file_sha256 == self.file_sha256), None)
            if not restart:
                if own is not None:
                    return None if own.is_finished else own.next_line
                if found:
                    raise FileRefused(
                        "the import of another file is unfinished: run it again to finish it, or give it up with"
                        " --restart (its accounts stay)"
                    )
            await queries.begin(connection, self.file_sha256)
            return 1

        return await self.database.transact(begin)

    async def run(
        self, records: Iterable[Record], report: Report, *, next_line: int, progress: Callable[[int, Counts], None]
    ) -> Counts:
        """Imports the records from `next_line` on. Raises Overtaken, with what is committed counted by the other run."""
        total = Counts()
        for batch in self._batches(records, next_line):
            total.add(await self._write(batch, next_line, report))
            report.keep()
            next_line = batch.next_line
            progress(next_line - 1, total)
        return total

    async def rehearse(
        self, records: Iterable[Record], report: Report, *, progress: Callable[[int, Counts], None]
    ) -> Counts:
        """Checks all records, and the addresses and ids against the database. Writes nothing but the report."""
        total = Counts()
        for batch in self._batches(records, 1):
            taken = await queries.find_taken(self.database, [account.email for account in batch.accounts])
            ids = [account.id for account in batch.accounts if account.id is not None] if self.keep_ids else []
            taken_ids = await queries.find_taken_ids(self.database, ids)
            for account in batch.accounts:
                if account.email in taken:
                    _skip(batch, account.record, Problem("email", TAKEN))
                elif self.keep_ids and account.id in taken_ids:
                    _skip(batch, account.record, Problem("id", ID_TAKEN))
                else:
                    batch.counts.imported += 1
            report.put([batch.entries[line] for line in sorted(batch.entries)])
            report.keep()
            total.add(batch.counts)
            progress(batch.next_line - 1, total)
        return total

    def _batches(self, records: Iterable[Record], next_line: int) -> Iterator[Batch]:
        """Yields batches of checked records; the last one may be empty."""
        ahead = (record for record in records if record.line >= next_line)
        while True:
            chunk = list(islice(ahead, BATCH))
            batch = Batch(chunk[-1].line + 1 if chunk else next_line, is_last=len(chunk) < BATCH)
            self._check(chunk, batch)
            yield batch
            if batch.is_last:
                return
            next_line = batch.next_line

    def _check(self, records: list[Record], batch: Batch) -> None:
        seen: set[str] = set()
        for record in records:
            if record.skipped is not None:
                _skip(batch, record, Problem(None, record.skipped))
                continue
            checked = check(record, self.model, keep_ids=self.keep_ids)
            if isinstance(checked, list):
                batch.counts.refused += 1
                batch.entries[record.line] = _entry(record, *checked)
            elif checked.email in seen:
                _skip(batch, record, Problem("email", TAKEN_BEFORE))
            else:
                seen.add(checked.email)
                batch.accounts.append(checked)

    async def _write(self, batch: Batch, from_line: int, report: Report) -> Counts:
        async def write(change: Change) -> Counts:
            await queries.lock_imports(change.connection)
            if not await queries.advance(
                change.connection, self.file_sha256, from_line, batch.next_line, finished=batch.is_last
            ):
                raise Overtaken(
                    "another run has imported these lines, or was started with another file: run this again when it"
                    " has ended"
                )
            # A fresh one each time: the transaction may be tried again.
            written = Batch(batch.next_line, batch.is_last, batch.accounts, dict(batch.entries))
            written.counts.add(batch.counts)
            if batch.accounts:
                await self._insert(change, written)
            # Before the commit: a line that is committed is in the report, whenever this process is killed.
            report.put([written.entries[line] for line in sorted(written.entries)])
            if batch.is_last:
                await notify_changed(change.connection, CHANGED_HASHES)
            if written.counts.imported:
                details = {"count": written.counts.imported, "fileSha256": self.file_sha256.hex()}
                await change.record(
                    Event(ImportAction.IMPORT_USERS, None, None, self.origin, details=details, entity_type="imports")
                )
            return written.counts

        return await self.audit.change(write)

    async def _insert(self, change: Change, batch: Batch) -> None:
        new_ids = await queries.insert(change.connection, batch.accounts, keep_ids=self.keep_ids)
        refused = [account for new_id, account in zip(new_ids, batch.accounts, strict=True) if new_id is None]
        taken = await queries.find_taken(change.connection, [account.email for account in refused]) if refused else ()
        for new_id, account in zip(new_ids, batch.accounts, strict=True):
            if new_id is None:
                by_id = Problem("id", ID_TAKEN) if self.keep_ids else Problem(None, CONFLICT)
                _skip(batch, account.record, Problem("email", TAKEN) if account.email in taken else by_id)
                continue
            batch.counts.imported += 1
            source_id = account.record.source_id
            known = {} if source_id is None else {"source_id": source_id}
            batch.entries[account.record.line] = {"line": account.record.line, "id": new_id, **known}


def _skip(batch: Batch, record: Record, why: Problem) -> None:
    batch.counts.skipped += 1
    batch.entries[record.line] = _entry(record, why) | {"skipped": True}


def _entry(record: Record, first: Problem, *more: Problem) -> Entry:
    entry: Entry = {"line": record.line, "field": first.field, "message": first.message}
    if more:
        entry["more"] = [{"field": each.field, "message": each.message} for each in more]
    if record.source_id is not None:
        entry["source_id"] = record.source_id
    return entry
