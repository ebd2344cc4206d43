"""The time of an answer does not reveal accounts (CWE-208).

A leak shows every time, noise does not, so a comparison fails only if it fails three times running.
"""

import itertools
import time
from collections.abc import Callable
from statistics import median

import bcrypt
import psycopg
import pytest

from tests.kit.browser import PASSWORD, Browser, new_email, refused
from tests.kit.server import Server

ATTEMPTS = 3
WARM_UP = 3
WRONG = "Wrong-password1"
Ask = Callable[[], object]


def seconds(ask: Ask, settle: Ask) -> float:
    """How long that takes, once all that went before has settled."""
    settle()
    started = time.perf_counter()
    ask()
    return time.perf_counter() - started


def compare(ask: Ask, other: Ask, pairs: int, settle: Ask = lambda: None) -> tuple[float, float]:
    """The median time of `ask`, and the median by which `other` takes longer: measured in pairs, in turns, so that
    what slows the machine down slows both."""
    for _ in range(WARM_UP):
        ask()
        other()
    times: list[tuple[float, float]] = []
    for number in range(pairs):
        if number % 2:
            times.append((seconds(ask, settle), seconds(other, settle)))
        else:
            second, first = seconds(other, settle), seconds(ask, settle)
            times.append((first, second))
    return median(first for first, _ in times), median(second - first for first, second in times)


def assert_compared(
    ask: Ask, other: Ask, is_right: Callable[[float, float], bool], *, pairs: int, settle: Ask = lambda: None
) -> None:
    """Holds what `is_right` says of the two times that `compare` gives."""
    measured = []
    for _ in range(ATTEMPTS):
        usual, difference = compare(ask, other, pairs, settle)
        measured.append(f"{usual * 1000:.2f} ms, {difference * 1000:+.2f} ms")
        if is_right(usual, difference):
            return
    raise AssertionError(f"not as it should be, three times running: {measured}")


def assert_equal_time(ask: Ask, other: Ask, *, tolerance: float, pairs: int, settle: Ask = lambda: None) -> None:
    """Holds that the two differ by less than that part of the time that the first takes."""
    assert_compared(
        ask, other, lambda usual, difference: abs(difference) < tolerance * usual, pairs=pairs, settle=settle
    )


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
