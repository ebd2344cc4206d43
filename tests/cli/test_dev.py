"""`latchkey dev`: everything from one command, and nothing left when it ends."""

import os
import signal
import socket
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.kit import plain_http
from tests.kit.command_line import answers, is_served, latchkey, spawn
from tests.kit.ipv6 import needs_ipv6
from tests.kit.server import Server
from tests.kit.source_copy import copy_source
from tests.kit.waiting import eventually

UNSET = {"ENVIRONMENT": "", "JWT_ACCESS_SECRET": "", "JWT_REFRESH_SECRET": ""}
Spawn = Callable[..., Server]


@pytest.fixture(scope="module")
def project() -> Iterator[Path]:
    """A developer's directory, whose `.latchkey` these tests share. Passable, as PostgreSQL needs it under root."""
    with tempfile.TemporaryDirectory(prefix="latchkey-dev-") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)


@pytest.fixture
def dev(project: Path) -> Iterator[Spawn]:
    """Starts `latchkey dev` in the project with nothing set but a port. Kills what still runs at the end."""
    started: list[Server] = []

    def start(**settings: str) -> Server:
        started.append(spawn("dev", directory=project, **UNSET | settings))
        return started[-1]

    yield start
    for server in started:
        server.kill()
    eventually(lambda: not postgres_of(project), "PostgreSQL ends")


def postgres_of(project: Path) -> list[psutil.Process]:
    """The processes that work in the project's database directory."""
    home = str(project.resolve() / ".latchkey" / "postgres")
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == home:
                found.append(process)
        except psutil.Error:
            continue
    return found


def printed_like(server: Server, *, without: tuple[str, ...] = ("Traceback", "Unexpected", "[INFO]", "granian")) -> str:
    """Returns its output, and fails if that has noise."""
    printed = server.printed()
    assert not [noise for noise in without if noise in printed], printed
    return printed


def test_a_day_of_work(dev: Spawn, project: Path) -> None:
    """It comes up, reloads changed code, keeps a second one out, and Ctrl-C ends server and database, exit code 0."""
    source = copy_source(project / "source")
    server = dev(PYTHONPATH=str(project / "source"))
    eventually(lambda: answers(server), "it serves")
    assert f"Latchkey is at http://localhost:{server.port}/api-docs" in server.printed()
    assert f"listening at {server.url}" in server.printed()
    assert stat.S_IMODE((project / ".latchkey" / "secrets.json").stat().st_mode) == 0o600
    assert plain_http.get(f"{server.url}/dev/mailbox", timeout=5).status_code == 200
    assert "latchkey serve" not in server.printed()
    listed = latchkey("users", "list", directory=project, **UNSET)
    assert listed.out.endswith("0 of 0 live users, page 1\n")

    second = latchkey("dev", directory=project, PORT=str(server.port), **UNSET).refusal()
    assert second == f"latchkey: cannot listen on 127.0.0.1 port {server.port} (HOST, PORT): Address already in use"
    assert plain_http.get(f"{server.url}/readyz", timeout=5).status_code == 200

    health = source / "features" / "health" / "endpoints.py"
    right = health.read_text(encoding="utf-8")
    health.write_text(right.replace('message="OK"', "message=nothing_such"), encoding="utf-8")
    eventually(lambda: "NameError" in server.printed(), "the mistake is shown")
    health.write_text(right.replace('message="OK"', 'message="Changed"'), encoding="utf-8")

    def serves_the_change() -> bool:
        return answers(server) and plain_http.get(f"{server.url}/healthz", timeout=5).json()["message"] == "Changed"

    eventually(serves_the_change, "the changed code serves")

    os.killpg(server.process.pid, signal.SIGINT)
    assert server.process.wait(20) == 0
    assert not is_served(server.url)
    assert not postgres_of(project)
    assert not (project / ".latchkey" / "dsn").exists()


@needs_ipv6
@pytest.mark.parametrize("host", ["", "localhost", "0.0.0.0"])  # noqa: S104 for the time of this test
def test_localhost_has_two_addresses(dev: Spawn, host: str, require: Callable[[str], str]) -> None:
    """Whichever of them a program takes localhost for, it answers; and both are given up at the end."""
    server = dev(HOST=host)
    eventually(lambda: answers(server), "it serves")
    for name in ("127.0.0.1", "[::1]", "localhost"):
        assert is_served(f"http://{name}:{server.port}")
    script = f"fetch('http://localhost:{server.port}/healthz').then(answer => console.log(answer.status))"
    for order in ("ipv4first", "verbatim"):
        command = [require("node"), f"--dns-result-order={order}", "--no-network-family-autoselection", "-e", script]
        asked = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert asked.stdout == "200\n", asked.stderr
    assert server.stop(signal.SIGTERM) == 0
    printed_like(server)
    for name in ("127.0.0.1", "[::1]"):
        assert not is_served(f"http://{name}:{server.port}")


@needs_ipv6
def test_localhost_that_is_somebody_elses(dev: Spawn) -> None:
    """It says so, and where it is."""
    server = dev()
    eventually(lambda: answers(server), "it serves")
    server.stop(signal.SIGTERM)
    with socket.create_server(("::1", server.port), family=socket.AF_INET6):
        again = dev(PORT=str(server.port))
        eventually(lambda: is_served(server.url), "it serves")
        assert f"Latchkey is at http://127.0.0.1:{server.port}/api-docs" in again.printed()
        assert f"not at http://localhost:{server.port}: another program listens on ::1" in again.printed()


def test_sigterm_while_it_starts(dev: Spawn, project: Path) -> None:
    """Nothing is left of the database either."""
    server = dev()
    eventually(lambda: bool(postgres_of(project)), "PostgreSQL is there")
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(20) == 0
    printed_like(server)
    assert not postgres_of(project)


@pytest.mark.parametrize("tell", [lambda pid: os.kill(pid, signal.SIGTERM), lambda pid: os.killpg(pid, signal.SIGHUP)])
def test_signals_end_it(dev: Spawn, project: Path, tell: Callable[[int], None]) -> None:
    """SIGTERM to the command, and SIGHUP, which a terminal sends to the whole process group when it is closed:
    quietly, with the database."""
    server = dev()
    eventually(lambda: answers(server), "it serves")
    tell(server.process.pid)
    assert server.process.wait(20) == 0
    printed_like(server)
    assert not postgres_of(project)


def test_killed(dev: Spawn, project: Path) -> None:
    """After SIGKILL, too, neither server nor database stays."""
    server = dev()
    eventually(lambda: answers(server), "it serves")
    server.process.kill()
    server.process.wait(10)
    eventually(lambda: not is_served(server.url), "the server ends")
    eventually(lambda: not postgres_of(project), "PostgreSQL ends")


def test_what_keeps_it_from_starting(tmp_path: Path) -> None:
    """A port in use and an unusable DATA_DIR get one line each, before anything is made."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert "Address already in use" in latchkey("dev", directory=tmp_path, PORT=port, **UNSET).refusal()
    assert list(tmp_path.iterdir()) == []

    (tmp_path / "file").touch()
    refusal = latchkey("dev", directory=tmp_path, DATA_DIR="file/data", **UNSET).refusal()
    assert refusal == "latchkey: DATA_DIR cannot be used: [Errno 20] Not a directory: 'file/data'"
    # With secrets given, the embedded PostgreSQL is the first to need the directory.
    refusal = latchkey("dev", directory=tmp_path, DATA_DIR="file/data", ENVIRONMENT="").refusal()
    assert len(refusal.splitlines()) == 1
    assert "file/data" in refusal
