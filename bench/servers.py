"""Servers to measure: ours, the floor, and whatever else speaks the contract."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench.accounting import Processes, idle_cpu_millis, listening_on, processes_of
from bench.data import ROUNDS, Secrets
from tests.kit.ports import free_port

START_SECONDS = 30.0
STOP_SECONDS = 15.0
IDLE_SECONDS = 3.0


@dataclass
class Target:
    """A server that answers. `start_seconds`: from exec to its first answer; before any load: `idle_mib`, its memory,
    and `idle_cpu`, the CPU milliseconds that it uses in a second."""

    name: str
    url: str
    processes: Processes | None
    start_seconds: float | None = None
    idle_mib: dict[str, float] = field(default_factory=dict)
    idle_cpu: float | None = None


@contextmanager
def latchkey(
    dsn: str,
    signing: Secrets,
    *,
    hash_queue_seconds: float = 30.0,
    rate_limit_storage: str = "memory://",
    trusted_proxies: str = "",
    token_issuer: str = "",
) -> Iterator[Target]:
    """Ours, as production runs it: all checks on, and a rate limit that nobody reaches. A closed loop waits for its turn
    to be hashed; what a flood meets is measured with the default of 2 s."""
    port = free_port()
    settings = {
        "ENVIRONMENT": "production",
        "DATABASE_URL": dsn,
        "PORT": str(port),
        "JWT_ACCESS_SECRET": signing.access,
        "JWT_REFRESH_SECRET": signing.refresh,
        "BCRYPT_ROUNDS": str(ROUNDS),
        "RATE_LIMIT": "1000000000/15 minutes",
        "API_KEY_RATE_LIMIT": "1000000000/15 minutes",
        "RATE_LIMIT_STORAGE": rate_limit_storage,
        "REQUEST_LOG": "false",
        "HASH_QUEUE_SECONDS": str(hash_queue_seconds),
        "TRUSTED_PROXIES": trusted_proxies,
        "TOKEN_ISSUER": token_issuer,
    }
    with _process("latchkey", [sys.executable, "-m", "latchkey", "serve"], port, settings) as target:
        yield target


@contextmanager
def floor(dsn: str) -> Iterator[Target]:
    """The bare program."""
    port = free_port()
    command = [sys.executable, "-m", "bench.floor", dsn, str(port)]
    with _process("floor", command, port, {"PYTHONPATH": str(Path(__file__).parents[1])}) as target:
        yield target


def peer(name: str, url: str) -> Target:
    """One that somebody else started."""
    url = url.rstrip("/")
    port = httpx.URL(url).port or 80
    return Target(name, url, listening_on(port) if "127.0.0.1" in url or "localhost" in url else None)


@contextmanager
def _process(name: str, command: list[str], port: int, settings: dict[str, str]) -> Iterator[Target]:
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
    with (
        tempfile.TemporaryDirectory(prefix="latchkey-bench-") as directory,
        Path(directory, "errors").open("wb") as log,
    ):
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=kept | settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            try:
                seconds = _wait_until_it_answers(f"{url}/auth/csrf-token", process, started)
            except TimeoutError as error:
                raise SystemExit(f"{name}: {error}\n{Path(directory, 'errors').read_text()}") from None
            processes = processes_of(process.pid)
            idle_cpu = idle_cpu_millis(processes, IDLE_SECONDS)
            yield Target(name, url, processes, seconds, processes.pss_mib(), idle_cpu)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_it_answers(url: str, process: "subprocess.Popen[bytes]", started: float) -> float:
    with httpx.Client(timeout=2) as client:
        while process.poll() is None and time.perf_counter() < started + START_SECONDS:
            try:
                if client.get(url).status_code == 200:
                    return time.perf_counter() - started
            except httpx.TransportError:
                time.sleep(0.005)
    raise TimeoutError("the server does not answer" if process.poll() is None else "the server exited")
