"""What is built for a release: the wheel holds the program and nothing else, and the sources alone decide its bytes."""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
# Read while building; a copy without them would not be the project.
NOT_COPIED = shutil.ignore_patterns(
    *(".git", ".venv", "node_modules", "dist", "__pycache__", ".*_cache", ".hypothesis", ".coverage*")
)


def build(project: Path, to: Path) -> tuple[Path, Path]:
    """Builds wheel and source archive of `project` into the directory `to`."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(to)]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    (wheel,) = to.glob("*.whl")
    (sources,) = to.glob("*.tar.gz")
    return wheel, sources


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Wheel and source archive of this tree."""
    return build(ROOT, tmp_path_factory.mktemp("dist"))


def test_the_wheel_holds_every_file_of_the_program(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[0]) as wheel:
        held = {Path(name) for name in wheel.namelist()}
    program = {
        path.relative_to(SOURCE)
        for path in (SOURCE / "latchkey").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert program <= held
    assert {path.parts[0] for path in held - program} == {f"{built[0].name.split('-py3')[0]}.dist-info"}


def test_the_wheel_says_every_licence(built: tuple[Path, Path]) -> None:
    metadata = metadata_of(built[0])
    said = {Path(file) for file in metadata.get_all("License-File", [])}
    foreign = [path for path in SOURCE.rglob("*") if "LICENSE" in path.name or path.name == "NOTICE"]
    assert foreign
    assert said == {Path("LICENSE"), *(path.relative_to(ROOT) for path in foreign)}
    assert metadata["Name"] == "latchkey-server"
    assert metadata["License-Expression"] == "MIT"
    assert set(metadata.get_all("Provides-Extra", [])) == {"embedded", "dev"}


def test_the_source_archive_holds_the_whole_project(built: tuple[Path, Path], tmp_path: Path) -> None:
    """It gives the same wheel, byte for byte."""
    with tarfile.open(built[1]) as archive:
        archive.extractall(tmp_path, filter="data")
    (project,) = tmp_path.iterdir()
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607
    # An unpacked archive has no git: then the archive made of it is the proof.
    assert not [name for name in tracked.stdout.split("\0") if name and not (project / name).exists()]
    assert (project / "tests").is_dir()
    assert digest(build(project, tmp_path / "again")[0]) == digest(built[0])


def test_the_time_and_umask_of_a_checkout_change_nothing(built: tuple[Path, Path], tmp_path: Path) -> None:
    project = tmp_path / "copy"
    shutil.copytree(ROOT, project, ignore=NOT_COPIED)
    for path in project.rglob("*"):
        os.utime(path, (2_000_000_000, 2_000_000_000))
        path.chmod(path.stat().st_mode & 0o700)
    again = build(project, tmp_path / "again")
    assert [digest(path) for path in again] == [digest(path) for path in built]


def metadata_of(wheel: Path) -> Message:
    """What the wheel says of itself."""
    with zipfile.ZipFile(wheel) as opened:
        (name,) = [name for name in opened.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(opened.read(name).decode())


def digest(file: Path) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
