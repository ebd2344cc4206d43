"""Refusals of tokens and sessions."""

from latchkey.refusal import Refusal


class AccessTokenInvalid(Refusal):
    """The token does not verify, has the wrong type or is one of several, or its session has ended."""

    status, code, message = 401, "INVALID_TOKEN", "Invalid token"


class AccessTokenExpired(Refusal):
    status, code, message = 401, "TOKEN_EXPIRED", "Token expired"


class RefreshTokenMissing(Refusal):
    status, code, message = 401, "INVALID_REQUEST", "Refresh token required"


class RefreshTokenInvalid(Refusal):
    """The token does not verify, has expired or is one of several good ones, or its session has ended."""

    status, code, message = 401, "INVALID_TOKEN", "Invalid refresh token"


class RefreshTokenReused(Refusal):
    """Reuse was detected, and all sessions of the user have ended."""

    status, code, message = 401, "TOKEN_EXPIRED", "Refresh token reused or invalid"


class ReauthenticationRequired(Refusal):
    """The user signed in, or confirmed that it is them, longer than `max_age` seconds ago (RFC 9470 section 3)."""

    status, code, message = 403, "REAUTHENTICATION_REQUIRED", "Confirm that it is you"

    def __init__(self, max_age: int = 0) -> None:
        super().__init__()
        self.challenge = f' error="insufficient_user_authentication", max_age={max_age}'


class NotWhileImpersonating(Refusal):
    """An admin acts for the user in this session, and may only look."""

    status, code, message = 403, "NOT_WHILE_IMPERSONATING", "Not while acting for somebody else"


class SessionNotFound(Refusal):
    """The caller has no live session of that id. The answer does not reveal sessions of other users."""

    status, code, message = 404, "SESSION_NOT_FOUND", "Session not found"
