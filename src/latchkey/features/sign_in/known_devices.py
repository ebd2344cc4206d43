"""Known devices, which have signed in to an account before, by a signed cookie, or a header of native clients.

Each has its own count of guesses at an account, so a stranger's guesses slow strangers down, not the owner (OWASP,
"Slow Down Online Guessing Attacks with Device Cookies"). It only proves a past login with the account's current
password, and opens nothing. A new password ends it.
"""

import hmac
import re
import secrets
from collections.abc import Iterator

from latchkey.http.exchange import Exchange, RepeatedCookie, only_one
from latchkey.http.request_kind import Transport
from latchkey.keys import Mac, Secret, base64url

MAX_AGE_SECONDS = 34_560_000
"""400 days, the maximum that browsers keep a cookie (RFC 6265bis)."""
ACCOUNTS_MAX = 5
DEVICE_HEADER = "x-device-token"
Device = tuple[str, list[str]]
"""A device's id and its tags."""
_COOKIE = re.compile(r"[\w-]{22}(\.[\w-]{22}){1,5}", re.ASCII)


class KnownDevices:
    """Reads and writes the cookie `cookie_name`, or for native clients the header X-Device-Token.

    The value holds a random device id and, for each account, latest first, a MAC of the id, the account and the
    generation of its credentials. A tag that an accepted secret has made is replaced at the account's next login.
    """

    def __init__(self, secret: Secret, *, prefix: str, secure: bool) -> None:
        self.cookie_name = f"{prefix}knownDevice"
        self._flags = f"Max-Age={MAX_AGE_SECONDS}; Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if secure else "")
        self._mac = Mac(secret, "known device")

    def recognise(self, exchange: Exchange, email: str, generation: int) -> str | None:
        """Returns the device's id if it has signed in to the account with that address (lower case) and generation."""
        known = self._known(exchange, email, generation)
        return known[0] if known else None

    def remember(self, exchange: Exchange, email: str, generation: int) -> str:
        """Returns the value that makes the device known, for its last five accounts."""
        device, tags = self._known(exchange, email, generation) or self._any(exchange)
        tag, *earlier = self._tags(device, email, generation)
        kept = [tag, *(other for other in tags if other not in {tag, *earlier})][:ACCOUNTS_MAX]
        return ".".join((device, *kept))

    def cookie(self, value: str) -> str:
        """Returns the Set-Cookie value for a browser."""
        return f"{self.cookie_name}={value}; {self._flags}"

    def _known(self, exchange: Exchange, email: str, generation: int) -> Device | None:
        """Returns the only device in the request that is known to the account."""
        try:
            return only_one([each for each in self._read(exchange) if self._has_tag(each, email, generation)])
        except RepeatedCookie:
            return None

    def _any(self, exchange: Exchange) -> Device:
        """Returns the request's device, known to other accounts, or a new one."""
        came = self._read(exchange)
        return came[0] if len(came) == 1 else (secrets.token_urlsafe(16), [])

    def _has_tag(self, device: Device, email: str, generation: int) -> bool:
        return any(
            hmac.compare_digest(tag, expected)
            for expected in self._tags(device[0], email, generation)
            for tag in device[1]
        )

    def _read(self, exchange: Exchange) -> list[Device]:
        try:
            values = exchange.cookies(self.cookie_name)
        except RepeatedCookie:
            return []
        if exchange.kind.transport is Transport.BEARER:
            values = [exchange.header(DEVICE_HEADER) or ""]
        parts = [value.split(".") for value in values if _COOKIE.fullmatch(value)]
        return [(device, tags) for device, *tags in parts]

    def _tags(self, device: str, email: str, generation: int) -> Iterator[str]:
        """Yields the tag that each secret makes, the current one first."""
        message = f"{device}|{email}|{generation}".encode()
        yield base64url(self._mac.of(message)[:16])
        for mac in self._mac.accepted(message):
            yield base64url(mac[:16])
