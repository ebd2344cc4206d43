"""Runs our Dockerfile as a container engine would, with the kernel alone. Needs root and Linux.

This machine's system replaces the base image, under a layer that takes all writes. So this cannot show whether the real
base image has every program that the commands use.
"""

import os
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from tests.kit.dockerfile import Stage, read_dockerfile
from tests.kit.ordinary_user import find_python

ROOT = Path(__file__).parents[2]
# Own mounts and processes: the first process inside is number 1, and all others end with it.
ISOLATED = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "sh", "-euc"]
PYTHON_PREFIX = Path("/usr/local")
TEMPORARY = "/tmp"  # noqa: S108 the image's own


class Image:
    """The Dockerfile's image, built in the empty `directory`."""

    def __init__(self, directory: Path) -> None:
        *self._before, self.stage = read_dockerfile(ROOT / "Dockerfile")
        self._mounts = directory / "mounts"
        self._root = self._mounts / "root"
        self._content = directory / "content"
        self._kept: list[str] = []
        self._python = find_python("import ensurepip, venv")
        self._mounts.mkdir()
        self._content.mkdir()
        script = "\n".join([*self._system(), *self._build()])
        done = subprocess.run([*ISOLATED, script], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"

    def start(self, command: Sequence[str], variables: dict[str, str], output: IO[bytes]) -> "subprocess.Popen[bytes]":
        """Starts `command` in a container: as the image's user, without capabilities, on a read-only system.

        The only child of the returned process is the container's first. It ends with that child, with its exit code.
        """
        lines = self._system()
        lines += [f"mkdir -p {self._root}{words}" for word, words in self.stage.steps if word == "WORKDIR"]
        for place in self._kept:
            lines += [f"mkdir -p {self._root}{place}", f"mount --bind {self._content}{place} {self._root}{place}"]
        lines += [f"mount -o remount,ro,bind {self._root}{place}" for place in ("", TEMPORARY, *self._kept)]
        inner = f"cd {self.stage.directory} && exec {shlex.join(command)}"
        lines.append(f"exec {self._inside(self.stage, inner, variables, self.stage.user)}")
        return subprocess.Popen(
            [*ISOLATED, "\n".join(lines)], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )

    def _system(self) -> list[str]:
        """Returns shell lines that make a root of this system, without the checkout and temporary files."""
        layers = f"lowerdir=/,upperdir={self._mounts}/changes,workdir={self._mounts}/work"
        hidden = [TEMPORARY, str(ROOT), *([] if self._has_base_python() else [str(PYTHON_PREFIX)])]
        return [
            f"mount -t tmpfs tmpfs {self._mounts}",
            f"mkdir {self._mounts}/changes {self._mounts}/work {self._root}",
            f"mount -t overlay -o {layers} overlay {self._root}",
            *[f"mkdir -p {self._root}{place} && mount -t tmpfs tmpfs {self._root}{place}" for place in hidden],
            f"mount --rbind /dev {self._root}/dev",
            f"mount -t proc proc {self._root}/proc",
        ]

    def _build(self) -> list[str]:
        """Returns shell lines that run all stages but the last, and keep what the last one copies from them."""
        lines = []
        if not self._has_base_python():
            # Where the base image has Python.
            lines += [f"chroot {self._root} {self._python} -m venv {PYTHON_PREFIX}", self._keep(str(PYTHON_PREFIX))]
        for stage in self._before:
            for word, words in stage.steps:
                lines.append(self._step(stage, word, words))
        for word, words in self.stage.steps:
            if word == "COPY":
                origin, source, target = words.split()
                assert origin.startswith("--from="), "the last stage takes nothing from the checkout"
                assert source == target
                lines.append(self._keep(source))
        return lines

    def _step(self, stage: Stage, word: str, words: str) -> str:
        workdir = f"{self._root}{stage.directory}"
        if word == "WORKDIR":
            return f"mkdir -p {workdir}"
        if word == "COPY":
            *sources, target = words.split()
            return f"cp -r {shlex.join(str(ROOT / source) for source in sources)} {workdir}/{target}"
        # In the directory of WORKDIR, if it exists by then.
        return self._inside(stage, f"cd {stage.directory} 2>/dev/null || cd /\n{words}", _registry(), "0:0")

    def _keep(self, place: str) -> str:
        self._kept.append(place)
        return f"mkdir -p {self._content}{place} && cp -a {self._root}{place}/. {self._content}{place}"

    def _inside(self, stage: Stage, script: str, variables: dict[str, str], user: str) -> str:
        """Returns the shell line that runs a script in the image, with the variables of an engine and of the image."""
        given = {"PATH": f"{PYTHON_PREFIX}/bin:/usr/bin:/bin", "HOME": "/"} | stage.environment | variables
        environment = shlex.join(f"{name}={value}" for name, value in given.items())
        return f"chroot --userspec={user} --groups= {self._root} env -i {environment} sh -euc {shlex.quote(script)}"

    def _has_base_python(self) -> bool:
        return self._python.is_relative_to(PYTHON_PREFIX)


def _registry() -> dict[str, str]:
    """Returns the settings by which this machine reaches its package index."""
    told = ("PIP_", "UV_", "SSL_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
    return {name: value for name, value in os.environ.items() if name.upper().startswith(told)}
