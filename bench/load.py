"""Closed loop: each connection sends its next request when it has the answer to the last one.

wrk where it is installed and a request needs nothing of the answer before it; else a generator of our own. It lets
requests under way finish, and counts them, so that slow operations are counted right.
"""

import asyncio
import gc
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from bench.operations import Operation, Script
from bench.servers import Target
from bench.wire import Connection

LUA = """
local requests, position = {}, 0
function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  while true do
    local length = file:read("*n")
    if not length then break end
    file:read(1)
    requests[#requests + 1] = file:read(length)
  end
end
function request()
  position = position % #requests + 1
  return requests[position]
end
"""
# A function of its own for each answer is costly, so wrk counts statuses itself wherever that is enough.
LUA_STATUS = """
local thread_of_all
function setup(thread) thread_of_all = thread end
wrong = 0
function response(status) if status ~= %d then wrong = wrong + 1 end end
function done(summary)
  local e = summary.errors
  print(string.format("RESULT %%d %%d %%d", summary.requests, summary.duration,
    thread_of_all:get("wrong") + e.connect + e.read + e.write + e.timeout))
end
"""
LUA_SUMMARY = """
function done(summary)
  local e = summary.errors
  print(string.format("RESULT %d %d %d", summary.requests, summary.duration,
    e.status + e.connect + e.read + e.write + e.timeout))
end
"""


@dataclass
class Load:
    """What a run of one operation against one server did. CPU is that of the server, in seconds."""

    generator: str
    answers: int
    seconds: float
    bad: Counter[str] = field(default_factory=Counter)
    worker_cpu: float | None = None
    supervisor_cpu: float | None = None

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds

    @property
    def worker_micros(self) -> float | None:
        """CPU microseconds of the worker for one answer."""
        return None if self.worker_cpu is None or not self.answers else self.worker_cpu * 1e6 / self.answers

    @property
    def supervisor_micros(self) -> float | None:
        """The same of the supervisor."""
        return None if self.supervisor_cpu is None or not self.answers else self.supervisor_cpu * 1e6 / self.answers


def closed_loop(operation: Operation, target: Target, script: Script, connections: int, seconds: float) -> Load:
    """Runs it for so many seconds, and asks the operating system what it cost the server."""
    before = target.processes.cpu_seconds() if target.processes else None
    if operation.brief and shutil.which("wrk"):
        load = _with_wrk(operation, target, script, connections, seconds)
    else:
        with uvloop_runner() as runner:
            load = runner.run(_closed(operation, target, script, connections, seconds))
    if before and target.processes:
        after = target.processes.cpu_seconds()
        load.worker_cpu = after[0] - before[0]
        if before[1] is not None and after[1] is not None:
            load.supervisor_cpu = after[1] - before[1]
    return load


def uvloop_runner() -> "asyncio.Runner":
    """The faster event loop, whose timers are good to a millisecond."""
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


def _with_wrk(operation: Operation, target: Target, script: Script, connections: int, seconds: float) -> Load:
    with tempfile.TemporaryDirectory(prefix="latchkey-bench-") as directory:
        requests, lua = Path(directory, "requests"), Path(directory, "script.lua")
        requests.write_bytes(b"".join(b"%d\n%s\n" % (len(request), request) for request in script.requests))
        plain = operation.expected < 400
        lua.write_text(LUA + (LUA_SUMMARY if plain else LUA_STATUS % operation.expected), encoding="utf-8")
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s"]
        ran = subprocess.run(
            [*command, "-s", str(lua), target.url, "--", str(requests)], capture_output=True, text=True, check=False
        )
    for line in ran.stdout.splitlines():
        if line.startswith("RESULT "):
            answers, micros, bad = (int(float(number)) for number in line.split()[1:])
            return Load("wrk", answers, micros / 1e6, Counter({"not as expected": bad} if bad else {}))
    raise SystemExit(f"wrk failed:\n{ran.stdout}{ran.stderr}")


async def _closed(operation: Operation, target: Target, script: Script, connections: int, seconds: float) -> Load:
    load = Load("own", 0, seconds)
    started = time.perf_counter()

    async def virtual_user(slot: int) -> None:
        connection = Connection(target.url)
        while time.perf_counter() < started + seconds:
            try:
                answer = await connection.ask(script.request(slot))
            except OSError as error:
                load.bad[type(error).__name__] += 1
                continue
            load.answers += 1
            if answer.status != operation.expected:
                load.bad[str(answer.status)] += 1
            script.learn(slot, answer)
        connection.close()

    gc.disable()
    await asyncio.gather(*(virtual_user(slot) for slot in range(connections)))
    gc.enable()
    load.seconds = time.perf_counter() - started
    return load
