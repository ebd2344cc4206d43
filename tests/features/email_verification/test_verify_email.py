"""E-mail addresses are verified by a link or by a used reset link, and before a new one replaces the old."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.kit.answers import succeeded
from tests.kit.browser import PASSWORD, Browser, new_email, refused
from tests.kit.racing import held_until_blocked
from tests.kit.server import Server
from tests.kit.stored import Sql, audit_rows, audited, everything_of, plant_reset_token, user_row
from tests.kit.waiting import eventually

REQUESTED = (200, "If email exists and is not verified, link sent", None)
VERIFIED = (200, "Email verified", None)
SPENT = (400, "TOKEN_EXPIRED", "Invalid or expired token")
NOT_VERIFIED = (
    403,
    "EMAIL_NOT_VERIFIED",
    "Confirm your e-mail address first: open the link that was mailed to it, or ask for a new link.",
)
TAKEN = (409, "EMAIL_ALREADY_EXISTS", "Email already exists")
Start = Callable[..., Server]
Open = Callable[..., Browser]


def ask(browser: Browser, email: str) -> str:
    """Asks for a link and returns the token in it."""
    assert succeeded(browser.post("/auth/verify-email/request", {"email": email})) == REQUESTED
    return browser.server.reset_token_mailed_to(email.strip())


def is_verified(sql: Sql, user_id: int) -> bool:
    """Tells whether the user's address is verified."""
    return user_row(sql, user_id)["email_verified_at"] is not None


def test_a_link_proves_the_address_once(browser: Browser, sql: Sql) -> None:
    """Only someone who can read the mailbox verifies the address.

    Nothing raw is stored, and one of N parallel uses counts.
    """
    user = browser.register()
    token = ask(browser, f"\r\n {user['email'].upper()}\t ")
    assert not is_verified(sql, user["id"])
    (stored,) = sql.execute("SELECT *, token_hash FROM email_tokens WHERE user_id = %s", [user["id"]]).fetchall()
    assert token not in str(stored)
    browser.fetch_csrf()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: browser.post("/auth/verify-email", {"token": token}), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
    (good,) = [answer for answer in answers if answer.status_code == 200]
    assert succeeded(good) == VERIFIED
    assert audited(sql, good) == [("VERIFY_EMAIL", user["id"], user["id"])]
    assert is_verified(sql, user["id"])
    assert refused(browser.post("/auth/verify-email", {"token": token})) == SPENT


def test_asking_tells_nothing(browser: Browser, server: Server, sql: Sql) -> None:
    """An unknown address, a verified one and a deleted account's get the same answer and no mail."""
    proved, deleted = browser.register(), browser.sign_up()
    sql.execute("UPDATE users SET email_verified_at = now() WHERE id = %s", [proved["id"]])
    browser.delete(f"/users/{deleted['id']}")
    quiet = [new_email("nobody"), proved["email"], deleted["email"]]
    for email in quiet:
        assert succeeded(browser.post("/auth/verify-email/request", {"email": email})) == REQUESTED
    ask(browser, browser.register()["email"])
    assert [email for email in quiet if f"To: {email}" in server.printed()] == []


@pytest.mark.parametrize("token", ["", "x", "0" * 64])
def test_no_other_token_proves_anything(browser: Browser, token: str) -> None:
    assert browser.post("/auth/verify-email", {"token": token}).status_code == 400


def test_tokens_are_not_interchangeable(browser: Browser, sql: Sql) -> None:
    user = browser.register()
    token = ask(browser, user["email"])
    body = {"token": token, "newPassword": "Changed456!"}
    assert refused(browser.post("/auth/reset-password", body)) == SPENT
    planted = f"{user['id']:064x}"
    plant_reset_token(sql, user["id"], planted)
    assert refused(browser.post("/auth/verify-email", {"token": planted})) == SPENT


def test_what_ends_a_token(browser: Browser, sql: Sql) -> None:
    """Time, a newer link, a changed address and deletion."""
    user = browser.sign_up()
    first = ask(browser, user["email"])
    sql.execute("UPDATE email_tokens SET expires_at = now() WHERE user_id = %s", [user["id"]])
    assert refused(browser.post("/auth/verify-email", {"token": first})) == SPENT
    browser.post("/auth/verify-email/request", {"email": user["email"]})
    eventually(lambda: browser.server.reset_token_mailed_to(user["email"]) != first, "another link has come")
    second = browser.server.reset_token_mailed_to(user["email"])
    assert browser.patch(f"/users/{user['id']}", {"email": f"new-{user['email']}"}).status_code == 200
    assert refused(browser.post("/auth/verify-email", {"token": second})) == SPENT
    third = ask(browser, f"new-{user['email']}")
    assert browser.delete(f"/users/{user['id']}").status_code == 200
    assert browser.patch(f"/users/{user['id']}/restore").status_code == 200
    assert refused(browser.post("/auth/verify-email", {"token": third})) == SPENT
    assert not is_verified(sql, user["id"])


