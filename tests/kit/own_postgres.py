"""A PostgreSQL for one test, to stop, restart and freeze."""

import asyncio
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import LiteralString

import psutil
import psycopg

from latchkey.database.embedded.postgres import EmbeddedPostgres, start
from latchkey.database.migrate import migrate
from latchkey.database.pool import connect
from tests.kit.waiting import SECONDS


class OwnPostgres:
    """A running PostgreSQL at the newest schema. `dsn` stays the same over restarts."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running: EmbeddedPostgres = start(directory)
        self.dsn = self._running.dsn
        asyncio.run(migrate(partial(connect, self.dsn, production=False)))

    def stop(self) -> None:
        """Stops it fast: disconnects all clients, and then refuses connections."""
        self._running.stop()

    def start(self) -> None:
        """Starts it again with the same data, at the same address."""
        self._running = start(self._directory)
        assert self._running.dsn == self.dsn

    @contextmanager
    def logging_statements(self) -> Iterator[list[str]]:
        """Fills the list, at the end, with the statements that instances sent for requests, BEGIN and COMMIT included.

        Leaves out the feeds' heartbeats, the workers' polls for mail, and the reads of signing keys.
        """
        made: list[str] = []
        log = self._directory / "postgres.log"
        self._set_log_statement("all")
        before = log.stat().st_size
        yield made
        self._set_log_statement("none")
        made += of_requests(log.read_bytes()[before:].decode(errors="replace"))

    def _set_log_statement(self, value: LiteralString) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET log_statement = '{value}'")
            connection.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            # The postmaster tells all its children at once, so if a new connection has the setting, all have it.
            with psycopg.connect(self.dsn) as connection:
                row = connection.execute("SHOW log_statement").fetchone()
            if row == (value,):
                return
            time.sleep(0.01)
        raise AssertionError("PostgreSQL does not take the new setting")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Freezes all its processes: the system accepts connections, and no server answers on them."""
        number = int((self._directory / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        postmaster = psutil.Process(number)
        processes = [postmaster, *postmaster.children()]
        for process in processes:
            process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                process.send_signal(signal.SIGCONT)


@contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """Starts one in a directory with a short name, so that its socket stays the same. Removes it at the end."""
    directory = Path(tempfile.mkdtemp(prefix="latchkey-gone-", dir="/tmp"))
    directory.chmod(0o711)
    try:
        postgres = OwnPostgres(directory)
        try:
            yield postgres
        finally:
            postgres.stop()
    finally:
        shutil.rmtree(directory)


def of_requests(printed: str) -> list[str]:
    """The statements in a log of PostgreSQL that requests sent, in the order of their ends."""
    made: list[tuple[str, str]] = []
    open_transactions: dict[str, list[str]] = {}
    # asyncpg's format. The end of a transaction has its semicolon from there.
    sent = r"\[(\d+)\] LOG:  (?:execute __asyncpg_\w+: (.*)|statement: (BEGIN|COMMIT|ROLLBACK);)"
    for process, statement, bound in re.findall(sent, printed):
        if bound == "BEGIN":
            open_transactions[process] = [bound]
        elif bound and process in open_transactions:
            transaction = [*open_transactions.pop(process), bound]
            if "UPDATE mail_outbox SET attempts" not in " ".join(transaction):
                made += [(process, each) for each in transaction]
        elif bound:
            # It began before the log did, so it is a worker's, and so is all that this process sent until here.
            made = [(sender, each) for sender, each in made if sender != process]
        elif process in open_transactions:
            open_transactions[process].append(statement)
        elif statement != "SELECT 1" and "LEFT JOIN signing_keys" not in statement:
            made.append((process, statement))
    return [statement for _, statement in made]
