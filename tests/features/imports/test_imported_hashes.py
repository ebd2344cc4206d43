"""Accounts with hashes of other services sign in, and after that their hash is bcrypt."""

from collections.abc import Callable

import pytest

from tests.kit.browser import PASSWORD, Browser, new_email, refused
from tests.kit.import_files import Run, Write
from tests.kit.server import Server
from tests.kit.stored import Sql, plant_reset_token
from tests.kit.timing import Ask, assert_equal_time

WRONG_CREDENTIALS = (401, "UNAUTHORIZED", "Invalid credentials")
UNUSABLE = "a stored password hash is not usable"
DJANGO = "pbkdf2_sha256$1000$seasalt$cR5zO51kEpfDHRAoxhgX1t7S61sDrllM6vVT/3y8rN8="
ARGON2 = "$argon2id$v=19$m=1024,t=1,p=2$U0OcvlWDSGsmPckIqbHCuQ$Uv8av0jJ9q5Ds8mlkeq0FPla/zxFNlsUl1PoBFLslNc"
SCRYPT = "$scrypt$ln=10,r=8,p=1$rJVSipHy/j/H2Lv33hvD2A$SV81Pfn1dRwwPbQxRpa0M5aPe0LPC5G9u9UaZTyMRbk"
LONG = "correct horse battery staple " * 4
OF_LONG = "$pbkdf2-sha256$1000$1hpjrHXO2VurdW6tFUJo7Q$Rr0NyMA9tPioKoEDfyeLcyRlgdOU61VLg.ZzFuwtkfo"
TOO_COSTLY = {
    "argon2": "$argon2id$v=19$m=131073,t=2,p=1$c29tZXNhbHQ$" + "A" * 43,
    "scrypt": "scrypt:131072:8:1$salt$" + "0" * 64,
    "PBKDF2": "pbkdf2_sha256$2000001$salt$" + "A" * 43 + "=",
    "bcrypt": "bcrypt_sha256$$2b$17$" + "." * 53,
}
Serve = Callable[[], Browser]


@pytest.fixture
def serve(start: Callable[..., Server], open_browser: Callable[..., Browser]) -> Serve:
    """Starts a server on the test's database, and opens a browser on it."""
    return lambda: open_browser(start())


def stored_hash(sql: Sql, email: str) -> str:
    row = sql.execute("SELECT password FROM users WHERE email = %s", [email]).fetchone()
    assert row is not None
    return str(row["password"])


def test_each_scheme_signs_in_and_is_renewed(run: Run, write: Write, serve: Serve, own_sql: Sql) -> None:
    hashes = {"django@example.com": DJANGO, "argon2@example.com": ARGON2, "scrypt@example.com": SCRYPT}
    file = write(*({"email": email, "name": "Siam", "password_hash": made} for email, made in hashes.items()))
    assert run("import", str(file), "--json").json()["imported"] == 3
    browser = serve()
    for email, made in hashes.items():
        assert refused(browser.login(email, "Wrong-password1")) == WRONG_CREDENTIALS
        assert stored_hash(own_sql, email) == made
        assert browser.login(email).status_code == 200
        assert stored_hash(own_sql, email).startswith("$2b$04$")
        assert browser.login(email).status_code == 200


def test_a_password_over_72_bytes_stays_as_it_is(run: Run, write: Write, serve: Serve, own_sql: Sql) -> None:
    """bcrypt could not match it. A new password of the usual size ends that."""
    run("import", str(write({"email": "ann@example.com", "name": "Ann", "password_hash": OF_LONG})))
    browser = serve()
    for _ in range(2):
        assert browser.login("ann@example.com", LONG).status_code == 200
        assert stored_hash(own_sql, "ann@example.com") == OF_LONG
    change = {"currentPassword": LONG, "newPassword": PASSWORD}
    assert browser.post("/auth/change-password", change).status_code == 200
    assert stored_hash(own_sql, "ann@example.com").startswith("$2b$04$")


def test_an_account_without_a_hash_waits_for_its_reset_link(run: Run, write: Write, serve: Serve, own_sql: Sql) -> None:
    run("import", str(write({"email": "ann@example.com", "name": "Ann"})))
    browser = serve()
    for password in (PASSWORD, "!", stored_hash(own_sql, "ann@example.com")):
        assert refused(browser.login("ann@example.com", password)) == WRONG_CREDENTIALS
    assert UNUSABLE not in browser.server.printed()
    row = own_sql.execute("SELECT id FROM users").fetchone()
    assert row is not None
    plant_reset_token(own_sql, row["id"], "0" * 64)
    reset = {"token": "0" * 64, "newPassword": PASSWORD}
    assert browser.post("/auth/reset-password", reset).status_code == 200
    assert browser.login("ann@example.com").status_code == 200


@pytest.mark.parametrize("stored", TOO_COSTLY.values(), ids=TOO_COSTLY)
def test_too_costly_hashes_are_refused_at_import_and_at_login(
    run: Run, write: Write, browser: Browser, sql: Sql, stored: str
) -> None:
    counts = run("import", str(write({"email": "ann@example.com", "name": "Ann", "password_hash": stored})), "--json")
    assert (counts.json()["imported"], counts.json()["refused"]) == (0, 1)
    user = browser.register()
    sql.execute("UPDATE users SET password = %s WHERE id = %s", [stored, user["id"]])
    before = browser.server.printed().count(UNUSABLE)
    assert refused(browser.login(user["email"])) == WRONG_CREDENTIALS
    assert browser.server.printed().count(UNUSABLE) == before + 1


def test_imported_accounts_do_not_stand_out(run: Run, write: Write, serve: Serve) -> None:
    """An unknown address takes as long as the accounts do, on a server that was started before the import."""
    browser = serve()
    costly = DJANGO.replace("$1000$", "$100000$")
    emails = [new_email() for _ in range(50)]
    run("import", str(write(*({"email": each, "name": "Siam", "password_hash": costly} for each in emails))))
    without = [new_email() for _ in range(50)]
    run("import", str(write(*({"email": each, "name": "Siam"} for each in without), name="without.ndjson")))

    def login(addresses: list[str]) -> Ask:
        turns = iter(addresses * 9)
        return lambda: refused(browser.login(next(turns), "Wrong-password1"))

    for other in ([new_email("nobody") for _ in range(50)], without):
        assert_equal_time(login(emails), login(other), tolerance=0.35, pairs=12)
