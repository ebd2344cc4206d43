"""`latchkey mail` against a real database, where no server runs."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from latchkey.app import Settings
from latchkey.cli import mail_checks
from latchkey.settings import load_settings
from tests.kit.command_line import Result, latchkey

Run = Callable[..., Result]

MAILS = """
INSERT INTO mail_outbox (kind, recipient, attempts, sent_at, failed_at, last_error) VALUES
    ('reset-link', 'waiting@example.com', 0, NULL, NULL, NULL),
    ('reset-link', 'again@example.com', 2, NULL, NULL, 'the server did not answer in time'),
    ('password-changed', 'sent@example.com', 1, now(), NULL, NULL),
    ('password-changed', 'failed@example.com', 8, NULL, now(), 'the server refused the recipient: 550'),
    ('email-changed', 'failed@example.com', 1, NULL, now(), E'it said \\x1b[2J')
"""


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    """Runs `latchkey mail …` on a database with five mails, without any secret."""
    with psycopg.connect(database) as connection:
        connection.execute(MAILS)
    return partial(latchkey, "mail", directory=tmp_path, dsn=database, JWT_ACCESS_SECRET="", JWT_REFRESH_SECRET="")


def test_list(run: Run) -> None:
    """Newest first, or those in one state. A server's text cannot control the terminal."""
    rows: list[dict[str, Any]] = run("list", "--json").json()
    assert [(row["id"], row["state"]) for row in rows] == [
        (5, "failed"), (4, "failed"), (3, "sent"), (2, "waiting"), (1, "waiting")
    ]  # fmt: skip
    assert rows[0].keys() == {
        "id", "kind", "recipient", "state", "attempts", "created_at", "next_attempt_at", "last_error"
    }  # fmt: skip
    assert [row["next_attempt_at"] is not None for row in rows] == [False, False, False, True, True]
    assert [row["id"] for row in run("list", "--state", "failed", "--limit", "1", "--json").json()] == [5]
    printed = run("list")
    assert printed.out.splitlines()[0].split() == [
        "id", "kind", "recipient", "state", "attempts", "next_attempt_at", "last_error"
    ]  # fmt: skip
    assert "\x1b" not in printed.out


def test_retry(run: Run) -> None:
    """One, or all, of those that were given up; nothing else is touched."""
    assert run("retry", "4").out == "1 mail queued again\n"
    (row,) = [row for row in run("list", "--json").json() if row["id"] == 4]
    assert (row["state"], row["attempts"]) == ("waiting", 0)
    assert "mail 3 was not given up: it is sent" in run("retry", "3").refusal()
    assert "there is no mail 99" in run("retry", "99").refusal()
    assert "there is no mail 99999999999999999999" in run("retry", "99999999999999999999").refusal()
    assert "give the id of a mail, or --all" in run("retry").refusal()
    assert "give the id of a mail, or --all" in run("retry", "4", "--all").refusal()
    assert run("retry", "--all", "--json").json() == {"retried": 1}


async def test_doctor_of_a_server_that_is_away() -> None:
    """SMTP_URL is described even if the server is unreachable. That is a problem, and no password is shown."""
    settings = load_settings(Settings, smtp_url="smtps://u:hunter2@127.0.0.1:1", mail_from="a@example.com")
    encryption, reached = await mail_checks.check_smtp(settings)
    assert (encryption.level, reached.level) == ("ok", "problem")
    assert reached.advice is not None
    assert "ConnectionRefusedError" in reached.message
    assert "hunter2" not in repr(reached)
