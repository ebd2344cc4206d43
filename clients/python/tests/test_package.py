"""What would be published: the wheel holds the package, says what it needs, and works alone."""

import ast
import re
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from importlib import metadata
from pathlib import Path

import latchkey_client
import pytest

PROJECT = Path(__file__).parents[1]
SOURCE = PROJECT / "src"


def build(project: Path, to: Path) -> tuple[Path, Path]:
    """Builds wheel and source archive."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(to)]
    subprocess.run(command, cwd=project, check=True, capture_output=True, timeout=120)
    (wheel,), (archive,) = to.glob("*.whl"), to.glob("*.tar.gz")
    return wheel, archive


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return build(PROJECT, tmp_path_factory.mktemp("dist"))


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[0]) as wheel:
        held = {Path(name) for name in wheel.namelist()}
    package = {path.relative_to(SOURCE) for path in SOURCE.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert Path("latchkey_client/py.typed") in package
    info = f"latchkey_client-{latchkey_client.__version__}.dist-info"
    assert held == package | {Path(info, name) for name in ("METADATA", "WHEEL", "RECORD", "licenses/LICENSE")}


def test_it_needs_joserfc_alone(built: tuple[Path, Path]) -> None:
    said = metadata_of(built[0])
    assert said["Name"] == "latchkey-client"
    assert said.get_all("Requires-Dist") == ["joserfc<2,>=1.8.0"]
    assert said["License-Expression"] == "MIT"
    assert said["Requires-Python"] == ">=3.11"
    assert said["Description-Content-Type"] == "text/markdown"


def test_the_version_is_the_same_everywhere() -> None:
    assert metadata.version("latchkey-client") == latchkey_client.__version__
    changelog = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(latchkey_client.__version__)}\b", changelog, re.MULTILINE)


def test_the_licence_is_that_of_the_repository() -> None:
    assert (PROJECT / "LICENSE").read_bytes() == (PROJECT.parents[1] / "LICENSE").read_bytes()


def test_the_source_archive_gives_the_same_wheel(built: tuple[Path, Path], tmp_path: Path) -> None:
    with tarfile.open(built[1]) as archive:
        archive.extractall(tmp_path, filter="data")
    (project,) = tmp_path.iterdir()
    assert (project / "README.md").exists()
    assert build(project, tmp_path / "again")[0].read_bytes() == built[0].read_bytes()


def test_the_core_loads_nothing_but_joserfc_and_what_that_needs() -> None:
    program = """
import sys, sysconfig
before = set(sys.modules)
import latchkey_client
latchkey_client.Latchkey("https://accounts.example.com", api_key="lk_a")
files = [getattr(sys.modules[name], "__file__", None) or "" for name in set(sys.modules) - before]
installed = sysconfig.get_path("purelib")
print(sorted({file[len(installed) + 1:].split("/")[0].split(".")[0] for file in files if file.startswith(installed)}))
"""
    command = [sys.executable, "-W", "error", "-c", program]
    run = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert set(ast.literal_eval(run.stdout)) - {"_cffi_backend", "cffi"} == {"cryptography", "joserfc"}


def test_an_adapter_says_which_framework_is_missing() -> None:
    program = """
import sys
sys.modules["flask"] = None
import latchkey_client
try:
    latchkey_client.Latchkey("https://accounts.example.com").flask()
except ImportError as error:
    print(error.name)
"""
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert run.stdout == "flask\n"


def metadata_of(wheel: Path) -> Message:
    """What the wheel says of itself."""
    with zipfile.ZipFile(wheel) as opened:
        (name,) = [name for name in opened.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(opened.read(name).decode())
