"""The outbox, read and hurried by SQL: nobody waits for a pause to end."""

from typing import Any

from tests.kit.browser import Browser, new_email
from tests.kit.stored import Sql
from tests.kit.waiting import eventually

Row = dict[str, Any]

ROWS = """
SELECT *, extract(epoch FROM next_attempt_at - now())::float8 AS pause FROM mail_outbox ORDER BY id
"""


def rows(sql: Sql) -> list[Row]:
    """All rows, oldest first; `pause`: seconds to the next attempt."""
    return sql.execute(ROWS).fetchall()


def try_now(sql: Sql, browser: Browser) -> None:
    """Makes everything due and has the worker look: asking for a link wakes it, and nobody has that address."""
    sql.execute("UPDATE mail_outbox SET next_attempt_at = now() WHERE sent_at IS NULL")
    wake(browser)


def wake(browser: Browser) -> None:
    """Has the worker look now."""
    assert browser.post("/auth/forgot-password", {"email": new_email("nobody")}).status_code == 200


def wait_for_failure(sql: Sql, attempts: int) -> Row:
    """The one mail that there is, once so many attempts have failed."""
    eventually(lambda: _failed(sql, attempts) is not None, f"{attempts} attempts have failed")
    row = _failed(sql, attempts)
    assert row is not None
    return row


def wait_until_settled(sql: Sql) -> list[Row]:
    """All rows, once nothing waits any more."""
    eventually(lambda: all(row["sent_at"] or row["failed_at"] for row in rows(sql)), "all is sent or given up")
    return rows(sql)


def _failed(sql: Sql, attempts: int) -> Row | None:
    found = [row for row in rows(sql) if not row["recipient"].startswith("nobody")]
    if len(found) != 1 or found[0]["attempts"] != attempts or found[0]["last_error"] is None:
        return None
    # While an attempt is under way the row is due again when its lease of a minute is over.
    return None if not found[0]["failed_at"] and 31 < found[0]["pause"] <= 60 else found[0]
