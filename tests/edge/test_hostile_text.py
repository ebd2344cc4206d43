"""Text that has broken other services, in every field that takes text."""

import pytest

from tests.kit.browser import Browser, Member, bad_fields
from tests.kit.routes import (
    BODY_FIELDS,
    EMAIL_FIELDS,
    NAME_FIELDS,
    TOKEN_FIELDS,
    TYPED_EMAIL_FIELDS,
    Route,
    call_with,
    field_ids,
)
from tests.kit.server import Server
from tests.kit.stored import Sql, everything_of, users_with

ALL_BUT_PASSWORDS = (*NAME_FIELDS, *EMAIL_FIELDS, *TYPED_EMAIL_FIELDS, *TOKEN_FIELDS)
INJECTIONS = (
    "' OR '1'='1",
    "' OR 1=1--",
    "'; DROP TABLE users;--",
    '"; DROP TABLE users;--',
    "' UNION SELECT id, name, password FROM users--",
    "') OR ('1'='1",
    "admin'--",
    "admin'/*",
    "'||(SELECT version())||'",
    "'||pg_sleep(5)||'",
    "1; SELECT pg_sleep(5)",
    "1 OR 1=1",
    "-1 OR 1=1",
    "1) UNION ALL SELECT NULL--",
    "$1",
    "$$ OR 1=1 $$",
    "%' AND 1=0 UNION SELECT NULL--",
    "\\'; SELECT 1;--",
    "\u02bc OR 1=1--",
    "\uff07 OR 1=1--",
    "E'\\x27'",
    "{{7*7}}${7*7}",
    "%s%s%n",
    "../../../../etc/passwd",
    "';COPY users TO PROGRAM 'id';--",
)
"""Twenty-five."""


@pytest.mark.parametrize(("route", "field"), ALL_BUT_PASSWORDS, ids=field_ids(ALL_BUT_PASSWORDS))
@pytest.mark.parametrize("text", ["{}\0", "\0{}", "\0"], ids=["last", "first", "alone"])
def test_zero_character(member: Member, sql: Sql, route: Route, field: str, text: str) -> None:
    """PostgreSQL can hold it neither in text nor in JSON; 400 everywhere but in passwords."""
    before = everything_of(sql, member.id)
    plain = {"name": "Siam", "email": "siam@example.com", "token": "0" * 64}[field]
    response = call_with(member.browser, member.id, route, field, text.format(plain))
    assert response.status_code == 400, response.text
    if field != "token":
        assert bad_fields(response) == {field}
    assert everything_of(sql, member.id) == before


@pytest.mark.parametrize(("route", "field"), BODY_FIELDS, ids=field_ids(BODY_FIELDS))
@pytest.mark.parametrize("text", ["siam@example.com\ud800", "\udc00secret123", "si\udfff\ud800am", "\ud83dx"])
def test_lone_surrogate(member: Member, sql: Sql, route: Route, field: str, text: str) -> None:
    """JSON can spell it, UTF-8 cannot hold it; 400 in all fourteen fields instead of a 500."""
    before = everything_of(sql, member.id)
    assert bad_fields(call_with(member.browser, member.id, route, field, text)) == {field}
    assert everything_of(sql, member.id) == before


@pytest.mark.parametrize(("route", "field"), BODY_FIELDS, ids=field_ids(BODY_FIELDS))
def test_injection_in_a_field(browser: Browser, sql: Sql, route: Route, field: str) -> None:
    """No string is ever a piece of SQL. A name and a password may be such text; then it is kept as it is."""
    user = browser.sign_up()
    for text in INJECTIONS:
        response = call_with(browser, user["id"], route, field, text)
        if response.status_code == 429:
            # Wrong guesses at one account get slow; the next text is for another.
            user = browser.sign_up()
            response = call_with(browser, user["id"], route, field, text)
        assert response.status_code in {200, 201, 400, 401}, f"{text}: {response.text}"
        if response.status_code < 300 and field == "name":
            data = response.json()["data"]
            assert data.get("user", data)["name"] == text
        if response.status_code == 200 and route.path == "/auth/change-password":
            user = browser.sign_up()
    assert sql.execute("SELECT count(*) > 0 AS there FROM users").fetchone() == {"there": True}


@pytest.mark.parametrize("text", INJECTIONS)
def test_injection_at_login(browser: Browser, sql: Sql, text: str) -> None:
    """The classic: neither the address nor the password lets anybody in, and nobody waits for pg_sleep."""
    user = browser.register()
    for body in (
        {"email": user["email"] + text, "password": "x"},
        {"email": user["email"], "password": text},
    ):
        response = browser.post("/auth/login", body)
        assert response.status_code in {400, 401}
        assert response.elapsed.total_seconds() < 5
        assert "set-cookie" not in response.headers
    assert users_with(sql, user["email"]) == [user["id"]]


@pytest.mark.parametrize("text", [text for text in INJECTIONS if not set("/\\") & set(text)])
def test_injection_in_path_and_query(member: Member, text: str) -> None:
    """Numbers are read as digits, never passed on. (Encoded slashes name nothing: test_paths.py.)"""
    encoded = "".join(f"%{byte:02X}" for byte in text.encode())
    assert bad_fields(member.browser.get(f"/users/1{encoded}")) == {"id"}
    for name in ("page", "limit"):
        assert bad_fields(member.browser.get(f"/users?{name}=1{encoded}")) == {name}


def test_log_is_not_forged(browser: Browser, server: Server) -> None:
    """A line break in a path, a name or an address must not write a line of its own into the log."""
    browser.fetch_csrf()
    forged = "00:00:00 GET /forged 200 1.0 ms"
    encoded = "".join(f"%{byte:02x}" for byte in f"\n{forged}\n".encode())
    for path in (f"/users/1{encoded}", f"/nowhere{encoded}"):
        answer = browser.request("GET", path, headers={"User-Agent": "x"}) if "nowhere" in path else None
        assert answer is None or answer.status_code == 404
    browser.post("/auth/login", {"email": f"a@b\n{forged}\n", "password": "x"})
    assert forged not in server.printed().splitlines()
