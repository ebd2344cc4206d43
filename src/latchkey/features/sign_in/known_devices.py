"""Devices that have signed in to an account before, known by a signed cookie.

Guesses at an account are counted apart for each of them, so that a stranger who guesses slows strangers down, not the
owner (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"). The cookie proves a past login with the password
that the account still has, nothing more: it opens nothing. A new password ends it.
"""

import hmac
import re
import secrets

from latchkey.http.exchange import Exchange, RepeatedCookie, only_one
from latchkey.keys import Mac, base64url

MAX_AGE_SECONDS = 34_560_000
"""400 days, the longest that browsers keep a cookie (RFC 6265bis)."""
ACCOUNTS_MAX = 5
Device = tuple[str, list[str]]
"""Its id, and its tags."""
_COOKIE = re.compile(r"[\w-]{22}(\.[\w-]{22}){1,5}", re.ASCII)


class KnownDevices:
    """Reads and writes the cookie `name`: a random device id, and for each account, latest first, a MAC of both and
    of the generation of its credentials."""

    def __init__(self, secret: str, *, prefix: str, secure: bool) -> None:
        self.cookie_name = f"{prefix}knownDevice"
        self._flags = f"Max-Age={MAX_AGE_SECONDS}; Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if secure else "")
        self._mac = Mac(secret, "known device")

    def recognise(self, exchange: Exchange, email: str, generation: int) -> str | None:
        """The id of the device, if it has signed in before to the account with that address (lower case), with its
        credentials of that generation."""
        known = self._known(exchange, email, generation)
        return known[0] if known else None

    def remember(self, exchange: Exchange, email: str, generation: int) -> str:
        """The Set-Cookie value by which this device is known from now on, for its last five accounts."""
        device, tags = self._known(exchange, email, generation) or self._any(exchange)
        tag = self._tag(device, email, generation)
        kept = [tag, *(other for other in tags if other != tag)][:ACCOUNTS_MAX]
        return f"{self.cookie_name}={'.'.join((device, *kept))}; {self._flags}"

    def _known(self, exchange: Exchange, email: str, generation: int) -> Device | None:
        """The only device of those that came which is known to the account."""
        try:
            return only_one([each for each in self._read(exchange) if self._has_tag(each, email, generation)])
        except RepeatedCookie:
            return None

    def _any(self, exchange: Exchange) -> Device:
        """The device that came, known to other accounts, or a new one."""
        came = self._read(exchange)
        return came[0] if len(came) == 1 else (secrets.token_urlsafe(16), [])

    def _has_tag(self, device: Device, email: str, generation: int) -> bool:
        expected = self._tag(device[0], email, generation)
        return any(hmac.compare_digest(tag, expected) for tag in device[1])

    def _read(self, exchange: Exchange) -> list[Device]:
        try:
            values = exchange.cookies(self.cookie_name)
        except RepeatedCookie:
            return []
        parts = [value.split(".") for value in values if _COOKIE.fullmatch(value)]
        return [(device, tags) for device, *tags in parts]

    def _tag(self, device: str, email: str, generation: int) -> str:
        return base64url(self._mac.of(f"{device}|{email}|{generation}".encode())[:16])
