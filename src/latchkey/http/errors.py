"""Every error that a client can be answered with (contract, section 4).

    ApiError
    ├── ValidationFailed 400        CurrentPasswordIncorrect, NothingToUpdate
    ├── MalformedBody 400           InvalidHost
    ├── ResetTokenRefused 400
    ├── Unauthorized 401            InvalidCredentials
    ├── AccessTokenInvalid 401      AccessTokenExpired
    ├── RefreshTokenMissing 401     RefreshTokenInvalid, RefreshTokenReused
    ├── CsrfRefused 403             Forbidden, UsersNotListed, RegistrationClosed, EmailNotVerified
    ├── UserNotFound 404            UserNotDeleted, SessionNotFound, NotFound
    ├── MethodNotAllowed 405
    ├── EmailTaken 409              RestoreEmailTaken
    ├── BodyTooLarge 413
    ├── NotJson 415
    ├── RateLimited 429             TooManyAttempts
    ├── InternalError 500
    └── ServiceUnavailable 503

Each class is one case: its status, code and public message are class attributes, so that an endpoint declares
the cases it can give and the OpenAPI document lists them. The cause is for the log, never for the body.
"""

from dataclasses import dataclass
from typing import ClassVar

RETRY_AFTER_SECONDS = 2
"""What a 503 asks a client to wait: databases come back in seconds, and a longer pause would outlast the fault."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One bad field: its JSON name and what is wrong with it."""

    field: str
    message: str


class ApiError(Exception):
    """An answer that refuses; raised anywhere below the edge, turned into the envelope there.

    Raising it means that nothing happened, or that what had to be written is committed already.
    """

    status: ClassVar[int]
    code: ClassVar[str]
    message: ClassVar[str]
    closes_connection: ClassVar[bool] = False

    def __init__(self, *, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(self.message)
        self.headers = headers


class ValidationFailed(ApiError):
    """A field, query or path value is bad; one entry for every bad field."""

    status, code, message = 400, "VALIDATION_ERROR", "Validation failed"

    def __init__(self, *fields: FieldError) -> None:
        super().__init__()
        self.fields = fields


class CurrentPasswordIncorrect(ApiError):
    status, code, message = 400, "VALIDATION_ERROR", "Current password is incorrect"


class NothingToUpdate(ApiError):
    status, code, message = 400, "VALIDATION_ERROR", "No data provided for update"


class MalformedBody(ApiError):
    """Not JSON, not an object, bad UTF-8, a nesting bomb, or a body that never came to its end."""

    status, code, message = 400, "INVALID_REQUEST", "Malformed JSON body"


class InvalidHost(ApiError):
    """A Host header that is not one host."""

    status, code, message = 400, "INVALID_REQUEST", "Invalid Host header"


class ResetTokenRefused(ApiError):
    """A reset token that is unknown, used or expired: one answer for all, so that it tells nothing."""

    status, code, message = 400, "TOKEN_EXPIRED", "Invalid or expired token"


class Unauthorized(ApiError):
    status, code, message = 401, "UNAUTHORIZED", "Unauthorized"


class InvalidCredentials(ApiError):
    """Unknown address, wrong password or deleted user: one answer for all."""

    status, code, message = 401, "UNAUTHORIZED", "Invalid credentials"


class AccessTokenInvalid(ApiError):
    """Does not verify, is of the wrong type, was sent twice, or its session has ended."""

    status, code, message = 401, "INVALID_TOKEN", "Invalid token"


class AccessTokenExpired(ApiError):
    status, code, message = 401, "TOKEN_EXPIRED", "Token expired"


class RefreshTokenMissing(ApiError):
    status, code, message = 401, "INVALID_REQUEST", "Refresh token required"


class RefreshTokenInvalid(ApiError):
    """Does not verify, has expired, was sent twice, or its session has ended."""

    status, code, message = 401, "INVALID_TOKEN", "Invalid refresh token"


class RefreshTokenReused(ApiError):
    """Reuse detected: all sessions of the user have been ended (contract, section 6)."""

    status, code, message = 401, "TOKEN_EXPIRED", "Refresh token reused or invalid"


class CsrfRefused(ApiError):
    status, code, message = 403, "EBADCSRFTOKEN", "invalid csrf token"


class Forbidden(ApiError):
    status, code, message = 403, "FORBIDDEN", "You are not allowed to perform this action"


class UsersNotListed(ApiError):
    """USERS_LIST is self."""

    status, code = 403, "USERS_NOT_LISTED"
    message = "Users are not listed here; GET /auth/me shows your own account"


class RegistrationClosed(ApiError):
    """REGISTRATION is closed."""

    status, code = 403, "REGISTRATION_CLOSED"
    message = "Registration is closed; ask whoever runs this service for an account"


class EmailNotVerified(ApiError):
    """REQUIRE_VERIFIED_EMAIL is on. Said only to who knows the password."""

    status, code = 403, "EMAIL_NOT_VERIFIED"
    message = "Confirm your e-mail address first, by the link that was mailed to it, or ask for a new link."


class UserNotFound(ApiError):
    status, code, message = 404, "USER_NOT_FOUND", "User not found"


class UserNotDeleted(ApiError):
    status, code, message = 404, "USER_NOT_FOUND", "User not found or already active"


class SessionNotFound(ApiError):
    """No live session of the caller's has that id; another's and an ended one are no different."""

    status, code, message = 404, "SESSION_NOT_FOUND", "Session not found"


class NotFound(ApiError):
    """No such path."""

    status, code, message = 404, "RESOURCE_NOT_FOUND", "Not found"


class MethodNotAllowed(ApiError):
    status, code, message = 405, "METHOD_NOT_ALLOWED", "Method not allowed"


class EmailTaken(ApiError):
    status, code, message = 409, "EMAIL_ALREADY_EXISTS", "Email already exists"


class RestoreEmailTaken(ApiError):
    status, code, message = 409, "EMAIL_ALREADY_EXISTS", "Cannot restore user: email already in use"


class BodyTooLarge(ApiError):
    status, code, message = 413, "PAYLOAD_TOO_LARGE", "Request body too large"
    closes_connection = True


class NotJson(ApiError):
    status, code, message = 415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type must be application/json"


class RateLimited(ApiError):
    status, code, message = 429, "RATE_LIMITED", "Too many requests, please try again later."


class TooManyAttempts(ApiError):
    """Too soon after failed attempts at the same account; Retry-After says when the next may be made."""

    status, code = 429, "TOO_MANY_ATTEMPTS"
    message = "Too many failed attempts. Wait a moment and try again, or reset your password."


class InternalError(ApiError):
    """A bug. Its cause is in the log under the request id, never in the body."""

    status, code, message = 500, "INTERNAL_ERROR", "Internal server error"


class ServiceUnavailable(ApiError):
    """Database, hashing queue, or (for login) the rate limit's store cannot answer now."""

    status, code, message = 503, "SERVICE_UNAVAILABLE", "Service temporarily unavailable"

    def __init__(self) -> None:
        super().__init__(headers=(("Retry-After", str(RETRY_AFTER_SECONDS)),))
