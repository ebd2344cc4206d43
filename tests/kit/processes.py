"""The processes behind a server under test."""

import psutil

from tests.kit.server import Server


def worker_of(server: Server) -> psutil.Process:
    """Returns the worker process, which answers. The process that the test started only supervises it."""
    (worker,) = psutil.Process(server.process.pid).children()
    return worker
