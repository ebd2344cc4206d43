"""Passwords and tokens are in no log line, no answer that is not theirs and, raw, nowhere in the database."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex

import httpx
import psycopg
from psycopg import sql as composing

from tests.kit.browser import Browser, new_email
from tests.kit.server import ACCESS_SECRET, REFRESH_SECRET, Server
from tests.kit.stored import Sql

OTHER_NAMES = ("Authorization", "X-Api-Key", "Referer", "X-Request-Id", "X-Forwarded-For", "Origin")


@dataclass
class Life:
    """What an account's life used: its secrets, and every answer that it got."""

    secrets: set[str] = field(default_factory=set)
    reset_tokens: set[str] = field(default_factory=set)
    answers: list[httpx.Response] = field(default_factory=list)
    email: str = field(default_factory=lambda: new_email("secret"))

    def keep(self, browser: Browser, response: httpx.Response) -> None:
        """Remembers an answer and what is in the jar after it."""
        self.answers.append(response)
        self.secrets |= {value for name, value in browser.cookies.items() if name != "_csrf"}


def live(browser: Browser, *, mails: bool) -> Life:
    """Uses every endpoint that takes or makes a secret, rightly and wrongly, and sends secrets where none belong."""
    life = Life()
    first, second, third, wrong = (f"Pass-{token_hex(8)}" for _ in range(4))
    life.secrets |= {first, second, third, wrong}

    def post(path: str, body: object = None, content: bytes | None = None) -> httpx.Response:
        headers = {"Content-Type": "application/json"} if content else None
        response = browser.post(path, body, content=content, headers=headers)
        life.keep(browser, response)
        return response

    post("/auth/register", {"name": "Siam", "email": life.email, "password": first})
    post("/auth/register", {"name": "Siam", "email": life.email, "password": second})
    post("/auth/register", {"name": 1, "email": "x", "password": [wrong]})
    post("/auth/login", {"email": life.email, "password": wrong})
    post("/auth/login", {"email": life.email, "password": {"$ne": wrong}})
    post("/auth/login", content=f'{{"email": "{life.email}", "password": "{wrong}"'.encode())
    post("/auth/login", content=b"\xff" + wrong.encode())
    post("/auth/login", {"email": life.email, "password": first})
    user_id = life.answers[-1].json()["data"]["user"]["id"]
    spent = browser.cookies["refreshToken"]
    post("/auth/refresh-token")
    post("/auth/change-password", {"currentPassword": wrong, "newPassword": second})
    post("/auth/change-password", {"currentPassword": first, "newPassword": second})
    access = browser.cookies["accessToken"]
    for name in OTHER_NAMES:
        life.keep(browser, browser.get("/auth/me", headers={name: access}))
    life.keep(browser, browser.get(f"/users?token={access}&password={second}&page={spent}"))
    life.keep(browser, browser.get(f"/users/{user_id}?accessToken={access}"))
    life.keep(browser, browser.request("PATCH", f"/users/{user_id}", {"password": wrong, "name": "Renamed"}))
    life.keep(browser, browser.get("/auth/me", cookies={"accessToken": access + "x", "other": second}))
    post("/auth/forgot-password", {"email": life.email})
    if mails:
        token = browser.server.reset_token_mailed_to(life.email)
        life.reset_tokens.add(token)
        post("/auth/reset-password", {"token": token, "newPassword": "short"})
        post("/auth/reset-password", {"token": [token], "newPassword": third})
        post(f"/auth/reset-password?token={token}", {"token": token, "newPassword": third})
        post("/auth/reset-password", {"token": token, "newPassword": third})
        post("/auth/login", {"email": life.email, "password": third})
    replay = {"_csrf": browser.cookies["_csrf"], "refreshToken": spent}
    life.keep(browser, browser.post("/auth/refresh-token", cookies=replay))
    post("/auth/logout")
    return life


def check_answers(life: Life) -> None:
    """Holds that no answer shows a secret anywhere but in the Set-Cookie lines that hand one out."""
    assert len(life.answers) > 20
    for answer in life.answers:
        headers = [line for line in answer.headers.multi_items() if line[0] != "set-cookie"]
        shown = answer.text + repr(headers)
        assert not [secret for secret in life.secrets | life.reset_tokens if secret in shown], answer.request.url


def stored_text(sql: Sql) -> str:
    """Every value of every table, as text; bytes in hex."""
    tables = sql.execute("SELECT relid::regclass::text AS name FROM pg_stat_user_tables").fetchall()
    rows: list[str] = []
    for table in tables:
        query = composing.SQL("SELECT t::text AS row FROM {} AS t").format(composing.SQL(table["name"]))
        rows += [row["row"] for row in sql.execute(query)]
    return "\n".join(rows)


def check_stored(life: Life, text: str) -> None:
    """Holds that the database has the hash of the refresh token, and of no secret the thing itself."""
    refresh = [answer.cookies["refreshToken"] for answer in life.answers if answer.cookies.get("refreshToken")]
    assert hashlib.sha256(refresh[-1].encode()).hexdigest() in text
    every = life.secrets | life.reset_tokens | {ACCESS_SECRET, REFRESH_SECRET}
    assert not [secret for secret in every if secret in text or secret.encode().hex() in text]


def test_in_development_only_the_mail_shows_the_reset_token(browser: Browser, sql: Sql) -> None:
    """A whole life leaves no secret but the link in its mail."""
    life = live(browser, mails=True)
    check_answers(life)
    check_stored(life, stored_text(sql))
    lines = browser.server.printed().splitlines()
    mailed = [line for line in lines if line.startswith("  mail | ")]
    logged = [line for line in lines if not line.startswith("  mail | ")]
    assert any(f"#token={token}" in line for line in mailed for token in life.reset_tokens)
    assert not [line for line in mailed for secret in life.secrets if secret in line]
    every = life.secrets | life.reset_tokens | {ACCESS_SECRET, REFRESH_SECRET, life.email}
    assert not [line for line in logged for secret in every if secret in line]


def test_in_production_the_log_has_neither_secrets_nor_mails(
    start: Callable[..., Server], open_browser: Callable[..., Browser], database: str
) -> None:
    """No mail is printed, no token made for a mail that nobody gets, no secret anywhere."""
    server = start(ENVIRONMENT="production")
    life = live(open_browser(server), mails=False)
    check_answers(life)
    with psycopg.connect(database, autocommit=True, row_factory=psycopg.rows.dict_row) as sql:
        check_stored(life, stored_text(sql))
        assert sql.execute("SELECT FROM users WHERE reset_token IS NOT NULL").rowcount == 0
    assert server.stop() == 0
    printed = server.printed()
    assert "POST" in printed
    assert "mail |" not in printed
    assert "#token=" not in printed
    every = life.secrets | {ACCESS_SECRET, REFRESH_SECRET, life.email}
    assert not [secret for secret in every if secret in printed]
