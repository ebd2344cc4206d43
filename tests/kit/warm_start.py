"""Starts `latchkey` commands in a tenth of the time: a process that has imported everything forks (warm_process.py).

The result is a process like any other. Where forking is impossible or unwanted, a new process starts.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any, Protocol

from tests.kit import warm_process


class Process(Protocol):
    """The part of subprocess.Popen that tests use."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def kill(self) -> None: ...


def start(
    arguments: Sequence[str],
    directory: Path,
    environment: Mapping[str, str],
    *,
    stdin: IO[bytes] | None = None,
    stdout: IO[bytes],
    stderr: IO[bytes] | None = None,
    script: Path | None = None,
) -> Process:
    """Starts `latchkey ARGUMENTS`, or a script with them, as the leader of a new session.

    `stdin` None: empty. `stderr` None: as `stdout`.
    """
    if can_fork(environment):
        with Path(os.devnull).open("rb") as nothing:
            files = (stdin or nothing, stdout, stderr or stdout)
            return _forks().start(arguments, directory, environment, [file.fileno() for file in files], script)
    return subprocess.Popen(
        # Without -P a script would find modules in its own directory.
        [sys.executable, *(("-m", "latchkey") if script is None else ("-P", str(script))), *arguments],
        cwd=directory,
        env=environment,
        stdin=stdin or subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr or subprocess.STDOUT,
        start_new_session=True,
    )


def can_fork(environment: Mapping[str, str]) -> bool:
    """Tells whether a fork equals a new process: on Linux, if nothing affects the interpreter's start (other source,
    coverage)."""
    told = {name for name in environment if name.startswith(("PYTHON", "COV", "LC_"))}
    return sys.platform == "linux" and told <= {"PYTHONUNBUFFERED"}


class _Forked:
    """A process that is not a child of this one, with subprocess.Popen's interface."""

    def __init__(self, forks: "_Forks", pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._forks = forks
        self._ended = os.pidfd_open(pid)

    def poll(self) -> int | None:
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"latchkey, process {self.pid}", timeout or 0)
        return code

    def send_signal(self, sig: int) -> None:
        # The system reuses its number only after it is reaped, which happens below.
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _look(self, seconds: float | None) -> int | None:
        if self.returncode is None:
            poll = select.poll()
            poll.register(self._ended, select.POLLIN)
            if poll.poll(None if seconds is None else seconds * 1000):
                self.returncode = self._forks.reap(self.pid)
                os.close(self._ended)
        return self.returncode


class _Forks:
    """The warm process of this process. It ends with this one."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            # Not from its folder, whose modules must not be importable by their bare names.
            [sys.executable, "-P", warm_process.__file__, str(theirs.fileno())],
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            # Ctrl-C is for the tests, which then end the processes that they started.
            start_new_session=True,
        )
        theirs.close()
        atexit.register(self._end)

    def start(
        self,
        arguments: Sequence[str],
        directory: Path,
        environment: Mapping[str, str],
        descriptors: list[int],
        script: Path | None,
    ) -> Process:
        request = {"arguments": arguments, "directory": str(directory), "environment": environment}
        if script is not None:
            request["script"] = str(script)
        return _Forked(self, self._ask(request, descriptors))

    def reap(self, pid: int) -> int:
        """Returns the exit code of a process that has ended."""
        return self._ask({"reap": pid})

    def _ask(self, request: dict[str, Any], descriptors: Sequence[int] = ()) -> int:
        with self._lock:
            socket.send_fds(self._control, [json.dumps(request).encode()], list(descriptors))
            answer = self._control.recv(64)
        assert answer, "the warm process has ended"
        return int(answer)

    def _end(self) -> None:
        self._control.close()
        self._process.wait()


@cache
def _forks() -> _Forks:
    return _Forks()
