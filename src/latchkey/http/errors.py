"""What HTTP itself refuses, whatever the endpoint.

    Refusal
    ├── MalformedBody 400       MalformedForm   InvalidHost     AmbiguousCredentials
    ├── Unauthorized 401
    ├── CsrfRefused 403         Forbidden       NotForBrowsers
    ├── NotFound 404
    ├── MethodNotAllowed 405
    ├── BodyTooLarge 413
    ├── NotJson 415             NotForm
    ├── RateLimited 429
    └── InternalError 500

The cases of a feature are in its own `errors.py`.
"""

from latchkey.refusal import Refusal


class MalformedBody(Refusal):
    """Not JSON, not an object, bad UTF-8, too deeply nested, or incomplete."""

    status, code, message = 400, "INVALID_REQUEST", "Malformed JSON body"


class MalformedForm(Refusal):
    """Not a form in UTF-8, or a field comes several times."""

    status, code, message = 400, "INVALID_REQUEST", "Malformed form body"


class InvalidHost(Refusal):
    """The Host header is not exactly one host."""

    status, code, message = 400, "INVALID_REQUEST", "Invalid Host header"


class AmbiguousCredentials(Refusal):
    """Two of cookies, a bearer token and an API key: which of them is meant is not guessed."""

    status, code = 400, "AMBIGUOUS_CREDENTIALS"
    message = "Send cookies, a bearer token or an API key, not two"


class Unauthorized(Refusal):
    """The request carries no proof of a user."""

    status, code, message = 401, "UNAUTHORIZED", "Unauthorized"


class CsrfRefused(Refusal):
    status, code, message = 403, "EBADCSRFTOKEN", "invalid csrf token"


class Forbidden(Refusal):
    """The path names another user, or the endpoint takes no API keys."""

    status, code, message = 403, "FORBIDDEN", "You are not allowed to perform this action"


class NotForBrowsers(Refusal):
    """A page sent an API key, or a request of a native app."""

    status, code, message = 403, "NOT_FOR_BROWSERS", "This is not for browsers"


class NotFound(Refusal):
    """No endpoint has this path."""

    status, code, message = 404, "RESOURCE_NOT_FOUND", "Not found"


class MethodNotAllowed(Refusal):
    status, code, message = 405, "METHOD_NOT_ALLOWED", "Method not allowed"


class BodyTooLarge(Refusal):
    status, code, message = 413, "PAYLOAD_TOO_LARGE", "Request body too large"
    closes_connection = True


class NotJson(Refusal):
    status, code, message = 415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type must be application/json"


class NotForm(Refusal):
    status, code = 415, "UNSUPPORTED_MEDIA_TYPE"
    message = "Content-Type must be application/x-www-form-urlencoded"


class RateLimited(Refusal):
    status, code, message = 429, "RATE_LIMITED", "Too many requests, please try again later."


class InternalError(Refusal):
    """A bug. The log has its cause under the request id; the body never does."""

    status, code, message = 500, "INTERNAL_ERROR", "Internal server error"
