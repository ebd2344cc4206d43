"""The two token cookies."""

from latchkey.sessions.tokens import TokenPair

ACCESS_MAX_AGE_SECONDS = 900
REFRESH_MAX_AGE_SECONDS = 604_800


class SessionCookies:
    """Writes the cookies; `prefix` stands before both names, `secure` is on everywhere but in development."""

    def __init__(self, *, prefix: str, secure: bool) -> None:
        self.access_name = f"{prefix}accessToken"
        self.refresh_name = f"{prefix}refreshToken"
        self._flags = "Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if secure else "")

    def carry(self, pair: TokenPair) -> tuple[str, ...]:
        """Set-Cookie values that sign a browser in."""
        return (
            self._cookie(self.access_name, pair.access, ACCESS_MAX_AGE_SECONDS),
            self._cookie(self.refresh_name, pair.refresh, REFRESH_MAX_AGE_SECONDS),
        )

    def clear(self) -> tuple[str, ...]:
        """Set-Cookie values that sign a browser out: the same attributes, or browsers keep the cookies."""
        return self._cookie(self.access_name, "", 0), self._cookie(self.refresh_name, "", 0)

    def _cookie(self, name: str, value: str, max_age: int) -> str:
        return f"{name}={value}; Max-Age={max_age}; {self._flags}"
