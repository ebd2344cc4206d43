"""A native client: a phone app or a script, which keeps its tokens itself and uses no cookies."""

from typing import Any

import httpx

from tests.kit import plain_http
from tests.kit.browser import PASSWORD
from tests.kit.server import Server
from tests.kit.wire import Wire

NATIVE = {"X-Client-Type": "native"}


class NativeClient:
    """Holds the tokens of one session. Every answer is checked against the OpenAPI document, and must set no cookie."""

    def __init__(self, server: Server, wire: Wire) -> None:
        self.server = server
        self.wire = wire
        self.access = ""
        self.refresh = ""
        self.device = ""
        self._http = plain_http.client(base_url=server.url, timeout=30)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        bearer: str | None = None,
        native: bool = True,
    ) -> httpx.Response:
        """Sends a request with the access token (or exactly `bearer`; "": none), and exactly those other headers."""
        token = self.access if bearer is None else bearer
        sent = (NATIVE if native else {}) | ({"Authorization": f"Bearer {token}"} if token else {}) | (headers or {})
        response = self._http.request(method, path, json=body, headers=sent)
        self.wire.check(method, path, response)
        assert "Cookie" in sent or "set-cookie" not in response.headers
        return response

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return self.request("POST", path, body, **options)

    def login(self, email: str, password: str = PASSWORD, **options: Any) -> httpx.Response:
        """Signs in, and keeps the tokens of a success."""
        headers = {"X-Device-Token": self.device} if self.device else {}
        response = self.post("/auth/login", {"email": email, "password": password}, headers=headers, **options)
        self.device = self.keep(response).get("deviceToken", self.device)
        return response

    def renew(self, refresh: str | None = None) -> httpx.Response:
        """Refreshes, and keeps the tokens of a success."""
        body = {"refreshToken": self.refresh if refresh is None else refresh}
        response = self.post("/auth/refresh-token", body, bearer="")
        self.keep(response)
        return response

    def keep(self, response: httpx.Response) -> dict[str, Any]:
        """Keeps the tokens of an answer, if it has any, and returns them."""
        tokens: dict[str, Any] = response.json()["data"]["tokens"] if response.is_success else {}
        self.access, self.refresh = tokens.get("accessToken", self.access), tokens.get("refreshToken", self.refresh)
        return tokens

    def move_to(self, server: Server) -> None:
        """Talks to another server from now on, with the same tokens, as behind a balancer."""
        self.close()
        self.server = server
        self._http = plain_http.client(base_url=server.url, timeout=30)

    def close(self) -> None:
        """Closes its connections."""
        self._http.close()
