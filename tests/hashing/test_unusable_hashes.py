"""Stored hashes that nothing can match: of other programs, cut, or garbled. They answer as a wrong password does."""

from collections.abc import Callable

import bcrypt
import pytest

from tests.kit.browser import PASSWORD, Browser, refused
from tests.kit.stored import Sql, plant_reset_token

WRONG_CREDENTIALS = (401, "UNAUTHORIZED", "Invalid credentials")
WRONG_CURRENT_PASSWORD = (400, "VALIDATION_ERROR", "Current password is incorrect")
LINE = "a stored password hash is not usable"
MADE = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def _with(position: int, text: str) -> str:
    """A hash of the right password with other text at one place."""
    return MADE[:position] + text + MADE[position + 1 :]


def _next(position: int) -> str:
    """The same bytes as MADE, spelt with another bit that does not count."""
    return _with(position, ALPHABET[ALPHABET.index(MADE[position]) + 1])


UNUSABLE = {
    "empty": "",
    "plain text": PASSWORD,
    "dollars": "$$$",
    "of Spring": "{bcrypt}" + MADE,
    "of Django": "bcrypt$" + MADE,
    "of Dovecot": "{BLF-CRYPT}" + MADE,
    "of passlib": MADE.replace("$2b$", "$bcrypt-sha256$v=2,t=2b,r="),
    "the first bcrypt": MADE.replace("$2b$", "$2$"),
    "2x": MADE.replace("$2b$", "$2x$"),
    "2c": MADE.replace("$2b$", "$2c$"),
    "2B": MADE.replace("$2b$", "$2B$"),
    "without a kind": MADE.replace("$2b$", "$$"),
    **{
        f"rounds {r!r}": MADE.replace("$04$", f"${r}$")
        for r in ("", "4", "004", "+4", " 4", "03", "00", "17", "31", "99")
    },
    "rounds in other digits": MADE.replace("$04$", "$\u0660\u0664$"),
    "superscript rounds": MADE.replace("$04$", "$0\u2074$"),
    "salt alone": MADE[:29],
    "cut": MADE[:-1],
    "longer": MADE + "A",
    "newline after": MADE + "\n",
    "space after": MADE + " ",
    "space before": " " + MADE,
    "no-break space after": MADE + "\xa0",
    **{
        f"{name} {c!a}": _with(place, c)
        for name, place in (("salt", 10), ("hash", 40))
        for c in "=+-_!$ \t\x01\xe9\u212a"
    },
    "unused bits of the salt": _next(28),
    "unused bits of the hash": _next(59),
    "argon2 of another version": "$argon2id$v=16$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b2dWRWJTmaaaObG",
    "argon2d": "$argon2d$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b2dWRWJTmaaaObG",
    "argon2 that is too costly": "$argon2id$v=19$m=131073,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b2dWRWJTmaaaObG",
    "scrypt that is too costly": "scrypt:131072:8:1$salt$" + "0" * 64,
    "PBKDF2 that is too costly": "pbkdf2_sha256$2000001$salt$" + "A" * 43 + "=",
    "sha512-crypt": "$6$rounds=5000$usesomesillystri$" + "x" * 86,
    "md5": "5f4dcc3b5aa765d61d8327deb882cf99",
    "disabled": "!" + MADE,
    "255 characters": "$2b$04$" + "a" * 248,
}


@pytest.mark.parametrize("stored", UNUSABLE.values(), ids=UNUSABLE)
def test_matches_no_password(browser: Browser, sql: Sql, stored: str) -> None:
    """Not the right one, no other, nor the hash itself; the operator is told, and a reset link mends it."""
    user = browser.sign_up()
    sql.execute("UPDATE users SET password = %s WHERE id = %s", [stored, user["id"]])
    lines = browser.server.printed().count(LINE)
    assert refused(browser.login(user["email"])) == WRONG_CREDENTIALS
    assert browser.server.printed().count(LINE) == lines + 1
    if stored:
        assert refused(browser.login(user["email"], stored)) == WRONG_CREDENTIALS
    change = {"currentPassword": PASSWORD, "newPassword": "Changed456!"}
    assert refused(browser.post("/auth/change-password", change)) == WRONG_CURRENT_PASSWORD
    plant_reset_token(sql, user["id"], "0" * 64)
    reset = {"token": "0" * 64, "newPassword": "Changed456!"}
    assert browser.post("/auth/reset-password", reset).status_code == 200
    assert browser.login(user["email"], "Changed456!").status_code == 200


@pytest.mark.parametrize("spell", [lambda made: made, lambda made: made.replace("$2b$", "$2y$")])
def test_whole_hashes_match(browser: Browser, sql: Sql, spell: Callable[[str], str]) -> None:
    """A rule that refuses everything would pass the test above."""
    user = browser.register()
    for _ in range(8):
        made = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        sql.execute("UPDATE users SET password = %s WHERE id = %s", [spell(made), user["id"]])
        assert browser.login(user["email"]).status_code == 200
