"""Running the ASGI server: a supervisor, which is the command itself, and one worker, which serves."""

import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels

from latchkey.cli.configuration_checks import AT_START
from latchkey.cli.connections import connections_at_a_time, keep_alive_seconds
from latchkey.cli.failing import explained, fail
from latchkey.cli.worker import load_app
from latchkey.logs import configure_logging
from latchkey.settings import Settings

GRACE_SECONDS = 10
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
        # A name such as localhost has an IPv6 address even where there is no IPv6.
        family, kind, protocol, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
        with socket.socket(family, kind, protocol) as probe:
            # As a server does it, so that connections closed a moment ago do not count as somebody.
            if sys.platform != "win32":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = error.strerror or error
        fail(f"cannot listen on {settings.host} port {settings.port} (HOST, PORT): {reason}")
    return str(address[0])


def _require_usable_templates(settings: Settings) -> None:
    """Exits with 1 when mails could not be made: now, and not when somebody has forgotten a password."""
    if settings.mail_templates is None:
        return
    from latchkey.mail.templates import Templates, TemplatesUnusable

    with explained(TemplatesUnusable):
        Templates(settings.mail_templates, base_url=settings.base_url())


def run_server(settings: Settings, *, reload: bool) -> None:
    """Serves until SIGTERM or SIGINT; then stops accepting, finishes what runs, for at most 10 s, and returns.

    Logs first which settings will not work as somebody may expect: what `latchkey doctor` says of them.
    Raises SystemExit(1) when the port is taken, or when the worker cannot start; one that dies later is replaced.
    With `reload` the code is loaded anew when it changes, even when it could not start, and SIGHUP (the terminal was
    closed) ends it, too.
    """
    address = require_free_port(settings)
    _require_usable_templates(settings)
    configure_logging(development=settings.development)
    for finding in (check(settings) for check in AT_START):
        if finding.level != "ok":
            line = f"{finding.check}: {finding.message}"
            log.warning(line, advice=finding.advice)
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
            header_read_timeout=keep_alive_seconds(settings) * 1000, max_buffer_size=HEADERS_MAX_BYTES
        ),
        websockets=False,
        backpressure=connections_at_a_time(),
        respawn_failed_workers=not reload,
        workers_kill_timeout=GRACE_SECONDS,
        log_level=LogLevels.warning,
        log_dictconfig=GRANIAN_LOG,
        reload=reload,
        reload_paths=[Path(__file__).parents[1]] if reload else None,
        reload_ignore_worker_failure=reload,
    )
    stop: Callable[..., None] = server.signal_handler_interrupt
    gave_up = False

    def give_up(*_: object) -> None:
        nonlocal gave_up
        gave_up = True
        stop()

    def take_signals() -> None:
        # Granian has set its own handlers by now. It takes SIGHUP as the wish for a new worker.
        if reload:
            signal.signal(signal.SIGHUP, stop)
        else:
            signal.signal(signal.SIGUSR1, give_up)

    if reload:
        server.on_reload(lambda: log.info("the code has changed, starting again"))
    if sys.platform != "win32":
        server.on_startup(take_signals)
    server.serve(target_loader=partial(load_app, settings, address, gives_up=not reload), wrap_loader=False)
    if gave_up:
        raise SystemExit(1)
