"""What a known device is worth: it counts apart, until the password is new, and all of an account's share a bound."""

from collections.abc import Callable
from secrets import token_hex

import bcrypt
import pytest

from tests.kit.browser import PASSWORD, Browser, refused
from tests.kit.stored import Sql, plant_reset_token, user_row

WRONG = "Wrong-password1"
NEW_PASSWORD = "Changed456!"
FREE, FREE_OF_DEVICES = 5, 10
OpenBrowser = Callable[..., Browser]


def guess_as_stranger(browser: Browser, email: str) -> None:
    """Uses up what is free for strangers."""
    for _ in range(FREE):
        assert browser.login(email, WRONG).status_code == 401


@pytest.mark.parametrize("way", ["change", "reset"])
def test_a_new_password_ends_known_devices(open_browser: OpenBrowser, sql: Sql, way: str) -> None:
    """A cookie that was collected before is worth nothing afterwards; the next login makes the device known again."""
    owner, collected = open_browser(), open_browser()
    user = owner.sign_up()
    assert collected.login(user["email"]).status_code == 200
    kept = collected.cookies["knownDevice"]
    if way == "change":
        body = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
        assert owner.post("/auth/change-password", body).status_code == 200
    else:
        token = token_hex(32)
        plant_reset_token(sql, user["id"], token)
        assert owner.post("/auth/reset-password", {"token": token, "newPassword": NEW_PASSWORD}).status_code == 200
    assert owner.login(user["email"], NEW_PASSWORD).status_code == 200
    guess_as_stranger(open_browser(), user["email"])
    collected.cookies["knownDevice"] = kept
    assert refused(collected.login(user["email"], WRONG))[0] == 429
    assert owner.login(user["email"], NEW_PASSWORD).status_code == 200


def test_a_renewed_hash_ends_nothing(open_browser: OpenBrowser, sql: Sql) -> None:
    browser = open_browser()
    user = browser.sign_up()
    made = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(5)).decode()
    sql.execute("UPDATE users SET password = %s WHERE id = %s", [made, user["id"]])
    known = browser.cookies["knownDevice"]
    assert browser.login(user["email"]).status_code == 200
    assert user_row(sql, user["id"])["password"] != made
    assert browser.cookies["knownDevice"] == known
    guess_as_stranger(open_browser(), user["email"])
    assert browser.login(user["email"]).status_code == 200


def test_collected_cookies_share_a_bound(open_browser: OpenBrowser) -> None:
    """Forty devices have ten guesses, not two hundred; strangers are not slowed by them, nor they by strangers."""
    browser = open_browser()
    user = browser.register()
    collected = []
    for _ in range(40):
        browser.cookies = {"_csrf": browser.cookies["_csrf"]}
        assert browser.login(user["email"]).status_code == 200
        collected.append(browser.cookies["knownDevice"])
    statuses = []
    for known in collected:
        browser.cookies = {"_csrf": browser.cookies["_csrf"], "knownDevice": known}
        statuses.append(browser.login(user["email"], WRONG).status_code)
    assert statuses[:FREE_OF_DEVICES] == [401] * FREE_OF_DEVICES
    # A slow machine may have waited long enough for one more now and then.
    assert statuses.count(401) <= FREE_OF_DEVICES + 5
    assert 429 in statuses
    assert open_browser().login(user["email"]).status_code == 200


def test_a_cookie_of_somebody_who_is_gone_tells_nothing(open_browser: OpenBrowser) -> None:
    """A device of a deleted account is a stranger, as at an address that nobody ever had."""
    browser = open_browser()
    user = browser.sign_up()
    assert browser.delete(f"/users/{user['id']}").status_code == 200
    guess_as_stranger(open_browser(), user["email"])
    assert refused(browser.login(user["email"]))[0] == 429
