"""How a request says who asks. Cookies and CSRF follow from it."""

from enum import StrEnum

API_KEY_PREFIX = "lk_"


class Transport(StrEnum):
    """How a session's tokens travel. A token that comes the other way is refused."""

    COOKIE = "cookie"
    BEARER = "bearer"


class RequestKind(StrEnum):
    """The kind of a request. Only requests of kind COOKIE read and set cookies, and need a CSRF token."""

    COOKIE = "cookie"
    BEARER = "bearer"
    NATIVE = "native"
    KEY = "key"

    @property
    def transport(self) -> Transport:
        """Returns how the tokens of such a request's session travel."""
        return Transport.COOKIE if self is RequestKind.COOKIE else Transport.BEARER
