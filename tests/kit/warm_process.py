"""The process behind warm_start.py: it imports Latchkey once and forks a process for each command.

A fork runs `python -m latchkey ARGUMENTS` exactly, without the half second of imports. It must have no thread.
"""

import gc
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
import time
from contextlib import suppress
from importlib import import_module
from typing import Any

LONGEST_MESSAGE = 2**20
# Importing the first would run the command line, the second a migration.
NOT_IMPORTED = ("latchkey.__main__", "latchkey.database.migrations")


def main() -> None:
    """Answers requests until the tests close the socket, then ends the processes that still run."""
    control = socket.socket(fileno=int(sys.argv[1]))
    _import_everything()
    # Otherwise each fork would copy all objects that the collector visits.
    gc.collect()
    gc.freeze()
    children: set[int] = set()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, LONGEST_MESSAGE, 3)
        if not message:
            break
        request = json.loads(message)
        if "reap" in request:
            _, status = os.waitpid(request["reap"], 0)
            children.discard(request["reap"])
            control.send(str(os.waitstatus_to_exitcode(status)).encode())
            continue
        child = os.fork()
        if child == 0:
            _become(request, descriptors, control)
            if "script" in request:
                runpy.run_path(request["script"], run_name="__main__")
            else:
                runpy.run_module("latchkey", run_name="__main__", alter_sys=True)
            return
        children.add(child)
        for descriptor in descriptors:
            os.close(descriptor)
    for child in children:
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)


def _import_everything() -> None:
    import latchkey

    for module in pkgutil.walk_packages(latchkey.__path__, "latchkey.", onerror=lambda _: None):
        if not module.name.startswith(NOT_IMPORTED):
            # A module that fails to import here fails in the command that needs it.
            with suppress(Exception):
                import_module(module.name)
    # As each server does at its start; loaded here once for all.
    with suppress(Exception):
        import_module("latchkey.sessions.devices").load_rules()


def _become(request: dict[str, Any], descriptors: list[int], control: socket.socket) -> None:
    """Turns this fork into what a new process would be, and sends its process id to the tests."""
    os.setsid()
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    sys.path.insert(0, request["directory"])
    sys.argv = ["latchkey", *request["arguments"]]
    control.send(str(os.getpid()).encode())
    control.close()


if __name__ == "__main__":
    main()
