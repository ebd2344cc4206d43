"""A proxy in front of an app, which asks Latchkey about each request: only its questions, without the program."""

import httpx

from tests.kit.browser import Browser

ACCOUNTS, APP, LISTED, SIBLING = (
    "https://accounts.example.com",
    "https://app.example.com",
    "https://www.example.com",
    "https://sibling.example.com",
)
"""Latchkey's own origin (PUBLIC_URL), the app's, one in CORS_ORIGINS, and one that is none of these."""
CHECK = "/auth/check"


class AskingProxy:
    """The proxy of the app at APP. It asks about the requests of one browser, whose server trusts it."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    def ask(
        self,
        query: str = "",
        method: str | None = "GET",
        *,
        uri: str = "/",
        cookies: dict[str, str] | None = None,
        **headers: str | None,
    ) -> httpx.Response:
        """Asks about a request to `uri` of the app: `ask("profile=1", "POST", Sec_Fetch_Site="same-origin")`.

        Sends the browser's cookies, or exactly `cookies`. A header that is None is not sent.
        """
        told: dict[str, str | None] = {
            "X-Forwarded-Method": method,
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "app.example.com",
            "X-Forwarded-Uri": uri,
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in told.items() if value is not None}
        return self._browser.get(f"{CHECK}?{query}" if query else CHECK, headers=sent, cookies=cookies)
