"""`latchkey serve`: when it starts, when it refuses to, and how it ends."""

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.kit.browser import Browser, refused
from tests.kit.command_line import answers, is_served, latchkey, spawn
from tests.kit.server import ACCESS_SECRET, Server
from tests.kit.source_copy import break_start, copy_source
from tests.kit.waiting import eventually

PRODUCTION = {"ENVIRONMENT": "production", "PUBLIC_URL": "https://accounts.example.com"}
Spawn = Callable[..., Server]


@pytest.fixture
def serve(database: str, tmp_path: Path) -> Iterator[Spawn]:
    """Starts `latchkey serve` in production on the test's database. Kills what still runs at the end."""
    started: list[Server] = []

    def start(*arguments: str, dsn: str = database, **settings: str) -> Server:
        # Coverage, where it measures, has something to say about forked workers.
        settings = PRODUCTION | {"PYTHONWARNINGS": "ignore"} | settings
        started.append(spawn("serve", *arguments, directory=tmp_path, dsn=dsn, **settings))
        return started[-1]

    yield start
    for server in started:
        server.kill()


@pytest.mark.parametrize(
    ("settings", "problems"),
    [
        (
            {"JWT_ACCESS_SECRET": "", "JWT_REFRESH_SECRET": "", "PORT": "70000", "COOKIE_PREFIX": "__Hots-"},
            {
                "DATABASE_URL: is required", "JWT_ACCESS_SECRET: is required", "JWT_REFRESH_SECRET: is required",
                "PORT: Input should be less than or equal to 65535",
                "COOKIE_PREFIX: Input should be '', '__Host-' or '__Secure-'",
            },
        ),
        (
            {"DATABASE_URL": "mysql://u:hunter2@h/x", "JWT_ACCESS_SECRET": "hunter2" * 4, "PUBLIC_URL": "example.com",
             "JWT_REFRESH_SECRET": "your_long_random_string_hunter2_hunter2", "REFRESH_LEEWAY_SECONDS": "61"},
            {
                "DATABASE_URL: must begin with postgresql://", "PUBLIC_URL: must be an absolute http or https URL",
                "JWT_ACCESS_SECRET: needs at least 32 bytes; make one with: openssl rand -hex 32",
                "JWT_REFRESH_SECRET: is a sample value; make one with: openssl rand -hex 32",
                "REFRESH_LEEWAY_SECONDS: Input should be less than or equal to 60",
            },
        ),
        (
            {"DATABASE_URL": "postgresql://h/x", "JWT_REFRESH_SECRET": ACCESS_SECRET, "TRUSTED_PROXIES": "10.0.0.0/33",
             "RATE_LIMIT_STORAGE": "redis+sentinel://h", "RATE_LIMIT": "often"},
            {
                "JWT_ACCESS_SECRET and JWT_REFRESH_SECRET must differ",
                "RATE_LIMIT: must be in the notation of the limits library, such as 100/15 minutes",
                "RATE_LIMIT_STORAGE: needs the name of the service: redis+sentinel://host:26379/name",
                "TRUSTED_PROXIES: Input is not a valid IPv4 network",
                "TRUSTED_PROXIES: Input is not a valid IPv6 network",
            },
        ),
    ],
)  # fmt: skip
def test_refuses_what_is_wrong_all_at_once(tmp_path: Path, settings: dict[str, str], problems: set[str]) -> None:
    """One message with every problem, and none of the values."""
    refusal = latchkey("serve", directory=tmp_path, **PRODUCTION | settings).refusal()
    head, *lines = refusal.splitlines()
    assert head == "latchkey: The settings cannot work:"
    found = {line.removeprefix("  - ") for line in lines}
    assert problems == {next((p for p in problems if line.startswith(p)), line) for line in found}
    assert "hunter2" not in refusal


def test_refuses_a_schema_that_is_not_current(empty_database: str, serve: Spawn, tmp_path: Path) -> None:
    """Before it listens; `--migrate` brings it up to date first."""
    refused = partial(latchkey, "serve", directory=tmp_path, **PRODUCTION)
    refusal = refused(dsn=empty_database)
    assert refusal.code == 1
    assert "the database is without Latchkey's schema" in refusal.err
    assert "run latchkey migrate" in refusal.err
    assert "listening" not in refusal.out
    assert "the database cannot be used" in refused(dsn="postgresql://127.0.0.1:1/x").err

    server = serve("--migrate", dsn=empty_database)
    eventually(lambda: answers(server), "it serves")