def test_a_reset_link_proves_the_address_it_was_mailed_to(browser: Browser, server: Server, sql: Sql) -> None:
    """A mailed link verifies the address, a link from an operator does not.

    A changed address must be verified again.
    """
    user = browser.sign_up()
    planted = f"{user['id']:064x}"
    plant_reset_token(sql, user["id"], planted)
    assert browser.post("/auth/reset-password", {"token": planted, "newPassword": "Changed456!"}).status_code == 200
    assert not is_verified(sql, user["id"])
    browser.post("/auth/forgot-password", {"email": user["email"]})
    token = server.reset_token_mailed_to(user["email"])
    assert browser.post("/auth/reset-password", {"token": token, "newPassword": PASSWORD}).status_code == 200
    assert is_verified(sql, user["id"])
    browser.login(user["email"])
    assert browser.patch(f"/users/{user['id']}", {"name": "Another"}).status_code == 200
    assert is_verified(sql, user["id"])
    assert browser.patch(f"/users/{user['id']}", {"email": f"new-{user['email']}"}).status_code == 200
    assert not is_verified(sql, user["id"])


def test_required_before_login(start: Start, open_browser: Open, own_sql: Sql) -> None:
    """No session before the address is verified.

    Only someone who knows the password learns that, and registration mails the link.
    """
    server = start(REQUIRE_VERIFIED_EMAIL="true")
    browser = open_browser(server)
    user = browser.register()
    assert refused(browser.login(user["email"], "Wrong-password1")) == (401, "UNAUTHORIZED", "Invalid credentials")
    response = browser.login(user["email"])
    assert refused(response) == NOT_VERIFIED
    assert browser.set_cookies == []
    assert audited(own_sql, response) == [("LOGIN_FAILED", None, user["id"])]
    token = server.reset_token_mailed_to(user["email"])
    assert succeeded(browser.post("/auth/verify-email", {"token": token})) == VERIFIED
    assert browser.login(user["email"]).status_code == 200

    moved = f"new-{user['email']}"
    assert browser.patch(f"/users/{user['id']}", {"email": moved}).json()["data"]["email"] == moved
    assert browser.get("/auth/me").status_code == 200
    assert refused(browser.login(moved)) == NOT_VERIFIED
    token = server.reset_token_mailed_to(moved)
    assert succeeded(browser.post("/auth/verify-email", {"token": token})) == VERIFIED
    assert browser.login(moved).status_code == 200


def test_a_new_address_counts_once_confirmed(start: Start, open_browser: Open, own_sql: Sql) -> None:
    """With CONFIRM_EMAIL_CHANGE the old address stays until someone who can read the new mailbox confirms.

    So neither a typing error nor a stolen session can cut the owner off.
    """
    server = start(CONFIRM_EMAIL_CHANGE="true")
    browser = open_browser(server)
    user, taken = browser.sign_up(), browser.register()["email"]
    own_sql.execute("UPDATE users SET created_at = now() - interval '25 hours' WHERE id = %s", [user["id"]])
    url, wanted = f"/users/{user['id']}", new_email("wanted")
    assert refused(browser.patch(url, {"email": taken})) == TAKEN
    response = browser.patch(url, {"email": wanted, "name": "Renamed"})
    assert response.json()["data"] == user | {"name": "Renamed"}
    (row,) = audit_rows(own_sql, response)
    assert (row["action"], row["metadata"]["changed"], row["metadata"]["requested"]) == (
        "UPDATE_USER", ["name"], ["email"]
    )  # fmt: skip
    token = server.reset_token_mailed_to(wanted)
    assert browser.login(user["email"]).status_code == 200

    browser.post("/auth/forgot-password", {"email": user["email"]})
    old_link = server.reset_token_mailed_to(user["email"])
    response = browser.post("/auth/verify-email", {"token": token})
    assert succeeded(response) == VERIFIED
    assert audited(own_sql, response) == [("VERIFY_EMAIL", user["id"], user["id"])]
    assert browser.get("/auth/me").json()["data"] == {"id": user["id"], "name": "Renamed", "email": wanted}
    assert is_verified(own_sql, user["id"])
    body = {"token": old_link, "newPassword": "Changed456!"}
    assert refused(browser.post("/auth/reset-password", body)) == SPENT
    eventually(lambda: "Your e-mail address was changed" in server.printed(), "the old address is told")
    assert refused(browser.post("/auth/verify-email", {"token": token})) == SPENT


def test_a_wanted_address_that_somebody_else_gets(start: Start, open_browser: Open, own_sql: Sql) -> None:
    """If another user registers with the address meanwhile, the change fails. A newer request ends an older one."""
    server = start(CONFIRM_EMAIL_CHANGE="true")
    browser, other = open_browser(server), open_browser(server)
    user = browser.sign_up()
    url, first, second = f"/users/{user['id']}", new_email("first"), new_email("second")
    browser.patch(url, {"email": first})
    first_token = server.reset_token_mailed_to(first)
    browser.patch(url, {"email": second})
    second_token = server.reset_token_mailed_to(second)
    assert refused(browser.post("/auth/verify-email", {"token": first_token})) == SPENT
    other.register(second)
    before = everything_of(own_sql, user["id"])
    assert refused(browser.post("/auth/verify-email", {"token": second_token})) == TAKEN
    assert everything_of(own_sql, user["id"]) == before


