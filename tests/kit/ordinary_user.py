"""The user who runs installed programs: no service should run as root, and PostgreSQL refuses to."""

import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Any

NOBODY = pwd.getpwnam("nobody")
ACCOUNT: dict[str, Any] = {} if os.geteuid() else {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []}
"""The account to run programs as, in `subprocess` arguments: the current user, or `nobody` instead of root."""


def find_python(program: str) -> Path:
    """Returns a Python of 3.11 or newer that the account may run and that runs `program`.

    It may not be in root's home.
    """
    candidates = [Path(sys.base_prefix) / "bin" / "python3", Path("/usr/local/bin/python3"), Path("/usr/bin/python3")]
    check = f"import sys; assert sys.version_info >= (3, 11); {program}"
    for candidate in candidates:
        try:
            subprocess.run([str(candidate), "-I", "-c", check], cwd="/", check=True, capture_output=True, **ACCOUNT)
        except (OSError, subprocess.CalledProcessError):
            continue
        return candidate
    raise AssertionError(f"{'nobody' if ACCOUNT else 'you'} can run none of {', '.join(map(str, candidates))}")
