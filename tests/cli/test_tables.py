"""Tables of commands: they fit a terminal, and are whole in a pipe."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from latchkey.terminal.output import fitting

PRINTS = "from latchkey.terminal.output import print_table; print_table(['id', 'name'], [[1, 'x' * 100]])"


@pytest.mark.parametrize(
    ("widths", "room", "fitted"),
    [
        ([2, 10], 80, [2, 10]),
        ([2, 100, 20], 60, [2, 38, 20]),
        ([2, 100, 100], 60, [2, 29, 29]),
        ([30, 30, 30], 10, [8, 8, 8]),
    ],
)
def test_the_widest_columns_give_way(widths: list[int], room: int, fitted: list[int]) -> None:
    assert fitting(widths, room) == fitted


def test_a_terminal_and_a_pipe(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PRINTS]
    piped = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "x" * 100 in piped.stdout
    near, far = pty.openpty()
    subprocess.run(command, stdout=far, check=True, cwd=tmp_path, env=os.environ | {"COLUMNS": "40", "TERM": "xterm"})
    shown = os.read(near, 10_000).decode()
    os.close(near)
    os.close(far)
    assert all(len(line) <= 40 for line in shown.splitlines())
    assert "x…" in shown
