"""Runs the ASGI server: a supervisor, which is the command itself, and one worker, which serves."""

import multiprocessing
import os
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

from latchkey.app import MAIL_KINDS, Settings
from latchkey.cli.configuration_checks import AT_START, environment
from latchkey.cli.connections import connections_at_a_time, keep_alive_seconds
from latchkey.cli.feature_checks import check_features
from latchkey.cli.worker import STOPS_SOON, load_app
from latchkey.logs import configure_logging
from latchkey.settings import setting_warnings
from latchkey.terminal.failing import explained, fail

GRACE_SECONDS = 10
HEADERS_MAX_BYTES = 32 * 1024

# Granian's own lines, only warnings and worse, go to our log.
GRANIAN_LOG: dict[str, Any] = {
    "formatters": {},
    "handlers": {},
    "loggers": {"_granian": {"handlers": [], "propagate": True}},
}

log = structlog.get_logger(__name__)


def require_free_port(settings: Settings) -> str:
    """Returns the IP address to listen on. Exits with 1 if HOST and PORT cannot be listened on or are in use.

    Granian would not notice: it lets several processes of one user share a port, so a second server would get some of
    the first one's requests.
    """
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        # A name such as localhost has an IPv6 address even where there is no IPv6.
        family, kind, protocol, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
        with socket.socket(family, kind, protocol) as probe:
            # As a server does, so that recently closed connections do not count as a listener.
            if sys.platform != "win32":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = error.strerror or error
        fail(f"cannot listen on {settings.host} port {settings.port} (HOST, PORT): {reason}")
    return str(address[0])


def _require_usable_templates(settings: Settings) -> None:
    """Exits with 1 if a mail template has errors: at start, not at the first forgotten password."""
    if settings.mail_templates is None:
        return
    from latchkey.mail.templates import Templates, TemplatesUnusable

    with explained(TemplatesUnusable):
        Templates(MAIL_KINDS, settings.mail_templates, base_url=settings.base_url())


def _announce_stop() -> None:
    """Tells the worker that it will be stopped."""
    if sys.platform != "win32":
        for worker in multiprocessing.active_children():
            if worker.pid is not None:
                os.kill(worker.pid, STOPS_SOON)


def run_server(settings: Settings, *, reload: bool, dev: bool = False) -> None:
    """Serves until SIGTERM or SIGINT, then finishes running requests within 10 s and returns.

    First logs the warnings of `latchkey doctor` about settings. Raises SystemExit(1) if the port is in use or the
    worker cannot start; a worker that dies later is replaced. `reload`: a change of the code starts a new worker, even
    if the last one could not start, and SIGHUP (the terminal was closed) stops the server, too. `dev`: `latchkey dev`
    serves, with its pages and with printed mails.
    """
    address = require_free_port(settings)
    _require_usable_templates(settings)
    configure_logging(development=settings.development)
    for odd in setting_warnings(Settings):
        line = f"{odd.name}: {odd.message}"
        log.warning(line, advice=odd.advice)
    checks = AT_START if dev else (environment, *AT_START)
    for finding in (*(check(settings) for check in checks), *check_features(settings)):
        if finding.level != "ok":
            line = f"{finding.check}: {finding.message}"
            log.warning(line, advice=finding.advice)
    server = Granian(
        "latchkey.process:create_app",
        address=address,
        port=settings.port,
        interface=Interfaces.ASGI,
        # One process with one event loop. Several processes are several instances (docs/operations.md).
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
    interrupt: Callable[..., None] = server.signal_handler_interrupt
    gave_up = False

    def stop(*_: object) -> None:
        _announce_stop()
        interrupt()

    def give_up(*_: object) -> None:
        nonlocal gave_up
        gave_up = True
        stop()

    def take_signals() -> None:
        # Granian has installed its handlers by now. It answers SIGHUP with a new worker.
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        # Inherited by a worker, which may be told to stop before it has started.
        signal.signal(STOPS_SOON, signal.SIG_IGN)
        if reload:
            signal.signal(signal.SIGHUP, stop)
        else:
            signal.signal(signal.SIGUSR1, give_up)

    if reload:
        server.on_reload(_announce_stop)
        server.on_reload(lambda: log.info("the code has changed, restarting"))
    if sys.platform != "win32":
        server.on_startup(take_signals)
    server.serve(target_loader=partial(load_app, settings, address, gives_up=not reload, dev=dev), wrap_loader=False)
    if gave_up:
        raise SystemExit(1)
