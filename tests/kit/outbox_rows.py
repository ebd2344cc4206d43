"""Reads and changes the outbox by SQL, so that no test waits for a pause."""

from typing import Any

from tests.kit.browser import Browser, new_email
from tests.kit.stored import Sql
from tests.kit.waiting import eventually

Row = dict[str, Any]

ROWS = """
SELECT *, extract(epoch FROM next_attempt_at - now())::float8 AS pause FROM mail_outbox ORDER BY id
"""


def rows(sql: Sql) -> list[Row]:
    """Returns all rows, oldest first. `pause` is the number of seconds to the next attempt."""
    return sql.execute(ROWS).fetchall()


def try_now(sql: Sql, browser: Browser) -> None:
    """Makes everything due and wakes the worker, by asking for a link for an unknown address."""
    sql.execute("UPDATE mail_outbox SET next_attempt_at = now() WHERE sent_at IS NULL")
    wake(browser)


def wake(browser: Browser) -> None:
    """Wakes the worker."""
    assert browser.post("/auth/forgot-password", {"email": new_email("nobody")}).status_code == 200


def wait_for_failure(sql: Sql, attempts: int) -> Row:
    """Waits for that number of failed attempts, and returns the only mail."""
    eventually(lambda: _failed(sql, attempts) is not None, f"{attempts} attempts have failed")
    row = _failed(sql, attempts)
    assert row is not None
    return row


def wait_until_settled(sql: Sql) -> list[Row]:
    """Waits until no mail waits any more, and returns all rows."""
    eventually(lambda: all(row["sent_at"] or row["failed_at"] for row in rows(sql)), "all is sent or given up")
    return rows(sql)


def _failed(sql: Sql, attempts: int) -> Row | None:
    found = [row for row in rows(sql) if not row["recipient"].startswith("nobody")]
    if len(found) != 1 or found[0]["attempts"] != attempts or found[0]["last_error"] is None:
        return None
    # During an attempt the row is due again at the end of its lease of a minute.
    return None if not found[0]["failed_at"] and 31 < found[0]["pause"] <= 60 else found[0]
