"""What an endpoint asks of the user beyond a valid token."""

from collections.abc import Collection
from dataclasses import dataclass

from latchkey_client.errors import Forbidden, ReauthenticationRequired
from latchkey_client.user import User


@dataclass(frozen=True, slots=True)
class Needs:
    """A role, the greatest age of the sign-in in seconds, and methods that it must have used (RFC 8176)."""

    role: str | None = None
    max_age: int | None = None
    amr: Collection[str] = ()

    def __post_init__(self) -> None:
        if isinstance(self.amr, str):
            raise TypeError('amr is a set of methods, such as {"mfa"}, not a string')
        if self.max_age is not None and self.max_age < 0:
            raise ValueError("max_age is a number of seconds, not below 0")

    def require(self, user: User, now: float) -> None:
        """Raises Forbidden, or ReauthenticationRequired. `now` is in seconds since the epoch."""
        if self.role is not None and user.role != self.role:
            raise Forbidden(f"the role is {user.role!r}, not {self.role!r}")
        if self.max_age is not None and (user.auth_time is None or now - user.auth_time > self.max_age):
            raise ReauthenticationRequired(f"the sign-in is older than {self.max_age} seconds", self.max_age)
        if missing := set(self.amr) - user.amr:
            raise ReauthenticationRequired(f"the sign-in lacks {sorted(missing)}", self.max_age)
