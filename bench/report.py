"""What was measured, as a table, as JSON and as a chart."""

import json
import platform
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import asdict, dataclass, field
from html import escape
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from bench.load import Load
from bench.openloop import Latency
from bench.operations import Operation
from latchkey import __version__

OURS, FLOOR = "latchkey", "floor"
RESULTS = Path(__file__).parent / "results"


@dataclass
class Row:
    """One operation on one server: its rounds, and latency at a fixed rate."""

    rounds: list[Load] = field(default_factory=list)
    latency: Latency | None = None

    @property
    def per_second(self) -> float:
        """Answers a second, the median of the rounds."""
        return median(load.per_second for load in self.rounds)

    @property
    def worker_micros(self) -> float | None:
        """CPU microseconds of the worker for each answer, the median of the rounds."""
        found = [load.worker_micros for load in self.rounds if load.worker_micros is not None]
        return median(found) if found else None

    @property
    def supervisor_micros(self) -> float | None:
        """The same of the supervisor."""
        found = [load.supervisor_micros for load in self.rounds if load.supervisor_micros is not None]
        return median(found) if found else None

    @property
    def bad(self) -> Counter[str]:
        """Wrong answers and lost connections, by kind."""
        counted = sum((load.bad for load in self.rounds), Counter[str]())
        return counted + self.latency.bad if self.latency else counted

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "per_second": round(self.per_second, 1),
            "worker_micros": _rounded(self.worker_micros),
            "supervisor_micros": _rounded(self.supervisor_micros),
            "latency": {key: _rounded(value, 3) for key, value in asdict(self.latency).items() if key != "bad"}
            if self.latency
            else None,
            "bad": dict(self.bad),
            "generator": self.rounds[0].generator,
            "rounds": [
                {
                    "answers": load.answers,
                    "seconds": round(load.seconds, 3),
                    "per_second": round(load.per_second, 1),
                    "worker_micros": _rounded(load.worker_micros),
                }
                for load in self.rounds
            ],
        }


@dataclass
class Measured:
    """One operation: a row for each server, and what the ceiling is, in operations a second."""

    operation: Operation
    rows: dict[str, Row]
    ceiling: float | None = None

    def over_floor(self, name: str) -> float | None:
        """How many times the floor's CPU a server needs."""
        own = self.rows[name].worker_micros
        floor = self.rows[FLOOR].worker_micros if FLOOR in self.rows else None
        return own / floor if own and floor else None

    def of_ceiling(self, name: str) -> float | None:
        """Which share of the ceiling's throughput a server has."""
        return self.rows[name].per_second / self.ceiling if self.ceiling else None


@dataclass
class DataSet:
    """All that was measured with one number of users."""

    users: int
    load_seconds: float
    servers: dict[str, dict[str, Any]] = field(default_factory=dict)
    measured: list[Measured] = field(default_factory=list)


def table(data_set: DataSet) -> str:
    """For a terminal and for Markdown alike."""
    lines = [
        f"{data_set.users:,} users, loaded in {data_set.load_seconds:.1f} s".replace(",", " "),
        "",
        _row(
            "operation",
            "server",
            "req/s",
            "CPU µs",
            "supervisor",
            "x floor",
            "of ceiling",
            "at req/s",
            "p50 ms",
            "p99 ms",
            "bad",
        ),
        _row("-" * 31, "-" * 9, *("-" * 9 + ":" for _ in range(9))),
    ]
    for measured in data_set.measured:
        for name, row in measured.rows.items():
            share = measured.of_ceiling(name)
            latency = row.latency
            lines.append(
                _row(
                    measured.operation.title,
                    name,
                    f"{row.per_second:.0f}" if row.per_second >= 100 else f"{row.per_second:.1f}",
                    _number(row.worker_micros, 0),
                    _number(row.supervisor_micros, 1),
                    _number(measured.over_floor(name), 2),
                    "" if share is None else f"{share * 100:.0f} %",
                    _number(latency.rate if latency else None, 0),
                    _number(latency.p50_ms if latency else None, 2),
                    _p99(latency) if latency else "",
                    str(row.bad.total()),
                )
            )
    lines += [
        "",
        _row("server", "", "start s", "idle ms/s", "PSS MiB", "after"),
        _row("-" * 31, "-" * 9, *("-" * 9 + ":" for _ in range(4))),
    ]
    for name, server in data_set.servers.items():
        idle, after = (
            "+".join(f"{mib:.0f}" for mib in server[moment].values()) for moment in ("idle_mib", "after_mib")
        )
        started, idle_cpu = _number(server["start_seconds"], 2), _number(server["idle_cpu_millis_per_second"], 1)
        lines.append(_row(name, "", started, idle_cpu, idle, after))
    lags = [row.latency.lag_ms for measured in data_set.measured for row in measured.rows.values() if row.latency]
    lines += ["", f"The load generator itself was late, 99th of a hundred, by {min(lags):.2f} to {max(lags):.2f} ms."]
    return "\n".join(lines)


