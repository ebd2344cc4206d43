"""Runs the command line as an operator does: in its own process and directory."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import httpx

from tests.kit import plain_http
from tests.kit.ports import free_port
from tests.kit.server import Server, environment
from tests.kit.waiting import SECONDS
from tests.kit.warm_start import start


@dataclass(frozen=True)
class Result:
    """The result of a command: exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Returns standard output, parsed as JSON, of a successful command."""
        assert self.code == 0, self
        return json.loads(self.out)

    def refusal(self) -> str:
        """Returns the message of a failed command: one message on standard error, without a traceback."""
        assert self.code == 1, self
        assert self.out == "", self
        assert "Traceback" not in self.err
        assert self.err.startswith("latchkey: "), self
        return self.err.strip()


def latchkey(*arguments: str, directory: Path, dsn: str | None = None, answer: str = "", **settings: str) -> Result:
    """Runs `latchkey ARGUMENTS` in `directory` to its end. `answer` is its standard input."""
    with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
        given.write(answer.encode())
        given.seek(0)
        process = start(
            arguments, directory, environment(dsn, free_port(), **settings), stdin=given, stdout=out, stderr=err
        )
        try:
            code = process.wait(SECONDS)
        finally:
            process.kill()
        return Result(code, _text(out), _text(err))


def _text(output: IO[bytes]) -> str:
    output.seek(0)
    return output.read().decode()


def spawn(*arguments: str, directory: Path, dsn: str | None = None, **settings: str) -> Server:
    """Starts a serving `latchkey ARGUMENTS` as the leader of a new process group. Does not wait."""
    port = free_port()
    log = directory / f"{'-'.join(arguments)}-{time.monotonic_ns()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "latchkey", *arguments],
            cwd=directory,
            env=environment(dsn, port, **settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Server(f"http://127.0.0.1:{port}", dsn or "", log, process)


def answers(server: Server) -> bool:
    """Tells whether it serves now. Raises AssertionError if the server has ended."""
    if server.process.poll() is not None:
        raise AssertionError(f"it ended with {server.process.returncode}:\n{server.printed()}")
    return is_served(server.url)


def is_served(url: str) -> bool:
    """Tells whether a server answers there."""
    try:
        return plain_http.get(f"{url}/healthz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False
