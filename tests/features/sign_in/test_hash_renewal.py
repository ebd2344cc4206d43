"""Password hashes from elsewhere or of another cost: they sign in and are renewed."""

from collections.abc import Callable

import bcrypt
import pytest

from tests.kit.browser import PASSWORD, Browser, refused
from tests.kit.injecting import refusing
from tests.kit.racing import held_until_blocked
from tests.kit.server import Server
from tests.kit.stored import Sql, audited, plant_reset_token, user_row

REFUSED = (401, "UNAUTHORIZED", "Invalid credentials")
LONG = "p" * 100
SIGNED_IN_BY_72 = "signed in by the first 72 bytes of a longer password"


def store_hash(
    sql: Sql, user_id: int, password: str, *, rounds: int = 5, kind: str = "2b", migrated: bool = False
) -> str:
    """Gives a user the hash that another bcrypt would have stored, of the first 72 bytes."""
    made = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(rounds)).decode().replace("$2b$", f"${kind}$", 1)
    sql.execute("UPDATE users SET password = %s, password_migrated = %s WHERE id = %s", [made, migrated, user_id])
    return made


@pytest.mark.parametrize("kind", ["2a", "2b", "2y"])
def test_a_hash_of_another_kind_or_cost_is_renewed_once(browser: Browser, sql: Sql, kind: str) -> None:
    user = browser.register()
    old = store_hash(sql, user["id"], PASSWORD, kind=kind)
    response = browser.login(user["email"])
    assert response.status_code == 200
    assert audited(sql, response) == [("LOGIN", user["id"], user["id"])]
    renewed = user_row(sql, user["id"])["password"]
    assert renewed.startswith("$2b$04$")
    assert renewed != old
    assert browser.login(user["email"]).status_code == 200
    assert user_row(sql, user["id"])["password"] == renewed
    assert browser.get("/auth/me").status_code == 200


def test_a_wrong_password_renews_nothing(browser: Browser, sql: Sql) -> None:
    user = browser.register()
    old = store_hash(sql, user["id"], PASSWORD)
    assert refused(browser.login(user["email"], "Wrong-password1")) == REFUSED
    assert user_row(sql, user["id"])["password"] == old


def test_a_renewal_never_undoes_a_change(
    start: Callable[..., Server], open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    """The new one stays. Without a limit of sessions a login shares the row, so that the renewal alone waits."""
    browser = open_browser(start(SESSION_LIMIT="0"))
    user = browser.register()
    store_hash(own_sql, user["id"], PASSWORD)
    share = "SELECT FROM users WHERE id = %s FOR SHARE"
    change = "UPDATE users SET password = 'set meanwhile' WHERE id = %s"
    with held_until_blocked(browser.server.dsn, 1, share, user["id"], then=change):
        assert browser.login(user["email"]).status_code == 200
    assert user_row(own_sql, user["id"])["password"] == "set meanwhile"


def test_a_login_that_happened_is_answered(browser: Browser, sql: Sql) -> None:
    """If the database cannot renew a hash now, the next login does. The session is open anyway."""
    user = browser.register()
    old = store_hash(sql, user["id"], PASSWORD)
    with refusing(sql, "UPDATE", "users", f"NEW.id = {user['id']}", "53100"):  # the disk is full
        assert browser.login(user["email"]).status_code == 200
    assert user_row(sql, user["id"])["password"] == old
    assert browser.get("/auth/me").status_code == 200
    assert browser.login(user["email"]).status_code == 200
    assert user_row(sql, user["id"])["password"] != old


def test_a_migrated_long_password_is_told_apart_and_not_renewed(browser: Browser, sql: Sql) -> None:
    """It still signs in, all of it or its first 72 bytes;
    the log names the user and not the password, and their hash is not replaced by one of another rule."""
    user = browser.register()
    old = store_hash(sql, user["id"], LONG, migrated=True)
    assert browser.login(user["email"], LONG).status_code == 200
    assert user_row(sql, user["id"])["password"] == old
    (line,) = [line for line in browser.server.printed().splitlines() if line.endswith(f"user_id={user['id']}")]
    assert SIGNED_IN_BY_72 in line
    assert LONG[:72] not in browser.server.printed()
    assert refused(browser.login(user["email"], LONG[:71])) == REFUSED
    assert refused(browser.login(user["email"], "q" + LONG[1:])) == REFUSED
    assert browser.login(user["email"], LONG[:72]).status_code == 200
    assert user_row(sql, user["id"])["password"].startswith("$2b$04$")
    assert browser.login(user["email"], LONG).status_code == 200


def test_the_same_hash_without_the_mark_needs_the_whole_password(browser: Browser, sql: Sql) -> None:
    """None is over 72 bytes, so a longer password is another one."""
    user = browser.register()
    store_hash(sql, user["id"], LONG)
    assert refused(browser.login(user["email"], LONG)) == REFUSED
    assert refused(browser.login(user["email"], LONG[:73])) == REFUSED
    assert browser.login(user["email"], LONG[:72]).status_code == 200


@pytest.mark.parametrize("way", ["change", "reset"])
def test_setting_a_password_anew_ends_the_leniency(browser: Browser, sql: Sql, way: str) -> None:
    """From then on all of it counts, and the old one, cut or whole, is gone."""
    user = browser.register()
    store_hash(sql, user["id"], LONG, migrated=True)
    new = "n" * 72
    if way == "change":
        assert browser.login(user["email"], LONG).status_code == 200
        body = {"currentPassword": LONG, "newPassword": new}
        assert browser.post("/auth/change-password", body).status_code == 200
    else:
        plant_reset_token(sql, user["id"], f"{user['id']:064x}")
        body = {"token": f"{user['id']:064x}", "newPassword": new}
        assert browser.post("/auth/reset-password", body).status_code == 200
    assert user_row(sql, user["id"])["password_migrated"] is False
    for password in (LONG, LONG[:72], new + "n", new[:71]):
        assert refused(browser.login(user["email"], password)) == REFUSED
    assert browser.login(user["email"], new).status_code == 200
