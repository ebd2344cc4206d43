"""The import of accounts, for an operator at the command line."""

import hashlib
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path

import asyncpg

from latchkey.feature import PlatformSettings
from latchkey.features.imports.account import row_model
from latchkey.features.imports.importing import BATCH, Counts, Import, Overtaken
from latchkey.features.imports.readers.sources import reader_of
from latchkey.features.imports.record import FileRefused, Record
from latchkey.features.imports.report import Entry, Report
from latchkey.terminal.failing import explained, fail
from latchkey.terminal.operation import COMMAND_LINE, Operation, operate
from latchkey.terminal.output import print_json, print_line, shown


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a file. `first_line` is where this run began; 0: the file was imported before."""

    first_line: int
    counts: Counts
    first_problems: list[Entry]


def run_import(
    path: Path,
    *,
    source: str | None,
    dry_run: bool,
    report_file: Path | None,
    keep_ids: bool,
    restart: bool,
    as_json: bool,
) -> None:
    """Imports the accounts of a file, and prints what became of its lines.

    Fails, with all of the batches before committed, if the file cannot be read on, or another run has overtaken this.
    """

    if report_file is not None and report_file.exists() and report_file.samefile(path):
        fail("--report names the file to import: it would be overwritten")

    async def import_file(operation: Operation[PlatformSettings]) -> Result:
        file_sha256 = hashlib.file_digest(file, "sha256").digest()
        file.seek(0)
        job = Import(
            database=operation.database,
            audit=operation.audit,
            file_sha256=file_sha256,
            model=row_model(operation.settings.name_min_length),
            keep_ids=keep_ids,
            origin=COMMAND_LINE,
        )
        records = _begun(_in_order(reader_of(source)(file, path)))
        next_line = 1 if dry_run else await job.begin(restart=restart)
        if next_line is None:
            return Result(0, Counts(), [])
        with closing(Report.open(report_file, next_line=next_line)) as report:
            if dry_run:
                counts = await job.rehearse(records, report, progress=_show_progress)
            else:
                counts = await job.run(records, report, next_line=next_line, progress=_show_progress)
        return Result(next_line, counts, report.first_problems)

    with (
        explained(FileRefused, Overtaken, OSError),
        explained(asyncpg.InsufficientPrivilegeError, about="the role of DATABASE_URL lacks a right"),
        path.open("rb") as file,
    ):
        result = operate(PlatformSettings, import_file)
    _print(result, dry_run=dry_run, report_file=report_file, as_json=as_json)


def _in_order(records: Iterator[Record]) -> Iterator[Record]:
    """Yields the records, whose lines must grow: an import goes on by the line."""
    before = 0
    for record in records:
        if record.line <= before:
            raise FileRefused(f"line {record.line} holds several accounts: write each on a line of its own")
        before = record.line
        yield record


def _begun(records: Iterator[Record]) -> Iterator[Record]:
    """Reads the first batch, so that a file of another kind is refused before the import is noted."""
    return chain(list(islice(records, BATCH)), records)


def _show_progress(lines: int, counts: Counts) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{lines} lines read, {counts.imported} accounts imported")
        sys.stderr.flush()


def _print(result: Result, *, dry_run: bool, report_file: Path | None, as_json: bool) -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    counts = result.counts
    if as_json:
        print_json({**asdict(counts), "first_line": result.first_line, "dry_run": dry_run})
    elif not result.first_line:
        print_line("This file was imported before. Nothing is left to do.")
    else:
        if result.first_line > 1:
            print_line(f"Went on at line {result.first_line}.")
        print_line(
            f"{counts.imported} {'would be imported' if dry_run else 'imported'},"
            f" {counts.skipped} skipped, {counts.refused} refused"
        )
    if report_file is None and result.first_problems:
        for entry in result.first_problems:
            about = f"{shown(entry['field'])} " if entry["field"] else ""
            sys.stderr.write(f"line {entry['line']}: {about}{entry['message']}\n")
        if counts.skipped + counts.refused > len(result.first_problems):
            sys.stderr.write("… --report FILE lists them all\n")
