"""A real server process on its own port, started as `latchkey dev` or `latchkey serve` starts it."""

import os
import re
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.kit import plain_http
from tests.kit.ports import free_port
from tests.kit.waiting import SECONDS
from tests.kit.warm_start import Process
from tests.kit.warm_start import start as start_process

ACCESS_SECRET = "access-secret-of-the-tests-0123456789abcdef"
REFRESH_SECRET = "refresh-secret-of-the-tests-0123456789abcdef"
ONE_INSTALLATION = {"TOKEN_ISSUER": "https://accounts.example.com"}
"""The setting of instances that take each other's access tokens: one issuer, whatever port each of them has."""
STOP_SECONDS = 15.0
DEVELOP = Path(__file__).with_name("develop.py")


@dataclass
class Server:
    """A running server: `url` without a trailing slash, `dsn` of its database, `log` with everything it prints."""

    url: str
    dsn: str
    log: Path
    process: Process = field(repr=False)
    root_path: str = ""
    named_issuer: str = ""

    @property
    def port(self) -> int:
        """Returns the TCP port on 127.0.0.1."""
        return int(self.url.rpartition(":")[2])

    @property
    def issuer(self) -> str:
        """Returns the issuer of its access tokens."""
        return self.named_issuer or f"http://localhost:{self.port}{self.root_path}"

    def printed(self) -> str:
        """Returns everything printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def reset_token_mailed_to(self, email: str, *, within: float = SECONDS) -> str:
        """Waits for the newest reset mail to that address and returns its token (development prints mails)."""
        deadline = time.monotonic() + within
        # Stops at the next mail: a later one to the same address, about a changed password, has no link.
        pattern = re.compile(rf"To: {re.escape(email.lower())}\n(?:(?!.*\| To: ).*\n)*?.*#token=([0-9a-f]+)")
        while time.monotonic() < deadline:
            if found := pattern.findall(self.printed()):
                return str(found[-1])
            time.sleep(0.02)
        raise AssertionError(f"no reset mail to {email} within {within} s")

    def stop(self, sig: signal.Signals = signal.SIGTERM) -> int:
        """Signals the supervisor and returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"did not stop within {STOP_SECONDS} s:\n{self.printed()}") from None

    def kill(self) -> None:
        """Sends SIGKILL to supervisor and worker, like a power cut."""
        # To the whole group: a worker may outlive its supervisor.
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOP_SECONDS)


def environment(dsn: str | None, port: int, **settings: str) -> dict[str, str]:
    """Returns the environment of a server under test, without the developer's own settings.

    Development, cheap hashes and no rate limit, unless `settings` (names in capitals) say otherwise.
    """
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    coverage = {name: value for name, value in os.environ.items() if name.startswith("COV")}
    defaults = {
        "ENVIRONMENT": "development",
        "JWT_ACCESS_SECRET": ACCESS_SECRET,
        "JWT_REFRESH_SECRET": REFRESH_SECRET,
        "BCRYPT_ROUNDS": "4",
        "RATE_LIMIT": "1000000/15 minutes",
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
    }
    return kept | coverage | defaults | ({"DATABASE_URL": dsn} if dsn else {}) | settings


def start_server(dsn: str, directory: Path, **settings: str) -> Server:
    """Starts a server in an empty directory and waits until it answers.

    Production runs `latchkey serve`; development runs what `latchkey dev` runs after its set-up.
    """
    port = free_port()
    variables = environment(dsn, port, **settings)
    script = DEVELOP if variables["ENVIRONMENT"] == "development" else None
    log = directory / f"server-{port}.log"
    with log.open("wb") as output:
        process = start_process(["serve"], directory, variables, stdout=output, script=script)
    named_issuer = settings.get("TOKEN_ISSUER") or settings.get("PUBLIC_URL", "")
    server = Server(f"http://127.0.0.1:{port}", dsn, log, process, settings.get("ROOT_PATH", ""), named_issuer)
    try:
        _wait_until_it_answers(server)
    except BaseException:
        server.kill()
        raise
    return server


def _wait_until_it_answers(server: Server) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise AssertionError(f"the server exited with {server.process.returncode}:\n{server.printed()}")
        try:
            if plain_http.get(f"{server.url}/healthz", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.03)
    raise AssertionError(f"the server did not answer within {SECONDS} s:\n{server.printed()}")
