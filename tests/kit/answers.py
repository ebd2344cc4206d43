"""Reads answers: successes, Set-Cookie lines, and the claims of tokens."""

import json
from base64 import urlsafe_b64decode
from typing import Any

import httpx

from tests.kit.browser import Browser

Attributes = dict[str, str | bool]

ACCESS_COOKIE: Attributes = {"path": "/", "max-age": "900", "httponly": True, "samesite": "Strict"}
REFRESH_COOKIE: Attributes = ACCESS_COOKIE | {"max-age": "604800"}
DEVICE_COOKIE: Attributes = ACCESS_COOKIE | {"max-age": "34560000"}
CLEARED_COOKIE: Attributes = ACCESS_COOKIE | {"max-age": "0"}


def succeeded(response: httpx.Response) -> tuple[int, str, Any]:
    """Returns status, message and data of a success without `meta`. Fails for any other answer."""
    body = response.json()
    assert body.keys() == {"success", "message", "data"}, response.text
    assert body["success"] is True, response.text
    return response.status_code, body["message"], body["data"]


def cookies_set(browser: Browser) -> dict[str, Attributes]:
    """Returns the cookies that the latest answer set, by name, with all attributes of their line."""
    return {cookie.key: {name: value for name, value in cookie.items() if value} for cookie in browser.set_cookies}


def claims_of(token: str) -> dict[str, Any]:
    """Returns the payload of a JWT, unverified."""
    return _part(token, 1)


def header_of(token: str) -> dict[str, Any]:
    """Returns the header of a JWT, unverified."""
    return _part(token, 0)


def _part(token: str, number: int) -> dict[str, Any]:
    encoded = token.split(".")[number]
    decoded: dict[str, Any] = json.loads(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    return decoded
