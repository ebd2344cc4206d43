"""Files of accounts to import, and the reports that imports write."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.kit.command_line import Result

Run = Callable[..., Result]
Write = Callable[..., Path]


def entries(report: Path) -> list[dict[str, Any]]:
    """Returns the entries of a report."""
    return [json.loads(line) for line in report.read_text().splitlines()]


def accounts(numbers: Iterable[int], **more: Any) -> list[dict[str, Any]]:
    """Returns rows of an import."""
    return [{"email": f"user{number}@example.com", "name": f"User {number}", **more} for number in numbers]
