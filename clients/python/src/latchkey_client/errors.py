"""Refusals, with the status, code and message of Latchkey's own answers."""

from typing import ClassVar


class Refused(Exception):
    """A token or a request is refused. Answer with `status`, `headers` and `body`.

    `str()` gives the reason for your log. The caller of your API learns only `code` and `message`.
    """

    status: ClassVar[int]
    code: ClassVar[str]
    message: ClassVar[str]
    challenge: ClassVar[str] = ""
    """The error that a bearer client reads in WWW-Authenticate (RFC 6750, section 3.1)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.by_bearer = False
        """Whether the request carried a bearer token."""

    @property
    def body(self) -> dict[str, object]:
        """Returns Latchkey's envelope. The browser client renews its tokens by the code in it."""
        return {"success": False, "message": self.message, "code": self.code}

    @property
    def headers(self) -> dict[str, str]:
        """Returns the headers of the answer."""
        headers = {"Cache-Control": "no-store"}
        error = self._bearer_error() if self.by_bearer else ""
        # RFC 9110 section 15.5.2: every 401 has a challenge.
        if error or self.status == 401:
            headers["WWW-Authenticate"] = f"Bearer {error}".strip()
        return headers

    def _bearer_error(self) -> str:
        return f'error="{self.challenge}"' if self.challenge else ""


class Unauthorized(Refused):
    """The request carries no access token."""

    status = 401
    code = "UNAUTHORIZED"
    message = "Unauthorized"


class AmbiguousCredentials(Refused):
    """The request carries an access cookie and a bearer token."""

    status = 401
    code = "AMBIGUOUS_CREDENTIALS"
    message = "Send cookies, a bearer token or an API key, not two"
    challenge = "invalid_request"


class InvalidToken(Refused):
    """The token is not an access token of this Latchkey for this audience, or its session has ended."""

    status = 401
    code = "INVALID_TOKEN"
    message = "Invalid token"
    challenge = "invalid_token"


class TokenExpired(Refused):
    """The token is genuine, but past its `exp`."""

    status = 401
    code = "TOKEN_EXPIRED"
    message = "Token expired"
    challenge = "invalid_token"


class Forbidden(Refused):
    """The user lacks the role, or a page of another origin sent the request."""

    status = 403
    code = "FORBIDDEN"
    message = "You are not allowed to perform this action"


class ReauthenticationRequired(Refused):
    """The sign-in is older than `max_age` seconds, or lacks a method of `amr`."""

    status = 403
    code = "REAUTHENTICATION_REQUIRED"
    message = "Confirm that it is you"
    challenge = "insufficient_user_authentication"

    def __init__(self, reason: str, max_age: int | None) -> None:
        super().__init__(reason)
        self._max_age = max_age

    def _bearer_error(self) -> str:
        # RFC 9470, section 3.
        return super()._bearer_error() + ("" if self._max_age is None else f", max_age={self._max_age}")


class Unavailable(Refused):
    """The token cannot be judged now: no keys are known, or what has ended is not known well enough."""

    status = 503
    code = "SERVICE_UNAVAILABLE"
    message = "Service temporarily unavailable"

    @property
    def headers(self) -> dict[str, str]:
        """Returns the headers of the answer."""
        return super().headers | {"Retry-After": "2"}
