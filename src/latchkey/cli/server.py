"""Running the ASGI server: a supervisor, which is the command itself, and one worker, which serves."""

import asyncio
import multiprocessing
import os
import signal
import socket
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from latchkey.cli.failing import fail
from latchkey.logs import configure_logging
from latchkey.settings import Settings

GRACE_SECONDS = 10
HEADER_READ_MILLISECONDS = 10_000
HEADERS_MAX_BYTES = 32 * 1024

# Granian's own lines, warnings and worse only, go where ours go.
GRANIAN_LOG: dict[str, Any] = {
    "formatters": {},
    "handlers": {},
    "loggers": {"_granian": {"handlers": [], "propagate": True}},
}

log = structlog.get_logger(__name__)


def require_free_port(settings: Settings) -> str:
    """The IP address to listen on. Exits with 1 when HOST or PORT cannot be listened on, or somebody listens there.

    Granian would not notice: it lets several processes of one user share a port, so that a second server would take
    some of the first one's requests.
    """
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            # As a server does it, so that connections closed a moment ago do not count as somebody.
            if sys.platform != "win32":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = error.strerror or error
        fail(f"cannot listen on {settings.host} port {settings.port} (HOST, PORT): {reason}")
    return str(address[0])


def run_server(settings: Settings, *, reload: bool) -> None:
    """Serves until SIGTERM or SIGINT; then stops accepting, finishes what runs, for at most 10 s, and returns.

    Raises SystemExit(1) when the port is taken, or when the worker cannot start; one that dies later is replaced.
    With `reload` a worker that cannot start is waited for until the code changes, and a terminal that closes ends it.
    """
    address = require_free_port(settings)
    configure_logging(development=settings.development)
    server = Granian(
        "latchkey.app:create_app",
        address=address,
        port=settings.port,
        interface=Interfaces.ASGI,
        # One process, one event loop; several processes are several instances (docs/operations.md).
        workers=1,
        loop=Loops.uvloop if sys.platform != "win32" else Loops.asyncio,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=HEADER_READ_MILLISECONDS, max_buffer_size=HEADERS_MAX_BYTES
        ),
        websockets=False,
        # Granian gives up on a worker that dies twice within seconds.
        respawn_failed_workers=not reload,
        workers_kill_timeout=GRACE_SECONDS,
        log_level=LogLevels.warning,
        log_dictconfig=GRANIAN_LOG,
        reload=reload,
        reload_paths=[Path(__file__).parents[1]] if reload else None,
        reload_ignore_worker_failure=reload,
    )
    if reload:
        server.on_reload(lambda: log.info("the code has changed, starting again"))
        if sys.platform != "win32":
            # Granian takes it as the wish for a new worker, and would go on without a terminal.
            server.on_startup(lambda: signal.signal(signal.SIGHUP, server.signal_handler_interrupt))
    server.serve(target_loader=partial(_load_app, settings, address), wrap_loader=False)


def _load_app(settings: Settings, address: str) -> ASGIApp:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_supervisor()
    configure_logging(development=settings.development)
    # Imported in the worker: the supervisor stays small, and a reload finds the code as it is now.
    from latchkey.app import create_app

    host = f"[{address}]" if ":" in address else address
    return _Worker(create_app(settings), f"http://{host}:{settings.port}{settings.root_path}")


def _end_with_supervisor() -> None:
    """Ends this process when its supervisor is killed: it would go on serving, and nobody would know to stop it."""
    supervisor = multiprocessing.parent_process()
    assert supervisor is not None, "Granian runs workers by multiprocessing"

    def wait() -> None:
        supervisor.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True, name="supervisor").start()


class _Worker:
    """The application, and what its process owes the terminal: one line when it serves, none about Ctrl-C."""

    def __init__(self, app: ASGIApp, url: str) -> None:
        self._app = app
        self._url = url

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Any:
        return self._lifespan(scope, receive, send) if scope["type"] == "lifespan" else self._app(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        if sys.platform != "win32":
            # Ctrl-C reaches the whole foreground group. The supervisor alone acts on it, with a SIGTERM to the worker,
            # whose end it would otherwise take for a crash. Granian has set its own handler by now.
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, lambda: None)

        async def announce(message: Message) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                log.info(f"listening at {self._url}")

        await self._app(scope, receive, announce)
