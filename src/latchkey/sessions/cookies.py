"""The two token cookies."""

from latchkey.sessions.tokens import Lifetimes, TokenPair

ACCESS_MIN_SECONDS = 900
REFRESH_MIN_SECONDS = 604_800
"""What the cookies live at least, as in node-api-postgres: an expired token still says which session it was of."""


class SessionCookies:
    """Writes the cookies; `prefix` stands before both names, `secure` is on everywhere but in development. A cookie
    lives at least as long as its token."""

    def __init__(self, *, prefix: str, secure: bool, lifetimes: Lifetimes, root_path: str) -> None:
        self.access_name = f"{prefix}accessToken"
        self.refresh_name = f"{prefix}refreshToken"
        self._access_seconds = max(ACCESS_MIN_SECONDS, lifetimes.access_seconds)
        self._refresh_seconds = max(REFRESH_MIN_SECONDS, lifetimes.refresh_seconds)
        self._flags = "HttpOnly; SameSite=Strict" + ("; Secure" if secure else "")
        # With the prefix __Host- browsers keep no cookie of another path.
        narrower = (
            [] if prefix == "__Host-" else [f"{root_path}/auth", f"{root_path}/users", *filter(None, [root_path])]
        )
        self._twins = tuple(
            self._cookie(name, "", 0, path=path) for path in narrower for name in (self.access_name, self.refresh_name)
        )

    def carry(self, pair: TokenPair) -> tuple[str, ...]:
        """Set-Cookie values that sign a browser in."""
        return (
            self._cookie(self.access_name, pair.access, self._access_seconds),
            self._cookie(self.refresh_name, pair.refresh, self._refresh_seconds),
        )

    def clear_twins(self) -> tuple[str, ...]:
        """Set-Cookie values, to be sent before those of `carry`, that remove cookies of the same names which another
        application has left on narrower paths. Others cannot be known."""
        return self._twins

    def clear(self) -> tuple[str, ...]:
        """Set-Cookie values that sign a browser out: the same attributes, or browsers keep the cookies."""
        return self._cookie(self.access_name, "", 0), self._cookie(self.refresh_name, "", 0)

    def _cookie(self, name: str, value: str, max_age: int, *, path: str = "/") -> str:
        return f"{name}={value}; Max-Age={max_age}; Path={path}; {self._flags}"
