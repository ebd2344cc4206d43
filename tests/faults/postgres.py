"""A PostgreSQL of a test's own, to stop, start again and freeze."""

import asyncio
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil

from latchkey.database.embedded import EmbeddedPostgres, start
from latchkey.database.migrate import migrate
from latchkey.database.pool import connect


class OwnPostgres:
    """Runs from the beginning, at the newest schema; `dsn` stays the same over restarts."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running: EmbeddedPostgres = start(directory)
        self.dsn = self._running.dsn
        asyncio.run(migrate(partial(connect, self.dsn, production=False)))

    def stop(self) -> None:
        """A fast shutdown: every client is disconnected, and then nobody listens."""
        self._running.stop()

    def start(self) -> None:
        """Starts it again on the same data, at the same address."""
        self._running = start(self._directory)
        assert self._running.dsn == self.dsn

    def printed(self) -> str:
        """Everything that it has written to its log."""
        return (self._directory / "postgres.log").read_text(encoding="utf-8", errors="replace")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """All of its processes stand still: connections are taken by the system, and nobody answers on them."""
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
    """One in a directory with a short name, so that its socket is always the same one; gone at the end."""
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
