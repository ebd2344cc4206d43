"""A copy of the package that a test may change."""

import shutil
from pathlib import Path

import latchkey


def copy_source(to: Path) -> Path:
    """Copies the package into `to` and returns the copy. Put `to` first in PYTHONPATH."""
    copy = to / "latchkey"
    # With what is compiled, which stays valid for all files but those that the test changes.
    shutil.copytree(Path(latchkey.__file__).parent, copy)
    return copy


def break_start(copy: Path) -> None:
    """Makes the application fail when it starts."""
    file = copy / "process.py"
    marker = "    async def _lifespan(self"
    before, found, after = file.read_text(encoding="utf-8").partition(marker)
    head, _, body = after.partition("\n")
    assert found
    file.write_text(f"{before}{marker}{head}\n        raise RuntimeError('broken by a test')\n{body}", encoding="utf-8")
