"""What a container engine would do with our Dockerfile, done by the kernel alone. This machine's system stands in for
the base image, under a layer that takes what is written. It needs root and Linux.

What this cannot show is whether the real base image has all that the commands use.
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
# Mounts and processes of its own: the first process inside has the number 1, and all others end with it.
ISOLATED = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "sh", "-euc"]
PYTHON_PREFIX = Path("/usr/local")
TEMPORARY = "/tmp"  # noqa: S108 the image's own


class Image:
    """The Dockerfile's image, built in `directory`, which is empty."""

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
        """Starts `command` in a container: as the image's user, without capabilities, with nothing that it may write.

        The one child of the process returned is the container's first; it ends with it, with its exit code.
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
        """Shell lines that make a root of this system's, without the checkout and temporary files."""
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
        """Shell lines that run the stages before the last, and keep what the last one takes from them."""
        lines = []
        if not self._has_base_python():
            # Where the base image has it.
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
        # In the directory that WORKDIR names, if that has been made by then.
        return self._inside(stage, f"cd {stage.directory} 2>/dev/null || cd /\n{words}", _registry(), "0:0")

    def _keep(self, place: str) -> str:
        self._kept.append(place)
        return f"mkdir -p {self._content}{place} && cp -a {self._root}{place}/. {self._content}{place}"

    def _inside(self, stage: Stage, script: str, variables: dict[str, str], user: str) -> str:
        """The shell line that runs a script of the image's, with the variables that an engine and the image set."""
        given = {"PATH": f"{PYTHON_PREFIX}/bin:/usr/bin:/bin", "HOME": "/"} | stage.environment | variables
        environment = shlex.join(f"{name}={value}" for name, value in given.items())
        return f"chroot --userspec={user} --groups= {self._root} env -i {environment} sh -euc {shlex.quote(script)}"

    def _has_base_python(self) -> bool:
        return self._python.is_relative_to(PYTHON_PREFIX)


def _registry() -> dict[str, str]:
    """How this machine reaches its package index."""
    told = ("PIP_", "UV_", "SSL_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
    return {name: value for name, value in os.environ.items() if name.upper().startswith(told)}
