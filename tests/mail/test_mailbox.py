"""/dev/mailbox, without a browser."""

import html
from collections.abc import Callable

from tests.kit.browser import Browser
from tests.kit.server import Server
from tests.kit.smtp_server import SmtpServer
from tests.kit.stored import Sql


def test_shows_what_was_sent_and_runs_nothing(browser: Browser, sql: Sql) -> None:
    """A developer finds the link there; whatever stands in a name or address is text, and the policy allows styles and
    nothing else."""
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


def test_is_not_there_in_production(smtp: SmtpServer, mailing: Server, open_browser: Callable[..., Browser]) -> None:
    """It shows secrets."""
    browser = open_browser(mailing)
    browser.post("/auth/forgot-password", {"email": browser.register()["email"]})
    smtp.wait_for(1)
    assert browser.get("/dev/mailbox").status_code == 404
