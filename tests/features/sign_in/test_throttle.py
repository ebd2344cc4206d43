"""Guessing is slow, and owners are not locked out (ASVS 5.0 6.3.1)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.kit.browser import PASSWORD, Browser, bad_fields, new_email, refused
from tests.kit.stored import Sql, audited, plant_reset_token

WRONG = "Wrong-password1"
SLOW = (429, "TOO_MANY_ATTEMPTS", "Too many failed attempts. Wait a moment and try again, or reset your password.")
INVALID = (401, "UNAUTHORIZED", "Invalid credentials")
FREE = 5


def guess(browser: Browser, email: str, times: int, password: str = WRONG) -> list[int]:
    """The statuses of so many attempts by a stranger: a browser that brings no cookie but the CSRF one."""
    statuses = []
    for _ in range(times):
        browser.cookies = {name: value for name, value in browser.cookies.items() if name == "_csrf"}
        statuses.append(browser.login(email, password).status_code)
    return statuses


def waits(response: httpx.Response) -> int:
    """The seconds that a refusal asks to wait."""
    assert refused(response) == SLOW
    return int(response.headers["retry-after"])


def test_five_failures_are_free(browser: Browser, open_browser: Callable[[], Browser], sql: Sql) -> None:
    """After the fifth failure each attempt must wait, right or wrong.

    An attempt that comes too soon is not a failure: it is not recorded, and nothing is hashed.
    """
    user, owner = browser.register(), open_browser()
    assert guess(browser, user["email"], FREE) == [401] * FREE
    for password in (WRONG, PASSWORD):
        response = owner.login(user["email"], password)
        assert waits(response) == 1
        assert owner.set_cookies == []
        assert audited(sql, response) == []


def test_addresses_are_counted_as_typed(browser: Browser) -> None:
    """Known and unknown addresses get slow alike, in upper case and with white space around them, too."""
    for email in (browser.register()["email"], new_email("nobody")):
        for typed in (email.upper(), f" {email}", f"{email}\t", f"\r\n{email} \n", f"  {email}  "):
            assert guess(browser, typed, 1) == [401]
        assert guess(browser, email, 1) == [429]
        assert guess(browser, f"\t{email}", 1) == [429]


def test_the_delay_grows(browser: Browser) -> None:
    """What a refusal asks for doubles with each failure."""
    email = new_email("nobody")
    asked: list[int] = []
    guess(browser, email, FREE)
    while len(asked) < 2:
        response = browser.login(email, WRONG)
        if response.status_code == 429 and waits(response) not in asked:
            asked.append(waits(response))
    assert asked == [1, 2]


def test_an_owner_is_not_locked_out(open_browser: Callable[[], Browser]) -> None:
    """On a known device the owner signs in whatever a stranger does.

    A cookie for another account, or a forged one, does not help a stranger.
    """
    owner, stranger = open_browser(), open_browser()
    user = owner.sign_up()
    assert owner.post("/auth/logout").status_code == 200
    stranger.sign_up()
    for _ in range(FREE):
        stranger.login(user["email"], WRONG)
    assert waits(stranger.login(user["email"], WRONG))
    device, _, tag = owner.cookies["knownDevice"].partition(".")
    for forged in (f"{device}.{tag[:-1]}x", f"{device[:-1]}x.{tag}", f"{device}.{'A' * 22}", "x", "." * 30):
        stranger.cookies["knownDevice"] = forged
        assert waits(stranger.login(user["email"], WRONG))
    assert owner.login(user["email"]).status_code == 200


def test_a_device_is_counted_too(browser: Browser) -> None:
    """It has its own five, and no more."""
    user = browser.sign_up()
    statuses = [browser.login(user["email"], WRONG).status_code for _ in range(FREE + 3)]
    assert statuses[:FREE] == [401] * FREE
    assert 429 in statuses[FREE:]


def test_a_device_knows_its_last_five_accounts(browser: Browser, open_browser: Callable[[], Browser]) -> None:
    emails = [browser.sign_up()["email"] for _ in range(6)]
    assert len(browser.cookies["knownDevice"]) == 23 * 6 - 1
    stranger = open_browser()
    for email in emails[:2]:
        guess(stranger, email, FREE)
    assert browser.login(emails[1]).status_code == 200
    assert browser.login(emails[0]).status_code == 429


def test_signing_in_forgets_failures(browser: Browser) -> None:
    """Four failures, a success, and the next five are free again."""
    user = browser.register()
    for _ in range(3):
        assert guess(browser, user["email"], FREE - 1) == [401] * (FREE - 1)
        assert browser.login(user["email"]).status_code == 200


def test_many_at_once_may_sign_in(open_browser: Callable[[], Browser]) -> None:
    """Attempts in progress are not failures."""
    browsers = [open_browser() for _ in range(16)]
    user = browsers[0].register()
    for each in browsers:
        each.fetch_csrf()
    with ThreadPoolExecutor(len(browsers)) as threads:
        answers = list(threads.map(lambda each: each.login(user["email"]).status_code, browsers))
    assert answers == [200] * len(browsers)


def test_many_at_once_may_not_guess(open_browser: Callable[[], Browser]) -> None:
    """Few of them are hashed at all."""
    browsers = [open_browser() for _ in range(32)]
    user = browsers[0].register()
    for each in browsers:
        each.fetch_csrf()
    with ThreadPoolExecutor(len(browsers)) as threads:
        answers = list(threads.map(lambda each: each.login(user["email"], WRONG), browsers))
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {401, 429}
    assert FREE <= statuses.count(401) <= 2 * FREE


def test_wrong_current_passwords_count(browser: Browser) -> None:
    """The current password cannot be guessed there either."""
    browser.sign_up()
    body = {"currentPassword": WRONG, "newPassword": "Changed456!"}
    for _ in range(FREE):
        assert refused(browser.post("/auth/change-password", body))[0] == 400
    assert waits(browser.post("/auth/change-password", body | {"currentPassword": PASSWORD}))


def test_a_reset_lets_the_owner_in(browser: Browser, open_browser: Callable[[], Browser], sql: Sql) -> None:
    """The way out that the refusal names: a password reset."""
    user, stranger = browser.register(), open_browser()
    guess(stranger, user["email"], FREE)
    token = f"{user['id']:064x}"
    plant_reset_token(sql, user["id"], token)
    assert browser.post("/auth/reset-password", {"token": token, "newPassword": "Changed456!"}).status_code == 200
    assert browser.login(user["email"], "Changed456!").status_code == 200


@pytest.mark.parametrize("field", ["password", "newPassword", "reset"])
def test_guessable_passwords_are_refused_when_set(browser: Browser, sql: Sql, field: str) -> None:
    """Common ones in any case, and their own name or
    address, alone or with a year (ASVS 5.0 6.2.4, 6.2.11)."""
    email = f"jo.smithers-{new_email()}"
    user = browser.register(email, name="Johanna Smithers")
    assert browser.login(email).status_code == 200
    local = email.partition("@")[0]
    for guessable in (
        "password1",
        "PassWord1",
        "qwertyuiop",
        "Johanna2026",
        "smithers!",
        "Johanna Smithers",
        email,
        local,
    ):
        if field == "password":
            response = browser.post(
                "/auth/register", {"name": "Johanna Smithers", "email": f"x{email}", "password": guessable}
            )
            if guessable in {email, local}:
                continue
            assert bad_fields(response) == {"password"}, guessable
        elif field == "newPassword":
            response = browser.post("/auth/change-password", {"currentPassword": PASSWORD, "newPassword": guessable})
            assert bad_fields(response) == {"newPassword"}, guessable
        else:
            plant_reset_token(sql, user["id"], f"{user['id']:064x}")
            body = {"token": f"{user['id']:064x}", "newPassword": guessable}
            assert bad_fields(browser.post("/auth/reset-password", body)) == {"newPassword"}, guessable
    assert refused(browser.login(email, "password1")) == INVALID
