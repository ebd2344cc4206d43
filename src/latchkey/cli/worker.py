"""The worker process that serves, and how it works with its supervisor and the terminal."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Awaitable
from typing import TYPE_CHECKING

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from latchkey.app import Settings
from latchkey.cli.connections import disconnect_stalled_readers
from latchkey.feature import StartRefused
from latchkey.logs import configure_logging

if TYPE_CHECKING:
    from latchkey.process import Application

if sys.platform != "win32":
    STOPS_SOON = signal.SIGUSR2
    """Comes before SIGTERM. Granian tells an application of SIGTERM only after all requests are answered."""
log = structlog.get_logger(__name__)


def load_app(settings: Settings, address: str, *, gives_up: bool, dev: bool) -> ASGIApp:
    """Returns the application; runs in the worker.

    `gives_up`: a failure to start ends the supervisor (SIGUSR1), which would otherwise retry forever. `dev`: see
    `create_app`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        # A closing terminal sends SIGHUP to the whole group. Only the supervisor answers it.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(STOPS_SOON, signal.SIG_IGN)
    _end_with_supervisor()
    configure_logging(development=settings.development)
    host = f"[{address}]" if ":" in address else address
    url = f"http://{host}:{settings.port}{settings.root_path}"
    try:
        # Imported in the worker: the supervisor stays small, and a reload imports the changed code.
        from latchkey.process import create_app

        return _Worker(create_app(settings, dev=dev), url, settings.port, gives_up=gives_up)
    except BaseException:
        if gives_up:
            _end_supervisor()
        raise


def _end_with_supervisor() -> None:
    """Ends this process when its supervisor is killed. Otherwise it would serve on without anyone to stop it."""
    supervisor = multiprocessing.parent_process()
    assert supervisor is not None, "Granian runs workers by multiprocessing"

    def wait() -> None:
        supervisor.join()
        if sys.platform != "win32":
            os.kill(os.getpid(), STOPS_SOON)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True, name="supervisor").start()


def _end_supervisor() -> None:
    supervisor = multiprocessing.parent_process()
    if sys.platform != "win32" and supervisor is not None and supervisor.pid == os.getppid():
        os.kill(supervisor.pid, signal.SIGUSR1)


class _Worker:
    """Wraps the application's start: logs one line when it serves, or one failure when it cannot."""

    def __init__(self, app: Application, url: str, port: int, *, gives_up: bool) -> None:
        self._app = app
        self._port = port
        self._line = f"listening at {url}"
        self._gives_up = gives_up

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return self._lifespan(scope, receive, send) if scope["type"] == "lifespan" else self._app(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        if sys.platform != "win32":
            # Ctrl-C reaches the whole foreground group. Only the supervisor acts on it and sends SIGTERM to the worker;
            # otherwise it would take the worker's end for a crash. Granian has installed its handler by now.
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, lambda: None)
            asyncio.get_running_loop().add_signal_handler(STOPS_SOON, self._app.stop_soon)

        async def watch(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                if self._gives_up:
                    _end_supervisor()
                # Without its text, a traceback: Granian logs the exception's traceback, too.
                message = {"type": message["type"]}
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                log.info(self._line)
                # The server listens after this. The attribute keeps the task from being collected.
                self._bounding = asyncio.create_task(disconnect_stalled_readers(self._port))

        try:
            await self._app(scope, receive, watch)
        except StartRefused as error:
            # Expected, so one line instead of a traceback.
            log.error(str(error))