def sizes_table(small: DataSet, large: DataSet) -> str:
    """What a larger data set costs: CPU of the worker and throughput, large ÷ small. The floor's line tells what of
    that is the database's."""
    lines = [
        f"{large.users:,} users ÷ {small.users:,} users".replace(",", " "),
        "",
        _row("operation", "server", "CPU", "req/s"),
        _row("-" * 31, "-" * 9, "-" * 9 + ":", "-" * 9 + ":"),
    ]
    for one, other in zip(small.measured, large.measured, strict=True):
        for name in (OURS, FLOOR):
            before, after = one.rows[name], other.rows[name]
            cpu = after.worker_micros / before.worker_micros if after.worker_micros and before.worker_micros else None
            rates = after.per_second / before.per_second
            lines.append(_row(one.operation.title, name, _number(cpu, 2), _number(rates, 3)))
    return "\n".join(lines)


def _row(operation: str, server: str, *figures: str) -> str:
    return f"| {operation:<31} | {server:<9} | " + " | ".join(f"{figure:>10}" for figure in figures) + " |"


def _p99(latency: Latency) -> str:
    # Of fewer than a hundred there is no 99th.
    return ("" if latency.answers >= 100 else "max ") + _number(latency.p99_ms, 2)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _rounded(value: Any, digits: int = 1) -> Any:
    return round(value, digits) if isinstance(value, float) else value


def machine() -> dict[str, Any]:
    """Kind of machine and versions: what figures depend on."""
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    models = re.findall(r"model name\s*: (.*)", cpuinfo)
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(encoding="utf-8"))
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": len(models),
        "memory_gib": round(int(memory[1]) / 2**20, 1) if memory else None,
        "virtual": "hypervisor" in cpuinfo,
        "kernel": platform.release(),
    }


def versions(postgresql: str) -> dict[str, str]:
    """Of all that took part."""
    found = {name: version(name) for name in ("granian", "uvloop", "starlette", "asyncpg", "bcrypt")}
    found |= {"latchkey": __version__, "python": platform.python_version(), "postgresql": postgresql}
    for program, option in (("wrk", "-v"), ("pgbench", "--version")):
        if path := shutil.which(program):
            ran = subprocess.run([path, option], capture_output=True, text=True, check=False)
            found[program] = (ran.stdout + ran.stderr).splitlines()[0].split(" Copyright")[0]
    return found


def commit() -> str:
    """The commit that was measured, with `+` when files differ from it."""
    git = ["git", "-C", str(RESULTS.parent)]
    described = subprocess.run([*git, "describe", "--always", "--dirty=+"], capture_output=True, text=True, check=False)
    return described.stdout.strip() or "unknown"


def write(name: str, head: dict[str, Any], data_sets: list[DataSet]) -> list[Path]:
    """Writes bench/results/NAME.json and .svg."""
    RESULTS.mkdir(exist_ok=True)
    content = head | {
        "data_sets": [
            {
                "users": data_set.users,
                "load_seconds": round(data_set.load_seconds, 2),
                "servers": data_set.servers,
                "operations": {
                    measured.operation.name: {
                        "ceiling_per_second": _rounded(measured.ceiling),
                        "servers": {name: row.as_json() for name, row in measured.rows.items()},
                    }
                    for measured in data_set.measured
                },
            }
            for data_set in data_sets
        ]
    }
    paths = [RESULTS / f"{name}.json", RESULTS / f"{name}.svg"]
    paths[0].write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    paths[1].write_text(chart(head, data_sets), encoding="utf-8")
    return paths


BAR, LEFT, WIDTH = 14, 250, 900
COLOURS = {OURS: "#2563eb", FLOOR: "#94a3b8"}


def chart(head: dict[str, Any], data_sets: list[DataSet]) -> str:
    """CPU for each request; the bars of one operation are to one scale, each operation has its own."""
    y = 60
    parts: list[str] = []
    for data_set in data_sets:
        parts.append(f'<text x="16" y="{y}" class="h">{data_set.users:,} users</text>'.replace(",", " "))
        y += 14
        for measured in data_set.measured:
            rows = [(name, row.worker_micros) for name, row in measured.rows.items() if row.worker_micros]
            longest = max((micros for _, micros in rows), default=1.0)
            parts.append(f'<text x="16" y="{y + BAR - 3}">{escape(measured.operation.title)}</text>')
            for name, micros in rows:
                width = micros / longest * (WIDTH - LEFT - 190)
                over = measured.over_floor(name)
                label = f"{name} {micros:.0f} µs" + (f", {over:.2f} x floor" if over and name != FLOOR else "")
                colour = COLOURS.get(name, "#d97706")
                parts.append(
                    f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 2}" fill="{colour}"/>'
                    f'<text x="{LEFT + width + 6:.1f}" y="{y + BAR - 3}">{escape(label)}</text>'
                )
                y += BAR
            y += 8
        y += 22
    caption = f"{head['date']}, commit {head['commit']}, {head['machine']['cores']} cores, {head['machine']['cpu']}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}">\n'
        "<style>text{font:12px sans-serif;fill:#111827}.h{font-weight:bold;font-size:14px}</style>\n"
        f'<rect width="{WIDTH}" height="{y}" fill="#ffffff"/>\n'
        '<text x="16" y="22" class="h">CPU of the server process for each request (less is better)</text>\n'
        f'<text x="16" y="38">{escape(caption)}; each operation has its own scale</text>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )
