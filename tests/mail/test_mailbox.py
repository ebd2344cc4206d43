"""/dev/mailbox, without a browser."""

import html
from collections.abc import Callable

import pytest

from tests.kit.browser import Browser
from tests.kit.raw_http import HOST, RawConnection, RawResponse, request
from tests.kit.server import Server
from tests.kit.smtp_server import SmtpServer
from tests.kit.stored import Sql


def test_shows_what_was_sent_and_runs_nothing(browser: Browser, sql: Sql) -> None:
    """A developer finds the link there. Names and addresses are escaped, and the policy allows styles only."""
    user = browser.register()
    sql.execute("UPDATE users SET name = '<script>x</script>' WHERE id = %s", [user["id"]])
    browser.post("/auth/forgot-password", {"email": user["email"]})
    token = browser.server.reset_token_mailed_to(user["email"])
    page = browser.get("/dev/mailbox")
    assert page.status_code == 200
    link = f"http://localhost:{browser.server.port}/reset-password#token={token}"
    assert f'<a href="{link}"' in page.text
    assert user["email"] in page.text
    assert html.escape(f'<a href="{link}"').replace("&quot;", "&#34;") in page.text
    assert "<script" not in page.text
    assert page.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert page.headers["cache-control"] == "no-store"


def _with_host(server: Server, host: str, path: str, method: str = "GET") -> RawResponse:
    with RawConnection(server) as connection:
        return connection.answer(request(method, path).replace(HOST, f"Host: {host}\r\n".encode("latin-1")))


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:{port}",
        "app.localhost:{port}",
        "127.0.0.1",
        "127.0.0.1:{port}",
        "127.8.9.10",
        "[::1]:{port}",
    ],
)
def test_names_of_this_machine_are_answered(server: Server, host: str) -> None:
    """With any request of a developer."""
    assert _with_host(server, host.replace("{port}", str(server.port)), "/dev/mailbox").status == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.test:{port}", "localhost.evil.test", "127.0.0.1.evil.test", "notlocalhost", "evil-localhost"),
        *("192.0.2.7:{port}", "10.0.0.1", "128.0.0.1", "[::]", "[::2]", "[2001:db8::1]", "localhost."),
        *("127.0.0.1x", "127.0.0.1.", "127.1", "2130706433"),
    ],
)
def test_other_names_get_what_production_answers(server: Server, host: str) -> None:
    """A page elsewhere can make its own name resolve to this machine, but gets 404 here."""
    host = host.replace("{port}", str(server.port))
    for method in ("GET", "POST", "OPTIONS"):
        answer, unknown = (_with_host(server, host, path, method) for path in ("/dev/mailbox", "/dev/nothing"))
        assert (answer.status, answer.body) == (unknown.status, unknown.body)
        assert answer.headers.keys() == unknown.headers.keys()
    assert _with_host(server, host, "/dev/mailbox/").refused == (404, "RESOURCE_NOT_FOUND")


def test_is_not_there_in_production(smtp: SmtpServer, mailing: Server, open_browser: Callable[..., Browser]) -> None:
    """It shows secrets."""
    browser = open_browser(mailing)
    browser.post("/auth/forgot-password", {"email": browser.register()["email"]})
    smtp.wait_for(1)
    assert browser.get("/dev/mailbox").status_code == 404
