"""What a release says about itself: its name, its version, and the versions of others that it takes."""

import re
import tomllib
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import latchkey

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DEPENDENCIES = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["embedded"]]


def test_the_version_is_the_same_everywhere() -> None:
    assert latchkey.__version__ == PROJECT["version"] == metadata.version("latchkey-server")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(latchkey.__version__)}\b", changelog, re.MULTILINE)


def test_the_command_is_the_program() -> None:
    (command,) = metadata.distribution("latchkey-server").entry_points
    assert (command.group, command.name, command.value) == ("console_scripts", "latchkey", "latchkey.__main__:main")


@pytest.mark.parametrize("dependency", DEPENDENCIES)
def test_a_dependency_is_bounded_from_a_tested_version_to_the_next_that_may_break(dependency: str) -> None:
    bounds = {bound.operator: Version(bound.version) for bound in Requirement(dependency).specifier}
    assert set(bounds) == {">=", "<"}
    lowest = bounds[">="]
    breaking = (lowest.major + 1,) if lowest.major else (0, lowest.minor + 1)
    assert bounds["<"].release == breaking
    assert all(lowest <= version < bounds["<"] for version in locked(Requirement(dependency).name))


def test_no_file_names_the_distribution_of_somebody_else() -> None:
    """`pip install latchkey` would install another program."""
    pages = [*ROOT.glob("*.md"), *chain.from_iterable((ROOT / place).rglob("*.md") for place in ("docs", "clients"))]
    files = [*pages, *(ROOT / "src").rglob("*.py")]
    wrong = re.compile(r"pip install (?:-\S+ )*['\"]?latchkey(?![\w-])|latchkey\[")
    named = {file: wrong.search(file.read_text(encoding="utf-8")) for file in files}
    assert not [f"{file.relative_to(ROOT)}: {found[0]}" for file, found in named.items() if found]


def locked(name: str) -> list[Version]:
    """The versions of a package in the lock: one, or one for each Python."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    found = re.findall(rf"^{re.escape(name)}(?:\[[a-z,]+\])?==([^ ]+)", lock, re.MULTILINE)
    assert found, f"{name} is not in requirements.lock"
    return [Version(version) for version in found]
