"""Lets an app trust the sign-ins of a Latchkey server: verifies its access tokens by its public keys.

auth = Latchkey("https://accounts.example.com")
user = auth.verify(token)
"""

from latchkey_client.client import Latchkey
from latchkey_client.errors import (
    AmbiguousCredentials,
    Forbidden,
    InvalidToken,
    ReauthenticationRequired,
    Refused,
    TokenExpired,
    Unauthorized,
    Unavailable,
)
from latchkey_client.user import User

__version__ = "0.1.0"
__all__ = [
    "AmbiguousCredentials",
    "Forbidden",
    "InvalidToken",
    "Latchkey",
    "ReauthenticationRequired",
    "Refused",
    "TokenExpired",
    "Unauthorized",
    "Unavailable",
    "User",
]
