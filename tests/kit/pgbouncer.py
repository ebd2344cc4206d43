"""A real PgBouncer for one test, in front of a PostgreSQL."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import psycopg

from latchkey.database.embedded.account import ROOTS_STAND_IN
from tests.kit.certificates import Certified
from tests.kit.ports import free_port

START_SECONDS = 10.0
POOL_SIZE = 4

CONFIGURATION = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listens_on}
unix_socket_dir =
auth_type = trust
auth_file = {directory}/users
admin_users = {user}
"""


class PgBouncer:
    """A PgBouncer on 127.0.0.1:`port`, in front of the PostgreSQL of `dsn` (on a Unix socket).

    `self.dsn` leads through it to the same database. `settings` are those of its section [pgbouncer].
    """

    def __init__(self, program: str, directory: Path, dsn: str, port: int, settings: dict[str, str | int]) -> None:
        parts = urlsplit(dsn)
        query = parse_qs(parts.query)
        user = parts.username or ""
        through = parts._replace(netloc=f"{user}@127.0.0.1:{port}", query=urlencode({"sslmode": "disable"}))
        self.dsn = through.geturl()
        self.port = port
        self._file = directory / "pgbouncer.ini"
        self._log = directory / "log"
        self._fixed = CONFIGURATION.format(
            host=query["host"][0], port=query["port"][0], listens_on=port, directory=directory, user=user
        )
        (directory / "users").write_text(f'"{user}" ""\n')
        self._settings = settings
        self._write()
        # PgBouncer refuses to run as root. If root runs the tests, their PostgreSQL belongs to the same account.
        account = ["-u", ROOTS_STAND_IN] if os.geteuid() == 0 else []
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [program, *account, str(self._file)], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        self._wait()

    def reload(self, **settings: str | int) -> None:
        """Changes settings while it runs. Clients stay connected."""
        self._settings |= settings
        self._write()
        with psycopg.connect(
            urlsplit(self.dsn)._replace(path="/pgbouncer").geturl(),
            autocommit=True,
            cursor_factory=psycopg.ClientCursor,
        ) as admin:
            admin.execute("RELOAD")

    def printed(self) -> str:
        """Returns everything that it printed."""
        return self._log.read_text(errors="replace")

    def kill(self) -> None:
        """Kills it. Its clients' connections break."""
        self._process.kill()
        self._process.wait()

    def _write(self) -> None:
        lines = [f"{name} = {value}" for name, value in self._settings.items()]
        self._file.write_text(self._fixed + "\n".join(lines) + "\n")

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while "process up" not in self.printed():
            assert self._process.poll() is None, self.printed()
            assert time.monotonic() < deadline, self.printed()
            time.sleep(0.02)


@contextmanager
def pgbouncer(
    program: str, dsn: str, pool_mode: str, *, port: int = 0, certified: Certified | None = None, **settings: str | int
) -> Iterator[PgBouncer]:
    """Starts one in front of that PostgreSQL, on that port or any; with a certificate, over TLS only.

    Removes it at the end.
    """
    directory = Path(tempfile.mkdtemp(prefix="latchkey-pgbouncer-"))
    # The account that runs it must be able to read its files.
    directory.chmod(0o755)
    try:
        if certified:
            for name, file in (("cert", certified.authority), ("key", certified.authority.with_suffix(".key"))):
                settings[f"client_tls_{name}_file"] = str(shutil.copy(file, directory))
            settings["client_tls_sslmode"] = "require"
        settings = {"pool_mode": pool_mode, "default_pool_size": POOL_SIZE, **settings}
        running = PgBouncer(program, directory, dsn, port or free_port(), settings)
        try:
            yield running
        finally:
            running.kill()
    finally:
        shutil.rmtree(directory)
