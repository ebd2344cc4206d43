"""The time of an answer does not reveal accounts (CWE-208)."""

import itertools
import time
from collections.abc import Callable

import bcrypt
import psycopg
import pytest

from tests.kit.browser import PASSWORD, Browser, new_email, refused
from tests.kit.server import Server
from tests.kit.timing import Ask, assert_compared, assert_equal_time

WRONG = "Wrong-password1"


@pytest.fixture
def slow(start: Callable[..., Server], open_browser: Callable[..., Browser]) -> Browser:
    """A browser on a server whose hashes take several times as long as all the rest of a request."""
    return open_browser(start(BCRYPT_ROUNDS="8"))


def test_login_takes_one_hash_whatever_is_wrong(slow: Browser, database: str) -> None:
    """Unknown, deleted, without a usable hash, or a password too long to be one: the same time."""
    # A few attempts at each of many: more at one would be answered late on purpose.
    known, deleted, corrupt = ([slow.register()["email"] for _ in range(50)] for _ in range(3))
    with psycopg.connect(database) as sql:
        sql.execute("UPDATE users SET is_deleted = true WHERE email = ANY(%s)", [deleted])
        sql.execute("UPDATE users SET password = 'corrupt' WHERE email = ANY(%s)", [corrupt[::2]])
        sql.execute("UPDATE users SET password = '{bcrypt}' || password WHERE email = ANY(%s)", [corrupt[1::2]])

    def login(emails: list[str], password: str = WRONG) -> Ask:
        turns = itertools.cycle(emails)

        def ask() -> None:
            assert slow.login(next(turns), password).status_code == 401

        return ask

    wrong = login(known)
    for other in (
        login([new_email("nobody") for _ in range(50)]),
        login(deleted, PASSWORD),
        login(corrupt, PASSWORD),
        login(known, "x" * 100),
    ):
        assert_equal_time(wrong, other, tolerance=0.35, pairs=12)


def test_an_unknown_address_costs_what_accounts_cost(
    start: Callable[..., Server], open_browser: Callable[..., Browser], database: str
) -> None:
    emails = [new_email() for _ in range(50)]
    stored = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(9)).decode()
    with psycopg.connect(database) as sql:
        for email in emails:
            sql.execute("INSERT INTO users (name, email, password) VALUES ('Siam', %s, %s)", [email, stored])
    browser = open_browser(start())

    def login(emails: list[str], password: str = WRONG) -> Ask:
        turns = itertools.cycle(emails)
        return lambda: refused(browser.login(next(turns), password))

    for other in (login([new_email("nobody") for _ in range(50)]), login(emails, "x" * 100)):
        assert_equal_time(login(emails), other, tolerance=0.35, pairs=12)


def test_an_unknown_reset_token_costs_no_hash(slow: Browser) -> None:
    """A token is looked up first, so junk cannot make other requests wait."""
    emails = itertools.cycle([slow.register()["email"] for _ in range(10)])

    def reset() -> None:
        body = {"token": "0" * 64, "newPassword": "Changed456!"}
        assert slow.post("/auth/reset-password", body).status_code == 400

    assert_compared(
        lambda: slow.login(next(emails), WRONG), reset, lambda usual, difference: difference < -usual / 2, pairs=6
    )


def test_forgot_password_takes_the_same_time_for_nobody(browser: Browser) -> None:
    """No token is made and no mail written before the answer."""
    known, unknown = browser.register(), new_email("nobody")
    with psycopg.connect(browser.server.dsn, autocommit=True) as sql:

        def settle() -> None:
            while sql.execute("SELECT FROM mail_outbox WHERE sent_at IS NULL").rowcount:
                time.sleep(0.001)

        def forgot(email: str) -> Ask:
            def ask() -> None:
                assert browser.post("/auth/forgot-password", {"email": email}).status_code == 200

            return ask

        assert_equal_time(forgot(known["email"]), forgot(unknown), tolerance=0.4, pairs=40, settle=settle)
