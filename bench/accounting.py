"""What the operating system says of processes: CPU time of all their threads, and memory (Linux)."""

import time
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Processes:
    """A server: its supervisor and the processes below it. `worker` serves; of a peer only who listens is known, and
    stands for both."""

    supervisor: int
    worker: int

    def cpu_seconds(self) -> tuple[float, float | None]:
        """User and system time since their start: of the worker, and of the supervisor (None if it is the same)."""
        return _cpu(self.worker), _cpu(self.supervisor) if self.supervisor != self.worker else None

    def pss_mib(self) -> dict[str, float]:
        """Proportional set size: shared pages are counted in parts."""
        found = {"worker": _pss(self.worker)}
        if self.supervisor != self.worker:
            found["supervisor"] = _pss(self.supervisor)
            others = {child.pid for child in psutil.Process(self.supervisor).children(recursive=True)} - {self.worker}
            if others:
                # multiprocessing's own helper, which watches over shared resources.
                found["helpers"] = sum(_pss(other) for other in others)
        return found


def idle_cpu_millis(processes: Processes, seconds: float) -> float:
    """CPU milliseconds that the worker uses in a second when nobody asks anything."""
    before = processes.cpu_seconds()[0]
    time.sleep(seconds)
    return (processes.cpu_seconds()[0] - before) * 1e3 / seconds


def processes_of(supervisor: int) -> Processes:
    """Of a server that answers: its worker is the child that has most threads, or itself when it has none."""
    children = psutil.Process(supervisor).children(recursive=True)
    worker = max(children, key=lambda child: child.num_threads(), default=None)
    return Processes(supervisor, worker.pid if worker else supervisor)


def listening_on(port: int) -> Processes | None:
    """Who listens on a port of this machine, where that can be seen."""
    try:
        found = {
            connection.pid
            for connection in psutil.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,) and connection.pid
        }
    except psutil.AccessDenied:
        return None
    return Processes(min(found), max(found)) if found else None


def _cpu(pid: int) -> float:
    # The clock that clock_getcpuclockid(3) gives for another process: what /proc/PID/stat has as utime and stime,
    # threads that have ended included, but to the nanosecond instead of in ticks of 10 ms.
    return time.clock_gettime((~pid << 3) | 2)


def _pss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0
