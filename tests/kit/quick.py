"""`make quick`: runs the tests of what has changed and the whole flows, for about 45 seconds."""

import subprocess
import sys
import time
from pathlib import Path, PurePosixPath

from tests.kit.selection import TESTS, select

SECONDS = 45
LAST_START_SECONDS = 32
"""No test begins later, so that the last test and the servers end within SECONDS."""
BASES = ("main@{upstream}", "origin/main", "main")
"""The base of the comparison: the first of these that exists."""


def main(given: list[str]) -> int:
    """Runs the tests of these paths, or else of what differs from the main branch. Returns pytest's exit code."""
    began = time.time()
    missing = [path for path in given if not Path(path).exists()]
    if missing:
        sys.stderr.write(f"No such file or folder: {', '.join(missing)}\n")
        return 2
    changed = [PurePosixPath(path) for path in given] or changed_files()
    tests = {PurePosixPath(file): file.read_text(encoding="utf-8") for file in sorted(Path(TESTS).rglob("test_*.py"))}
    chosen = select(changed, tests)
    sys.stdout.write(f"{len(changed)} paths changed: {len(chosen)} of {len(tests)} test files\n")
    sys.stdout.flush()
    options = [
        "-q",
        "-n",
        "2",
        "--dist",
        "load",
        "-p",
        "tests.kit.budget",
        f"--last-start={began + LAST_START_SECONDS}",
    ]
    return subprocess.run([sys.executable, "-m", "pytest", *options, *map(str, chosen)], check=False).returncode


def changed_files() -> list[PurePosixPath]:
    """Returns the files that are not committed, and those of commits that the main branch does not have."""
    base = next((base for base in BASES if git("rev-parse", "--verify", "--quiet", base)), "HEAD")
    since = (git("merge-base", "HEAD", base) or ["HEAD"])[0]
    # A renamed file counts under both names.
    differing = git("diff", "--name-only", "--no-renames", since)
    return [PurePosixPath(path) for path in [*differing, *git("ls-files", "--others", "--exclude-standard")]]


def git(*arguments: str) -> list[str]:
    """Returns the lines that git prints; none if it fails, as outside of a checkout."""
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)  # noqa: S607 as installed
    return done.stdout.splitlines() if done.returncode == 0 else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
