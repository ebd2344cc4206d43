"""The keeper: starts the embedded PostgreSQL, and stops it when the process that uses it has ended.

`postgres.py` runs it as `python -m latchkey.database.embedded.keeper DATA_DIR`. It prints one line of JSON with `dsn`
or `problem`. It then waits for a byte on its standard input, or for the end of that input.

Several processes may share one server. The keeper that starts or stops it holds the lock of `postgres.lock`; every
keeper that uses it holds a shared lock of `postgres.users`. The system releases the locks of a process that has died.
"""

import fcntl
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from latchkey.database.embedded.cluster import Cluster, ClusterError


def main() -> None:
    """Runs the keeper of the data directory in the first argument."""
    # A signal to all of latchkey must not end the keeper: nothing else would stop the server. The end of its standard
    # input ends it. Handlers, not SIG_IGN, because PostgreSQL would inherit that.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    try:
        _keep(Path(sys.argv[1]))
    except (ClusterError, OSError) as error:
        _answer({"problem": str(error)})


def _keep(data_dir: Path) -> None:
    data_dir.mkdir(parents=True, exist_ok=True)
    cluster = Cluster(data_dir)
    with _opened(data_dir / "postgres.users") as users:
        try:
            with _opened(data_dir / "postgres.lock") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                fcntl.flock(users, fcntl.LOCK_SH)
                dsn = cluster.start()
                _write_whole(data_dir / "dsn", dsn + "\n")
            _answer({"dsn": dsn, "opened": cluster.opened})
            sys.stdin.read(1)
        finally:
            with _opened(data_dir / "postgres.lock") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                _stop_unless_used(cluster, users, data_dir / "dsn")


def _stop_unless_used(cluster: Cluster, users: int, dsn: Path) -> None:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    dsn.unlink(missing_ok=True)
    cluster.stop()


def _answer(answer: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Opens a file to lock. Closing it releases the lock."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write_whole(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


if __name__ == "__main__":
    main()
