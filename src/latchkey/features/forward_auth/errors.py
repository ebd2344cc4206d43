"""Refusals of forward auth. Their answers are a status and headers: codes and messages are for the log and the document.

A proxy passes on 401 and 403. nginx answers 500 for all else.
"""

from latchkey.refusal import Refusal


class CheckRefused(Refusal):
    """The question has no answer: a bad query, two credentials, a bad Host."""

    status, code, message = 401, "CHECK_REFUSED", "The query, the credentials or the Host are ambiguous or bad"


class SignInFirst(Refusal):
    """A browser that opens a page without a session is sent to SIGN_IN_URL."""

    status, code, message = 302, "SIGN_IN_FIRST", "A browser is sent to SIGN_IN_URL"

    def __init__(self, url: str) -> None:
        super().__init__(headers=(("Location", url),))


class OriginRefused(Refusal):
    """A page of another origin sent a request that can change something."""

    status, code, message = 403, "ORIGIN_REFUSED", "A page of another origin sent the request"


class RoleRequired(Refusal):
    status, code, message = 403, "ROLE_REQUIRED", "The user has another role"
