"""Apps of real frameworks on real servers, each a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.kit.waiting import SECONDS

EXAMPLES = Path(__file__).parents[4] / "examples"
APPS = Path(__file__).parents[1] / "apps"
STOP_SECONDS = 20.0

UVICORN = ("uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--log-level", "warning")
GRANIAN = ("granian", "--host", "127.0.0.1", "--port", "{port}", "--log-level", "warning", "--interface", "asgi")
GUNICORN = ("gunicorn", "--bind", "127.0.0.1:{port}", "--log-level", "warning", "--threads", "4")


@dataclass
class App:
    """A running app. `client` sends requests to it."""

    url: str
    client: httpx.Client
    log: Path

    def printed(self) -> str:
        """Returns everything printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def running_app(
    folder: Path, server: tuple[str, ...], log: Path, variables: dict[str, str], *, app: str = "app:app"
) -> Iterator[App]:
    """Starts an app as its README says, in its folder, and waits until it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", *(part.format(port=port) for part in server), app]
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment | variables, stdout=output, stderr=output, stdin=subprocess.DEVNULL
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            started = App(str(client.base_url).rstrip("/"), client, log)
            _wait_until_it_answers(started, process)
            yield started
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)


def _wait_until_it_answers(app: App, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the app exited with {process.returncode}:\n{app.printed()}")
        try:
            app.client.get("/")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the app did not answer within {SECONDS} s:\n{app.printed()}")