@pytest.mark.parametrize("way", ["change", "reset"])
def test_a_new_password_ends_a_wanted_change(start: Start, open_browser: Open, own_sql: Sql, way: str) -> None:
    """Someone who was in the account before and requested another address does not get it by a link in their
    mailbox."""
    server = start(CONFIRM_EMAIL_CHANGE="true")
    thief, owner = open_browser(server), open_browser(server)
    user, wanted = thief.sign_up(), new_email("thief")
    thief.patch(f"/users/{user['id']}", {"email": wanted})
    token = server.reset_token_mailed_to(wanted)
    if way == "change":
        owner.login(user["email"])
        body = {"currentPassword": PASSWORD, "newPassword": "Changed456!"}
        assert owner.post("/auth/change-password", body).status_code == 200
    else:
        plant_reset_token(own_sql, user["id"], f"{user['id']:064x}")
        body = {"token": f"{user['id']:064x}", "newPassword": "Changed456!"}
        assert owner.post("/auth/reset-password", body).status_code == 200
    assert refused(thief.post("/auth/verify-email", {"token": token})) == SPENT
    assert user_row(own_sql, user["id"])["email"] == user["email"]


def test_a_wish_given_up_while_its_mail_is_made(start: Start, open_browser: Open, own_sql: Sql) -> None:
    """A request that ends while the worker waits to compose its mail gets no token."""
    server = start(CONFIRM_EMAIL_CHANGE="true")
    user = open_browser(server).sign_up()
    own_sql.execute("INSERT INTO email_tokens (user_id, purpose, email) VALUES (%s, 'change', 'a@x.com')", [user["id"]])
    lock = "SELECT FROM users WHERE id = %s FOR NO KEY UPDATE"
    end = "DELETE FROM email_tokens WHERE user_id = %s"
    with held_until_blocked(server.dsn, 1, lock, user["id"], then=end):
        own_sql.execute(
            "INSERT INTO mail_outbox (kind, recipient, user_id, metadata) VALUES ('confirm-email', 'a@x.com', %s, '{}')",
            [user["id"]],
        )
    mails = "SELECT FROM mail_outbox WHERE recipient = 'a@x.com' AND sent_at IS NULL"
    eventually(lambda: own_sql.execute(mails).rowcount == 0, "the worker is done with it")
    assert own_sql.execute("SELECT FROM email_tokens WHERE user_id = %s", [user["id"]]).rowcount == 0
    assert "To: a@x.com" not in server.printed()


def test_at_most_five_mails_an_hour(browser: Browser, server: Server) -> None:
    """Further requests get the same answer and no mail."""
    user = browser.register()
    for _ in range(7):
        browser.post("/auth/verify-email/request", {"email": user["email"]})
    ask(browser, browser.register()["email"])
    assert server.printed().count(f"To: {user['email']}") == 5


def test_wishing_again_keeps_the_last_link(start: Start, open_browser: Open, own_sql: Sql) -> None:
    """Requesting the same address more often than mails are sent leaves a link that works."""
    server = start(CONFIRM_EMAIL_CHANGE="true")
    browser = open_browser(server)
    user, wanted = browser.sign_up(), new_email("wanted")
    for _ in range(7):
        assert browser.patch(f"/users/{user['id']}", {"email": wanted}).status_code == 200
    waiting = "SELECT FROM mail_outbox WHERE sent_at IS NULL"
    eventually(lambda: own_sql.execute(waiting).rowcount == 0, "the worker is done")
    assert server.printed().count(f"To: {wanted}") == 5
    token = server.reset_token_mailed_to(wanted)
    assert succeeded(browser.post("/auth/verify-email", {"token": token})) == VERIFIED


def test_a_sign_in_from_a_new_device_is_told(start: Start, open_browser: Open, own_sql: Sql) -> None:
    """NEW_DEVICE_MAIL tells the user, except about known devices and on the account's first day."""
    server = start(NEW_DEVICE_MAIL="true")
    browser, other = open_browser(server), open_browser(server)
    user = browser.sign_up()
    own_sql.execute("UPDATE users SET created_at = now() - interval '2 days' WHERE id = %s", [user["id"]])
    browser.login(user["email"])
    assert other.login(user["email"]).status_code == 200
    eventually(lambda: "New sign-in to your account" in server.printed(), "the mail has come")
    assert other.login(user["email"]).status_code == 200
    kinds = own_sql.execute("SELECT kind FROM mail_outbox WHERE user_id = %s", [user["id"]]).fetchall()
    assert kinds == [{"kind": "new-device"}]
