"""`latchkey doctor` against real databases and stores."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest

from latchkey.cli.live_checks import check_database
from latchkey.clock import system_clock
from latchkey.terminal.finding import Finding
from tests.kit.command_line import latchkey
from tests.kit.redis_server import RedisServer

PRODUCTION = {"ENVIRONMENT": "production", "PUBLIC_URL": "https://accounts.example.com"}


async def _nothing(_: asyncpg.Connection) -> list[Finding]:
    """The checks of features that have none."""
    return []


def levels(report: Any) -> dict[str, str]:
    """The level of each check."""
    return {finding["check"]: finding["level"] for finding in report["findings"]}


def test_a_database_and_settings_that_work(database: str, tmp_path: Path) -> None:
    """Exit code 0 with warnings. Each finding that is not ok says what to do."""
    doctor = partial(latchkey, "doctor", directory=tmp_path, dsn=database, **PRODUCTION)
    report = doctor("--json").json()
    assert (report["ok"], report["environment"]) == (True, "production")
    found = levels(report)
    assert {check for check, level in found.items() if level == "warning"} == {
        "TRUSTED_PROXIES", "mail", "RATE_LIMIT_STORAGE"
    }  # fmt: skip
    assert {"settings", "secrets", "database", "database writes", "database version", "schema", "clock"} <= set(found)
    assert all(bool(finding["advice"]) == (finding["level"] != "ok") for finding in report["findings"])

    printed = doctor()
    assert printed.code == 0
    assert "ok       schema: is at revision" in printed.out
    assert "warning  mail: none is sent, since SMTP_URL is not set" in printed.out


def test_everything_wrong_at_once(tmp_path: Path) -> None:
    """Every problem is listed, the remaining checks still run, and no secret or password is printed."""
    result = latchkey(
        "doctor",
        directory=tmp_path,
        dsn="postgresql://u:hunter2@127.0.0.1:1/x",
        ENVIRONMENT="production",
        PUBLIC_URL="http://accounts.example.com",
        JWT_ACCESS_SECRET="hunter2",  # noqa: S106 not a secret
        JWT_REFRESH_SECRET="",
        PORT="0",
        REFRESH_LEEWAY_SECONDS="61",
        RATE_LIMIT_STORAGE="redis://:hunter2@127.0.0.1:1",
        TRUSTED_PROXIES="0.0.0.0/0",
        CORS_ORIGINS="http://app.example.com",
        SMTP_URL="smtp://u:hunter2@127.0.0.1:1",
    )
    assert result.code == 1
    assert result.err == ""
    assert "hunter2" not in result.out
    problems = [line for line in result.out.splitlines() if line.startswith("problem")]
    for what in (
        "settings: PORT: ", "settings: REFRESH_LEEWAY_SECONDS: Input should be",
        "secrets: JWT_ACCESS_SECRET: needs at least 32 bytes", "secrets: JWT_REFRESH_SECRET: is required",
        "PUBLIC_URL: is http://accounts.example.com", "CORS_ORIGINS: http://app.example.com is http",
        "TRUSTED_PROXIES: 0.0.0.0/0 trusts strangers", "rate limit store: does not answer",
        "database: cannot be reached: ConnectionRefusedError", "settings: MAIL_FROM: is required with SMTP_URL",
        "SMTP: 127.0.0.1:1: the server cannot be reached",
    ):  # fmt: skip
        assert any(what in line for line in problems), (what, problems)
    assert len(problems) == 11


def test_a_url_that_is_misread_is_not_quoted(tmp_path: Path) -> None:
    """A # in a password makes the rest of it look like another part of the URL."""
    result = latchkey("doctor", directory=tmp_path, dsn="postgresql://u:hunter#2@db.example.com/x", **PRODUCTION)
    assert result.code == 1
    assert "DATABASE_URL: cannot be read" in result.out
    assert "hunter" not in result.out + result.err


def test_equal_secrets_and_an_old_schema(empty_database: str, tmp_path: Path) -> None:
    """Found beside each other, development or not."""
    with psycopg.connect(empty_database) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET default_transaction_read_only = on")
    secret = "0123456789abcdef0123456789abcdef"
    result = latchkey(
        "doctor", directory=tmp_path, dsn=empty_database, JWT_ACCESS_SECRET=secret, JWT_REFRESH_SECRET=secret
    )
    assert result.code == 1
    assert "checked for development" in result.out
    assert "warning  ENVIRONMENT: is development: latchkey serve then sends cookies without Secure" in result.out
    assert "secrets: JWT_ACCESS_SECRET and JWT_REFRESH_SECRET must differ" in result.out
    assert "schema: the database is without Latchkey's schema" in result.out
    assert "-> run: latchkey migrate" in result.out
    assert "database writes: are refused" in result.out


def test_a_database_of_another_program(empty_database: str, tmp_path: Path) -> None:
    """It says so before `latchkey migrate` is run."""
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("CREATE TABLE users (id serial PRIMARY KEY, login text); CREATE TABLE sessions (sid text)")
    result = latchkey("doctor", directory=tmp_path, dsn=empty_database, **PRODUCTION)
    assert result.code == 1
    assert "schema: this database cannot be migrated: users is not node-api-postgres's: it has no column" in result.out
    assert "The relation sessions exists" in result.out


@pytest.mark.parametrize(
    ("offset", "level", "words"),
    [(0, "ok", ""), (-10, "warning", "10.0 s ahead of"), (10, "warning", "10.0 s behind"), (3600, "problem", "behind")],
)
async def test_clock_skew(database: str, offset: float, level: str, words: str) -> None:
    """Measured against the database's clock."""
    findings = await check_database(database, [], _nothing, production=False, clock=lambda: system_clock() + offset)
    (finding,) = [finding for finding in findings if finding.check == "clock"]
    assert finding.level == level
    assert words in finding.message


@pytest.mark.parametrize(
    ("query", "production", "level"),
    [
        ("", True, "ok"),
        ("", False, "warning"),
        ("?sslmode=verify-full", False, "ok"),
        ("?sslmode=require", True, "warning"),
        ("?sslmode=disable", True, "warning"),
        ("?sslrootcert=ca.pem", True, "warning"),
    ],
)
async def test_tls_to_another_machine(query: str, production: bool, level: str) -> None:
    """How the connection would be protected, even if it cannot be opened."""
    findings = await check_database(
        f"postgresql://u:hunter2@db.invalid/x{query}", [], _nothing, production=production, clock=system_clock
    )
    assert [(finding.check, finding.level) for finding in findings] == [
        ("database TLS", level),
        ("database", "problem"),
    ]
    assert "hunter2" not in repr(findings)


def test_store(require: Callable[[str], str], tmp_path: Path) -> None:
    """A store that answers, and one that wants a password."""
    store = RedisServer(require("redis-server"), tmp_path).start()
    try:
        with store.client() as client:
            client.config_set("requirepass", "hunter2")
        doctor = partial(latchkey, "doctor", "--json", directory=tmp_path)
        for url, level in ((f"valkey://:hunter2@{store.address}", "ok"), (f"redis://{store.address}", "problem")):
            result = doctor(RATE_LIMIT_STORAGE=url)
            assert levels(json.loads(result.out))["rate limit store"] == level
            assert result.code == (level == "problem")
            assert "hunter2" not in result.out
    finally:
        store.kill()
