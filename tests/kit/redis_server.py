"""A real redis-server for one test, which can stop and return."""

import subprocess
import time
from pathlib import Path
from typing import Self

import redis

from tests.kit.ports import free_port
from tests.kit.waiting import SECONDS


class RedisServer:
    """Redis on its own port and a Unix socket. It stores nothing on disk."""

    def __init__(self, program: str, directory: Path) -> None:
        self.port = free_port()
        self.socket = directory / "redis.sock"
        self._command = [
            *(program, "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", str(self.socket)),
            *("--save", "", "--appendonly", "no", "--dir", str(directory)),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Returns host, port and database as a URL has them after the scheme."""
        return f"127.0.0.1:{self.port}/0"

    def client(self) -> "redis.Redis":
        """Returns a new client."""
        return redis.Redis(port=self.port, decode_responses=True)

    def start(self) -> Self:
        """Starts it without data and waits until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + SECONDS
        with self.client() as client:
            while True:
                try:
                    client.ping()
                except redis.ConnectionError:
                    assert time.monotonic() < deadline, "redis-server does not answer"
                    time.sleep(0.02)
                else:
                    return self

    def kill(self) -> None:
        """Kills it. Clients' connections break. Does nothing if it is not running."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
