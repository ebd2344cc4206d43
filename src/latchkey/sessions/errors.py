"""What a request is refused for its tokens or its session."""

from latchkey.refusal import Refusal


class AccessTokenInvalid(Refusal):
    """Does not verify, is of the wrong type, is one of several, or its session has ended."""

    status, code, message = 401, "INVALID_TOKEN", "Invalid token"


class AccessTokenExpired(Refusal):
    status, code, message = 401, "TOKEN_EXPIRED", "Token expired"


class RefreshTokenMissing(Refusal):
    status, code, message = 401, "INVALID_REQUEST", "Refresh token required"


class RefreshTokenInvalid(Refusal):
    """Does not verify, has expired, is one of several good ones, or its session has ended."""

    status, code, message = 401, "INVALID_TOKEN", "Invalid refresh token"


class RefreshTokenReused(Refusal):
    """Reuse was detected: all sessions of the user have been ended."""

    status, code, message = 401, "TOKEN_EXPIRED", "Refresh token reused or invalid"


class SessionNotFound(Refusal):
    """The caller has no live session of that id; another user's and an ended one are no different."""

    status, code, message = 404, "SESSION_NOT_FOUND", "Session not found"
