"""The processes behind a server under test."""

import psutil

from tests.kit.server import Server


def worker_of(server: Server) -> psutil.Process:
    """The process that answers; the one that the test has started only watches over it."""
    (worker,) = psutil.Process(server.process.pid).children()
    return worker
