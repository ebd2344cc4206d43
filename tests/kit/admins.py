"""Admins: users whose role an operator has set."""

from tests.kit.browser import Browser, new_email
from tests.kit.stored import Sql

NOT_ALLOWED = (403, "FORBIDDEN", "You are not allowed to perform this action")
CONFIRM = (403, "REAUTHENTICATION_REQUIRED", "Confirm that it is you")
LAST_ADMIN = (409, "LAST_ADMIN", "This is the last admin")
NOT_SELF = (409, "CANNOT_CHANGE_SELF", "Another admin has to do this")


def sign_in_admin(browser: Browser, sql: Sql) -> int:
    """Registers a user, makes them an admin, signs them in and returns their id."""
    email = new_email("admin")
    user_id: int = browser.register(email)["id"]
    sql.execute("UPDATE users SET role = 'admin' WHERE id = %s", [user_id])
    assert browser.login(email).status_code == 200
    return user_id


def age_sign_in(sql: Sql, user_id: int, minutes: int) -> None:
    """Makes the sessions of a user that many minutes older."""
    sql.execute(
        "UPDATE sessions SET created_at = created_at - make_interval(mins => %s) WHERE user_id = %s", [minutes, user_id]
    )