def test_serves_and_ends(serve: Spawn) -> None:
    """Logs JSON lines only: first the warnings about settings, then the address. SIGTERM ends it with 0."""
    server = serve()
    eventually(lambda: answers(server), "it serves")
    assert server.stop(signal.SIGTERM) == 0
    lines = [json.loads(line) for line in server.printed().splitlines()]
    events = [line["event"] for line in lines]
    assert any(event.startswith("mail: none is sent, since SMTP_URL is not set") for event in events)
    assert f"listening at {server.url}" in events
    assert "hunter" not in server.printed()
    assert not is_served(server.url)


@pytest.mark.parametrize("name", ["ENVIRONMENT", "NODE_ENV"])
def test_a_setting_does_not_make_it_latchkey_dev(serve: Spawn, open_browser: Callable[..., Browser], name: str) -> None:
    """With ENVIRONMENT=development it says so, prints no mail, and answers for development pages as for any other path:
    an environment copied from a developer's machine must not hand out reset links."""
    server = serve(**{"ENVIRONMENT": "", name: "development"})
    eventually(lambda: answers(server), "it serves")
    assert "warning: ENVIRONMENT: is development: latchkey serve then sends cookies without Secure" in server.printed()
    browser = open_browser(server)
    email = browser.register()["email"]
    assert browser.post("/auth/forgot-password", {"email": email}).status_code == 200
    eventually(lambda: "a mail was discarded" in server.printed(), "the mail is dealt with")
    for path in ("/dev/mailbox", "/dev", "/dev/mailbox/"):
        assert refused(browser.get(path)) == (404, "RESOURCE_NOT_FOUND", "Not found")
        assert refused(browser.post(path)) == (404, "RESOURCE_NOT_FOUND", "Not found")
    refusal = browser.post("/auth/logout", headers={"Origin": "https://evil.test"})
    assert refused(refusal) == (403, "EBADCSRFTOKEN", "invalid csrf token")
    assert "mail |" not in server.printed()
    assert "#token=" not in server.printed()


def test_ctrl_c_ends_it_quietly(serve: Spawn) -> None:
    """It reaches the whole process group, the worker included."""
    server = serve()
    eventually(lambda: answers(server), "it serves")
    os.killpg(server.process.pid, signal.SIGINT)
    assert server.process.wait(15) == 0
    assert "Unexpected" not in server.printed()
    assert "Traceback" not in server.printed()


def test_a_port_that_cannot_be_had(serve: Spawn, database: str, tmp_path: Path) -> None:
    """Another Latchkey, another program or a foreign address: one line, and exit code 1."""
    server = serve()
    eventually(lambda: answers(server), "it serves")
    refused = partial(latchkey, "serve", directory=tmp_path, dsn=database, **PRODUCTION)
    busy = refused(PORT=str(server.port)).refusal()
    assert busy == f"latchkey: cannot listen on 127.0.0.1 port {server.port} (HOST, PORT): Address already in use"
    with socket.create_server(("", 0)) as other:
        port = str(other.getsockname()[1])
        assert "Address already in use" in refused(PORT=port).refusal()
    assert "Cannot assign requested address" in refused(HOST="192.0.2.1").refusal()
    assert answers(server)


def test_listens_by_name(serve: Spawn) -> None:
    """HOST may be a name of this machine."""
    server = serve(HOST="localhost")
    eventually(lambda: "listening at" in server.printed(), "it listens")


def test_a_worker_that_dies_is_replaced(serve: Spawn) -> None:
    """If its supervisor is killed, the worker ends: nothing else could stop it."""
    server = serve()
    eventually(lambda: answers(server), "it serves")
    supervisor = psutil.Process(server.process.pid)
    (worker,) = supervisor.children()
    worker.kill()
    worker.wait(10)
    eventually(lambda: answers(server), "another worker serves")

    (successor,) = supervisor.children()
    supervisor.kill()
    server.process.wait(10)
    successor.wait(10)
    assert not is_served(server.url)


def test_a_worker_that_cannot_start_ends_it(serve: Spawn, tmp_path: Path) -> None:
    """Exits at once: a service manager may restart it, but it does not restart itself."""
    break_start(copy_source(tmp_path))
    server = serve(PYTHONPATH=str(tmp_path))
    assert server.process.wait(20) == 1
    lines = [json.loads(line) for line in server.printed().splitlines()]
    failures = [line for line in lines if "broken by a test" in json.dumps(line)]
    assert [line["event"] for line in failures] == ["ASGI lifespan startup failed"]
    assert not any("listening" in line["event"] for line in lines)
