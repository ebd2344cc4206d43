"""Who runs what was installed: no service should run as root, and PostgreSQL refuses to."""

import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Any

NOBODY = pwd.getpwnam("nobody")
ACCOUNT: dict[str, Any] = {} if os.geteuid() else {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []}
"""The account to run programs as, in the words of `subprocess`: oneself, or in root's place `nobody`."""


def find_python(program: str) -> Path:
    """A Python of 3.11 or newer that the account may run, which one in root's home is not, and that runs `program`."""
    candidates = [Path(sys.base_prefix) / "bin" / "python3", Path("/usr/local/bin/python3"), Path("/usr/bin/python3")]
    check = f"import sys; assert sys.version_info >= (3, 11); {program}"
    for candidate in candidates:
        try:
            subprocess.run([str(candidate), "-I", "-c", check], cwd="/", check=True, capture_output=True, **ACCOUNT)
        except (OSError, subprocess.CalledProcessError):
            continue
        return candidate
    raise AssertionError(f"{'nobody' if ACCOUNT else 'you'} can run none of {', '.join(map(str, candidates))}")
