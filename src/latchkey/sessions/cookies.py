"""The two token cookies."""

from latchkey.sessions.tokens import Lifetimes, TokenPair

ACCESS_MIN_SECONDS = 900
REFRESH_MIN_SECONDS = 604_800
"""Least seconds of the cookies' life, as in node-api-postgres: an expired token still names its session."""


class SessionCookies:
    """Writes the cookies. `prefix` precedes both names; `secure` is on except in development.

    With a `domain`, every host of it gets the access cookie. The refresh cookie always stays on Latchkey's own host. A
    cookie lives at least as long as its token.
    """

    def __init__(self, *, prefix: str, secure: bool, lifetimes: Lifetimes, root_path: str, domain: str = "") -> None:
        self.access_name = f"{prefix}accessToken"
        self.refresh_name = f"{prefix}refreshToken"
        self._access_seconds = max(ACCESS_MIN_SECONDS, lifetimes.access_seconds)
        self._refresh_seconds = max(REFRESH_MIN_SECONDS, lifetimes.refresh_seconds)
        self._domain = domain
        self._flags = "HttpOnly; SameSite=Strict" + ("; Secure" if secure else "")
        # With the prefix __Host-, browsers keep no cookie of a narrower path.
        narrower = (
            [] if prefix == "__Host-" else [f"{root_path}/auth", f"{root_path}/users", *filter(None, [root_path])]
        )
        self._twins = tuple(
            self._cookie(name, "", 0, path=path) for path in narrower for name in (self.access_name, self.refresh_name)
        )

    def carry(self, pair: TokenPair) -> tuple[str, ...]:
        """Returns the Set-Cookie values that sign a browser in.

        Without a Max-Age, a browser drops the cookies when it closes.
        """
        is_kept = pair.refresh.remember
        return (
            *self._access(pair.access, self._access_seconds if is_kept else None),
            self._cookie(self.refresh_name, pair.refresh.token, self._refresh_seconds if is_kept else None),
        )

    def clear_twins(self) -> tuple[str, ...]:
        """Returns Set-Cookie values that remove cookies of the same names on known narrower paths.

        Another application may have set them. Send these before those of `carry`.
        """
        return self._twins

    def clear(self) -> tuple[str, ...]:
        """Returns the Set-Cookie values that sign a browser out.

        Their attributes must match, or browsers keep the cookies.
        """
        return *self._access("", 0), self._cookie(self.refresh_name, "", 0)

    def _access(self, value: str, max_age: int | None) -> tuple[str, ...]:
        if not self._domain:
            return (self._cookie(self.access_name, value, max_age),)
        # A cookie that was set without the domain is another one to browsers. They would send both.
        twin = self._cookie(self.access_name, "", 0)
        return twin, self._cookie(self.access_name, value, max_age, domain=self._domain)

    def _cookie(self, name: str, value: str, max_age: int | None, *, path: str = "/", domain: str = "") -> str:
        lifetime = "" if max_age is None else f"Max-Age={max_age}; "
        scope = f"Domain={domain}; " if domain else ""
        return f"{name}={value}; {lifetime}{scope}Path={path}; {self._flags}"
