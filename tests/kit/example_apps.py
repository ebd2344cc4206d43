"""The examples for Python, each a process in the environment of the Python client, which has the frameworks."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.kit import plain_http
from tests.kit.ports import free_port
from tests.kit.waiting import SECONDS

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / "clients" / "python" / ".venv" / "bin" / "python"
COMMANDS = {
    "fastapi": ("uvicorn", "--port", "{port}", "--log-level", "warning", "app:app"),
    "starlette": ("uvicorn", "--port", "{port}", "--log-level", "warning", "app:app"),
    "django": ("gunicorn", "--bind", "127.0.0.1:{port}", "--threads", "4", "--log-level", "warning", "app:app"),
    "flask": ("gunicorn", "--bind", "127.0.0.1:{port}", "--threads", "4", "--log-level", "warning", "app:app"),
}
"""How examples/README.md starts them, on a port of the test's."""


@contextmanager
def running_example(name: str, log: Path, *, latchkey: str, api_key: str) -> Iterator[httpx.Client]:
    """Starts an example and waits until it answers. Yields a client of it."""
    port = free_port()
    command = [str(PYTHON), "-m", *(part.format(port=port) for part in COMMANDS[name])]
    variables = {"LATCHKEY_URL": latchkey, "LATCHKEY_API_KEY": api_key}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT / "examples" / name, env=variables, stdout=output, stderr=output, stdin=subprocess.DEVNULL
        )
    try:
        with plain_http.client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            _wait_until_it_answers(client, process, log)
            yield client
    finally:
        process.terminate()
        process.wait(SECONDS)


def _wait_until_it_answers(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the example exited with {process.returncode}:\n{log.read_text()}")
        try:
            client.get("/")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the example did not answer within {SECONDS} s:\n{log.read_text()}")
