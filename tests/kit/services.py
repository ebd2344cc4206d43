"""Servers of an app, which call Latchkey with an API key: no cookies, no CSRF token, every answer checked."""

import string
import zlib
from typing import Any
from urllib.parse import urlencode

import httpx

from latchkey.features.api_keys.key_format import new_key, read_key
from tests.kit import plain_http
from tests.kit.server import Server
from tests.kit.stored import Sql
from tests.kit.wire import Wire

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
FORM = "application/x-www-form-urlencoded"


def add_api_key(sql: Sql, *scopes: str, expires_in: str | None = None) -> str:
    """Stores a key with those scopes, and returns it. `expires_in` is an interval; None: it never expires."""
    key = new_key()
    presented = read_key(key)
    assert presented is not None
    sql.execute(
        "INSERT INTO api_keys (id, name, secret_hash, scopes, expires_at)"
        " VALUES (%s, 'a server', %s, %s, now() + %s::interval)",
        [presented.id, presented.hash, list(scopes), expires_in],
    )
    return key


def id_of(key: str) -> str:
    """Returns the id in a key."""
    presented = read_key(key)
    assert presented is not None
    return presented.id


def another_secret(key: str) -> str:
    """Returns a key of the right form with the same id and another secret, as somebody who knows the id would try."""
    unchecked = key[:16] + new_key()[16:-6]
    number, checksum = zlib.crc32(unchecked.encode()), ""
    while number:
        number, digit = divmod(number, 62)
        checksum = BASE62[digit] + checksum
    return unchecked + checksum.rjust(6, "0")


class Service:
    """A server of an app. `key` may be changed; None: it sends none. `address` is what a trusted proxy says of it."""

    def __init__(self, server: Server, wire: Wire, key: str | None) -> None:
        self.server = server
        self.key = key
        self.address: str | None = None
        self._wire = wire
        self._http = plain_http.client(base_url=server.url, timeout=60)

    def request(
        self, method: str, path: str, *, content: bytes | None = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Sends a request with the key."""
        sent: dict[str, Any] = {} if self.key is None else {"X-API-Key": self.key.encode("latin-1")}
        sent |= {} if self.address is None else {"X-Forwarded-For": self.address}
        sent |= headers or {}
        response = self._http.request(method, path, content=content, headers=sent)
        self._wire.check(method, path, response)
        return response

    def introspect(self, token: str, **more: Any) -> httpx.Response:
        """Asks whether a token is good."""
        return self.form(urlencode({"token": token} | more))

    def form(self, body: str, *, content_type: str = FORM, query: str = "") -> httpx.Response:
        """Posts a body to the introspection endpoint."""
        return self.request(
            "POST", f"/oauth/introspect{query}", content=body.encode(), headers={"Content-Type": content_type}
        )

    def revocations(self, since: str | None = None, *, wait: int | None = None) -> dict[str, Any]:
        """Lists ended sessions and returns the data of the answer."""
        query = {"since": since, "wait": wait}
        given = urlencode({name: value for name, value in query.items() if value is not None})
        response = self.request("GET", f"/revocations?{given}" if given else "/revocations")
        assert response.status_code == 200, response.text
        data: dict[str, Any] = response.json()["data"]
        return data

    def close(self) -> None:
        """Closes its connections."""
        self._http.close()
